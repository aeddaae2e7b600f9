package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

func (a *api) registerSessions(r *rest.API) {
	a.registerPasswords(r)
	rest.Register(r, rest.Operation{
		ID: "list-my-sessions", Method: http.MethodGet, Path: "/v1/me/sessions", Tag: "sessions", Scope: scope, Errors: []int{404},
		Summary: "List the caller's sessions", Description: "The browsers in which the person is logged in, oldest first.",
	}, a.listSessions)
	rest.Register(r, rest.Operation{
		ID: "end-my-session", Method: http.MethodDelete, Path: "/v1/me/sessions/{id}", Tag: "sessions", Scope: scope, Status: http.StatusNoContent, Errors: []int{404},
		Summary: "Log out of one browser", Description: "Ends the session with the tokens that it gave, but for those of offline_access: refresh tokens at once, access tokens within two seconds.",
	}, a.endSession)
	rest.Register(r, rest.Operation{
		ID: "end-my-sessions", Method: http.MethodDelete, Path: "/v1/me/sessions", Tag: "sessions", Scope: scope, Status: http.StatusNoContent, Errors: []int{404},
		Summary: "Log out everywhere", Description: "Ends all the caller's sessions and tokens, that of this request too: refresh tokens at once, access tokens within two seconds.",
	}, a.endSessions)
}

type bySession struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The session's id" example:"0199a1b2-c3d4-7e5f-8a6b-000000000007"`
}

type sessionPage struct{ Body rest.Page[login.Session] }

func (a *api) listSessions(ctx context.Context, who identity.Caller, in *rest.PageInput) (*sessionPage, error) {
	r, err := a.cursors.Request(who, "sessions", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.clients.Sessions(ctx, who, r)
	return &sessionPage{rest.PageOf(a.cursors, who, "sessions", got)}, err
}

func (a *api) endSession(ctx context.Context, who identity.Caller, in *bySession) (*struct{}, error) {
	return nil, a.clients.EndSession(ctx, who, in.ID)
}

func (a *api) endSessions(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
	return nil, a.clients.EndSessions(ctx, who)
}
