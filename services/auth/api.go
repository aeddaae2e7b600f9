package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

const scope = "auth"

// api is the HTTP surface of the use cases.
type api struct {
	clients *login.Service
	cursors rest.Cursors
}

func (a *api) register(r *rest.API) {
	a.registerPlatform(r)
	rest.Register(r, rest.Operation{
		ID: "create-client", Method: http.MethodPost, Path: "/v1/clients", Tag: "clients", Scope: scope, Status: http.StatusCreated,
		Summary: "Create an OAuth client", Description: "The answer shows a confidential client's secret, which is not shown again.",
	}, a.create)
	rest.Register(r, rest.Operation{
		ID: "list-clients", Method: http.MethodGet, Path: "/v1/clients", Tag: "clients", Scope: scope,
		Summary: "List OAuth clients", Description: "Clients of the tenant, oldest first.",
	}, a.list)
	rest.Register(r, rest.Operation{
		ID: "get-client", Method: http.MethodGet, Path: "/v1/clients/{id}", Tag: "clients", Scope: scope, Errors: []int{404},
		Summary: "Read an OAuth client", Description: "Without its secret.",
	}, a.get)
	rest.Register(r, rest.Operation{
		ID: "delete-client", Method: http.MethodDelete, Path: "/v1/clients/{id}", Tag: "clients", Scope: scope, Status: http.StatusNoContent, Errors: []int{404},
		Summary: "Delete an OAuth client", Description: "Its refresh tokens end at once, its access tokens within ten minutes.",
	}, a.remove)
	rest.Register(r, rest.Operation{
		ID: "rotate-client-secret", Method: http.MethodPost, Path: "/v1/clients/{id}/secret", Tag: "clients", Scope: scope, Errors: []int{404, 409},
		Summary: "Rotate a client's secret", Description: "The answer shows the new secret, which is not shown again; the old one ends.",
	}, a.rotate)
}

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID string `path:"id" maxLength:"100" doc:"The client_id" example:"0199a1b2-c3d4-7e5f-8a6b-000000000003"`
}

// ClientWithSecret is a client with what is shown once.
type ClientWithSecret struct {
	login.Client
	ClientSecret string `json:"client_secret,omitempty" doc:"Shown once; absent of a public client" example:"bws_3q2-7wEjRWeJq83v"`
}

// OAuthClient is a client under a name that generators of SDKs leave free.
type OAuthClient login.Client

type clientOutput struct{ Body OAuthClient }

type secretOutput struct {
	CacheControl string `header:"Cache-Control" doc:"no-store"`
	Location     string `header:"Location" doc:"Where the client is"`
	Body         ClientWithSecret
}

func (a *api) showSecret(c login.Client, err error) (*secretOutput, error) {
	return &secretOutput{"no-store", "/auth/v1/clients/" + c.ID, ClientWithSecret{c, a.clients.Secret(c)}}, err
}

func (a *api) create(ctx context.Context, who identity.Caller, in *struct{ Body login.ClientDraft }) (*secretOutput, error) {
	return a.showSecret(a.clients.CreateClient(ctx, who, in.Body))
}

func (a *api) rotate(ctx context.Context, who identity.Caller, in *ByID) (*secretOutput, error) {
	return a.showSecret(a.clients.RotateSecret(ctx, who, in.ID))
}

func (a *api) get(ctx context.Context, who identity.Caller, in *ByID) (*clientOutput, error) {
	c, err := a.clients.Client(ctx, who, in.ID)
	return &clientOutput{OAuthClient(c)}, err
}

func (a *api) remove(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
	return nil, a.clients.DeleteClient(ctx, who, in.ID)
}

type clientPage struct{ Body rest.Page[OAuthClient] }

func (a *api) list(ctx context.Context, who identity.Caller, in *rest.PageInput) (*clientPage, error) {
	r, err := a.cursors.Request(who, "clients", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.clients.Clients(ctx, who, r)
	shown := page.Result[OAuthClient]{Next: got.Next}
	for _, c := range got.Items {
		shown.Items = append(shown.Items, OAuthClient(c))
	}
	return &clientPage{rest.PageOf(a.cursors, who, "clients", shown)}, err
}

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
	rest.Register(r, internal("platform-delete-client", http.MethodDelete, "clients/{id}"), func(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
		return nil, a.clients.Store.DropClient(ctx, who.Tenant, in.ID)
	})
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
