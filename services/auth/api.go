package main

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

const scope = "auth"

// api is the HTTP surface of the use cases.
type api struct {
	clients     *login.Service
	cursors     rest.Cursors
	revocations func(ctx context.Context, since int64) (identity.Revocations, error)
}

func (a *api) register(r *rest.API) {
	a.registerPlatform(r)
	a.registerSessions(r)
	a.registerAudit(r)
	rest.Register(r, rest.Operation{
		ID: "create-client", Method: http.MethodPost, Path: "/v1/clients", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsWrite}, Status: http.StatusCreated,
		Example: `{"name": "Time sheets", "type": "public", "redirect_uris": ["https://app.acme.example/callback"], "post_logout_redirect_uris": ["https://app.acme.example/"], "web_origins": ["https://app.acme.example"]}`,
		Summary: "Create an OAuth client", Description: "The answer shows a confidential client's secret, which is not shown again.",
	}, a.create)
	rest.Register(r, rest.Operation{
		ID: "list-clients", Method: http.MethodGet, Path: "/v1/clients", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsRead},
		Summary: "List OAuth clients", Description: "Clients of the tenant, oldest first.",
	}, a.list)
	rest.Register(r, rest.Operation{
		ID: "get-client", Method: http.MethodGet, Path: "/v1/clients/{id}", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsRead}, Errors: []int{404},
		Summary: "Read an OAuth client", Description: "Without its secret. The ETag names its version.",
	}, a.get)
	rest.Register(r, rest.Operation{
		ID: "update-client", Method: http.MethodPatch, Path: "/v1/clients/{id}", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsWrite}, Errors: []int{404, 409, 412, 428},
		Example: `{"name": "Time sheets", "web_origins": ["https://app.acme.example"], "enabled": true}`,
		Summary: "Change an OAuth client", Description: "A JSON merge patch (RFC 7396). A disabled client is refused tokens at once; its access tokens end within two seconds. With another redirect URI people are asked for their consent again. Who changes a client holds what its roles give.",
	}, a.update)
	rest.Register(r, rest.Operation{
		ID: "delete-client", Method: http.MethodDelete, Path: "/v1/clients/{id}", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsWrite}, Status: http.StatusNoContent, Errors: []int{404, 412, 428},
		Summary: "Delete an OAuth client", Description: "Its refresh tokens end at once, its access tokens within two seconds. Who deletes a client holds what its roles give.",
	}, a.remove)
	rest.Register(r, rest.Operation{
		ID: "rotate-client-secret", Method: http.MethodPost, Path: "/v1/clients/{id}/secret", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsWrite}, Errors: []int{404, 409},
		Summary: "Rotate a client's secret", Description: "The answer shows the new secret, which is not shown again. The one before works for another 24 hours, or until it is ended; of three the oldest ends. Who rotates another's secret holds what its roles give.",
	}, a.rotate)
	rest.Register(r, rest.Operation{
		ID: "end-previous-client-secret", Method: http.MethodDelete, Path: "/v1/clients/{id}/secret/previous", Tag: "clients", Scope: scope, Needs: rest.Needs{login.ClientsWrite}, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "End a client's previous secret", Description: "After a rotation, when every instance has the new one.",
	}, a.endPrevious)
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

type clientOutput struct {
	ETag string `header:"ETag" doc:"The version"`
	Body OAuthClient
}

type secretOutput struct {
	CacheControl string `header:"Cache-Control" doc:"no-store"`
	ETag         string `header:"ETag" doc:"The version"`
	Location     string `header:"Location" doc:"Where the client is"`
	Body         ClientWithSecret
}

func showClient(c login.Client, err error) (*clientOutput, error) {
	return &clientOutput{rest.ETag(c.Version), OAuthClient(c)}, err
}

func (a *api) showSecret(c login.Client, err error) (*secretOutput, error) {
	return &secretOutput{CacheControl: "no-store", ETag: rest.ETag(c.Version), Body: ClientWithSecret{c, a.clients.Secret(c)}}, err
}

// ClientDraft is a login.ClientDraft whose schema says what that refuses.
type ClientDraft login.ClientDraft

// TransformSchema implements huma.SchemaTransformer.
func (ClientDraft) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return ofClient(s) }

// TransformSchema implements huma.SchemaTransformer.
func (ClientPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return ofClient(s) }

// ofClient adds to a schema what the rules of a client's lists are, as far as it can say them.
func ofClient(s *huma.Schema) *huma.Schema {
	rest.Text(s.Properties["redirect_uris"].Items, login.RedirectPattern, login.RedirectForm, login.MaxRedirect)
	rest.Text(s.Properties["post_logout_redirect_uris"].Items, login.RedirectPattern, login.RedirectForm, login.MaxRedirect)
	rest.Text(s.Properties["web_origins"].Items, login.OriginPattern, login.OriginForm, login.MaxOrigin)
	for _, scope := range login.Scopes() {
		s.Properties["scopes"].Items.Enum = append(s.Properties["scopes"].Items.Enum, scope)
	}
	return s
}

func (a *api) create(ctx context.Context, who identity.Caller, in *struct{ Body ClientDraft }) (*secretOutput, error) {
	out, err := a.showSecret(a.clients.CreateClient(ctx, who, login.ClientDraft(in.Body)))
	out.Location = "/auth/v1/clients/" + out.Body.ID
	return out, err
}

func (a *api) rotate(ctx context.Context, who identity.Caller, in *ByID) (*secretOutput, error) {
	return a.showSecret(a.clients.RotateSecret(ctx, who, in.ID))
}

func (a *api) endPrevious(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
	return nil, a.clients.EndPreviousSecret(ctx, who, in.ID)
}

func (a *api) get(ctx context.Context, who identity.Caller, in *ByID) (*clientOutput, error) {
	return showClient(a.clients.Client(ctx, who, in.ID))
}

// ClientPatch is the body of a change.
type ClientPatch struct {
	Name                   rest.Optional[string]       `json:"name,omitempty" minLength:"1" maxLength:"200" pattern:"\\S" example:"Time sheets"`
	RedirectURIs           rest.Optional[[]string]     `json:"redirect_uris,omitempty" maxItems:"20" example:"[\"https://app.acme.example/callback\"]"`
	PostLogoutRedirectURIs rest.Optional[[]string]     `json:"post_logout_redirect_uris,omitempty" maxItems:"20" example:"[\"https://app.acme.example/\"]"`
	WebOrigins             rest.Optional[[]string]     `json:"web_origins,omitempty" maxItems:"20" doc:"Tokens issued before keep those that they name" example:"[\"https://app.acme.example\"]"`
	GrantTypes             rest.Optional[[]string]     `json:"grant_types,omitempty" minItems:"1" maxItems:"4" enum:"authorization_code,refresh_token,client_credentials,password" doc:"password is for the platform operator's own" example:"[\"authorization_code\",\"refresh_token\"]"`
	Scopes                 rest.Optional[[]string]     `json:"scopes,omitempty" maxItems:"20" example:"[\"openid\",\"tasks\"]"`
	AuthMethod             rest.Optional[string]       `json:"token_endpoint_auth_method,omitempty" enum:"none,client_secret_basic,client_secret_post,private_key_jwt" doc:"A client that changes to a secret is given one by a rotation" example:"private_key_jwt"`
	JWKS                   rest.Optional[login.KeySet] `json:"jwks,omitempty" doc:"All of its keys; another method drops them"`
	Enabled                rest.Optional[bool]         `json:"enabled,omitempty" example:"false"`
}

type updateInput struct {
	ByID
	rest.IfMatch
	Body ClientPatch
}

func (a *api) update(ctx context.Context, who identity.Caller, in *updateInput) (*clientOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showClient(a.clients.ChangeClient(ctx, who, in.ID, version, login.ClientPatch{
		Name: in.Body.Name.Field, AuthMethod: in.Body.AuthMethod.Field, RedirectURIs: in.Body.RedirectURIs.Field, PostLogoutRedirectURIs: in.Body.PostLogoutRedirectURIs.Field,
		WebOrigins: in.Body.WebOrigins.Field, GrantTypes: in.Body.GrantTypes.Field, Scopes: in.Body.Scopes.Field, JWKS: in.Body.JWKS.Field, Enabled: in.Body.Enabled.Field,
	}))
}

type removeInput struct {
	ByID
	rest.IfMatch
}

func (a *api) remove(ctx context.Context, who identity.Caller, in *removeInput) (*struct{}, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return nil, a.clients.DeleteClient(ctx, who, in.ID, version)
}

type clientPage struct{ Body rest.Page[OAuthClient] }

func (a *api) list(ctx context.Context, who identity.Caller, in *rest.PageInput) (*clientPage, error) {
	r, err := a.cursors.Request(who, "clients", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.clients.Clients(ctx, who, r)
	shown := page.Map(got, func(c login.Client) OAuthClient { return OAuthClient(c) })
	return &clientPage{rest.PageOf(a.cursors, who, "clients", shown)}, err
}
