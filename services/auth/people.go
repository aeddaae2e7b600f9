package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

func internal(id, method, path string) rest.Operation {
	return rest.Operation{ID: id, Method: method, Path: "/v1/platform/" + path, Status: http.StatusNoContent, Internal: true}
}

// registerPeople adds what the users service needs for people, and authz, and what every
// service needs to know whose tokens have ended.
func (a *api) registerPeople(r *rest.API) {
	rest.Register(r, internal("platform-put-credential", http.MethodPut, "credentials/{id}"), a.putCredential)
	read := internal("platform-get-credential", http.MethodGet, "credentials/{id}")
	read.Status = http.StatusOK
	rest.Register(r, read, a.getCredential)
	rest.Register(r, internal("platform-delete-credential", http.MethodDelete, "credentials/{id}"), func(ctx context.Context, who identity.Caller, in *byUser) (*struct{}, error) {
		return nil, a.clients.Drop(ctx, who, in.ID)
	})
	rest.Register(r, internal("platform-enable-credential", http.MethodPost, "credentials/{id}/enable"), func(ctx context.Context, who identity.Caller, in *changeOfUser) (*struct{}, error) {
		return nil, a.clients.Enable(ctx, who, in.ID, in.By)
	})
	rest.Register(r, internal("platform-disable-credential", http.MethodPost, "credentials/{id}/disable"), func(ctx context.Context, who identity.Caller, in *changeOfUser) (*struct{}, error) {
		return nil, a.clients.Disable(ctx, who, in.ID, in.By)
	})
	rest.Register(r, internal("platform-suspend-tenant", http.MethodPost, "tenant/suspend"), func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.clients.Suspend(ctx, who)
	})
	rest.Register(r, internal("platform-resume-tenant", http.MethodPost, "tenant/resume"), func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.clients.Resume(ctx, who)
	})
	feed := internal("platform-revocations", http.MethodGet, "revocations")
	feed.Status = http.StatusOK
	rest.Register(r, feed, func(ctx context.Context, _ identity.Caller, in *struct {
		Since int64 `query:"since" minimum:"0"`
	}) (*struct{ Body identity.Revocations }, error) {
		got, err := a.revocations(ctx, in.Since)
		return &struct{ Body identity.Revocations }{got}, err
	})
}

type byUser struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

// credentialOutput tells whether a person can log in.
type credentialOutput struct {
	Body struct {
		Enabled bool `json:"enabled"`
	}
}

func (a *api) getCredential(ctx context.Context, who identity.Caller, in *byUser) (*credentialOutput, error) {
	c, err := a.clients.Store.Credential(ctx, who.Tenant, in.ID)
	out := &credentialOutput{}
	out.Body.Enabled = c.Enabled
	return out, err
}

type changeOfUser struct {
	ID uuid.UUID `path:"id" format:"uuid"`
	By string    `query:"by" maxLength:"100" doc:"The subject for whom the service acts"`
}

type credentialInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		Email string `json:"email" maxLength:"254"`
		Name  string `json:"name" maxLength:"200"`
		// Organisation is the tenant's name, which is refused as a password.
		Organisation string `json:"organisation,omitempty" maxLength:"200"`
		Password     string `json:"password,omitempty" maxLength:"512"`
		// PasswordHash is that of a person who comes from elsewhere: bcrypt's or argon2id's.
		PasswordHash string `json:"password_hash,omitempty" maxLength:"200"`
		Enabled      bool   `json:"enabled"`
		Attempt      int64  `json:"attempt,omitempty" minimum:"0"`
		Unverified   bool   `json:"email_unverified,omitempty"`
	}
}

func (a *api) putCredential(ctx context.Context, who identity.Caller, in *credentialInput) (*struct{}, error) {
	c := login.Credential{User: in.ID, Email: in.Body.Email, Name: in.Body.Name, Organisation: in.Body.Organisation, Hash: in.Body.PasswordHash, Enabled: in.Body.Enabled, Attempt: in.Body.Attempt, EmailVerified: !in.Body.Unverified}
	return nil, a.clients.PutCredential(ctx, who, c, in.Body.Password)
}
