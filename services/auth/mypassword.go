package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

func (a *api) registerPasswords(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "change-my-password", Method: http.MethodPost, Path: "/v1/me/password", Tag: "sessions", Scope: scope, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Change the caller's password", Description: "All the person's sessions and tokens end, that of this request too: refresh tokens at once, access tokens within two seconds. No Idempotency-Key is kept, for with it would go a trace of both passwords: a repetition is refused, as the current password is another by then.",
	}, a.changePassword)
	rest.Register(r, rest.Operation{
		ID: "verify-my-email", Method: http.MethodPost, Path: "/v1/me/email-verification", Tag: "sessions", Scope: scope, Status: http.StatusAccepted, Errors: []int{404},
		Summary: "Verify the caller's address", Description: "Mails a link that works once, for half an hour; three in an hour at most.",
	}, func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.clients.AskVerification(ctx, who)
	})
}

// PasswordChange is what a change of a password needs.
type PasswordChange struct {
	Current  string `json:"current_password" minLength:"1" maxLength:"512" doc:"The one that is used now" example:"correct horse battery staple"`
	Password string `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 characters" example:"a long sentence is easy to keep"`
}

func (a *api) changePassword(ctx context.Context, who identity.Caller, in *struct{ Body PasswordChange }) (*struct{}, error) {
	return nil, a.clients.ChangePassword(ctx, who, in.Body.Current, in.Body.Password, uuid.Nil, login.EventOf(who, "", ""))
}
