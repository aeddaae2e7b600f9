package main

import (
	"context"
	"net/http"
	"time"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// registerPlatform adds what our own services need: the users service makes
// and undoes credentials and first clients.
func (a *api) registerPlatform(r *rest.API) {
	a.registerPeople(r)
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
