package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// registerPlatform adds what our own services need: the users service makes
// and undoes credentials and first clients.
func (a *api) registerPlatform(r *rest.API) {
	internal := func(id, method, path string) rest.Operation {
		return rest.Operation{ID: id, Method: method, Path: "/v1/platform/" + path, Status: http.StatusNoContent, Internal: true}
	}
	rest.Register(r, internal("platform-put-credential", http.MethodPut, "credentials/{id}"), a.putCredential)
	rest.Register(r, internal("platform-enable-credential", http.MethodPost, "credentials/{id}/enable"), func(ctx context.Context, who identity.Caller, in *byUser) (*struct{}, error) {
		return nil, a.clients.Store.EnableCredential(ctx, who.Tenant, in.ID)
	})
	rest.Register(r, internal("platform-delete-credential", http.MethodDelete, "credentials/{id}"), func(ctx context.Context, who identity.Caller, in *byUser) (*struct{}, error) {
		return nil, a.clients.Store.DropCredential(ctx, who.Tenant, in.ID)
	})
	rest.Register(r, internal("platform-put-client", http.MethodPut, "clients/{id}"), a.putClient)
	rest.Register(r, internal("platform-set-first-party", http.MethodPut, "clients/{id}/first-party"), func(ctx context.Context, who identity.Caller, in *firstPartyInput) (*struct{}, error) {
		return nil, a.clients.Store.SetFirstParty(ctx, who.Tenant, in.ID, in.Body.FirstParty)
	})
	rest.Register(r, internal("platform-delete-client", http.MethodDelete, "clients/{id}"), func(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
		return nil, a.clients.Store.DropClient(ctx, who.Tenant, in.ID)
	})
}

type firstPartyInput struct {
	ByID
	Body struct {
		FirstParty bool `json:"first_party"`
	}
}

type byUser struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type credentialInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		Email    string `json:"email" maxLength:"254"`
		Name     string `json:"name" maxLength:"200"`
		Password string `json:"password" maxLength:"512"`
		Enabled  bool   `json:"enabled"`
	}
}

func (a *api) putCredential(ctx context.Context, who identity.Caller, in *credentialInput) (*struct{}, error) {
	c := login.Credential{User: in.ID, Email: in.Body.Email, Name: in.Body.Name, Enabled: in.Body.Enabled}
	return nil, a.clients.PutCredential(ctx, who.Tenant, c, in.Body.Password)
}

type clientInput struct {
	ByID
	Body struct {
		Name         string   `json:"name" maxLength:"200"`
		RedirectURIs []string `json:"redirect_uris" maxItems:"20"`
	}
}

func (a *api) putClient(ctx context.Context, who identity.Caller, in *clientInput) (*struct{}, error) {
	c, err := login.ClientDraft{Name: in.Body.Name, Type: login.Public, RedirectURIs: in.Body.RedirectURIs}.Client(in.ID, time.Now().UTC())
	if err != nil {
		return nil, err
	}
	return nil, a.clients.Store.PutClient(ctx, who.Tenant, c)
}
