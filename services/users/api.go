package main

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/tenancy"
)

const scope = "users"

// api is the HTTP surface of the use cases.
type api struct {
	tenancy *tenancy.Service
	cursors rest.Cursors
}

func (a *api) register(r *rest.API) {
	a.registerInvitations(r)
	a.registerDisabling(r)
	rest.Register(r, rest.Operation{
		ID: "register-tenant", Method: http.MethodPost, Path: "/v1/tenant-registrations", Tag: "registrations", Public: true, Status: http.StatusAccepted, Errors: []int{409, 429},
		Summary: "Register a company", Description: "Begins the onboarding: a link is mailed to the owner, who confirms and chooses a password. The answer's Location tells the status all the way. Where nobody confirms, one address is mailed ten times an hour.",
	}, a.registerTenant)
	rest.Register(r, rest.Operation{
		ID: "get-tenant-registration", Method: http.MethodGet, Path: "/v1/tenant-registrations/{id}", Tag: "registrations", Public: true, Errors: []int{404},
		Summary: "Read a registration's status", Description: "Every step with its state. It names no person; whoever knows the id may read it. One that became no tenant is forgotten thirty days after its expires_at.",
	}, a.getRegistration)
	rest.Register(r, rest.Operation{
		ID: "verify-tenant-registration", Method: http.MethodPost, Path: "/v1/tenant-registrations/verification", Tag: "registrations", Public: true, Status: http.StatusAccepted, Errors: []int{404, 409},
		Summary: "Confirm a registration", Description: "With the token of the mailed link, and the owner's password. The page behind the link does the same.",
	}, a.verify)
	rest.Register(r, rest.Operation{
		ID: "get-tenant", Method: http.MethodGet, Path: "/v1/tenant", Tag: "tenant", Scope: scope, Needs: rest.Needs{tenancy.TenantRead}, Errors: []int{404},
		Summary: "Read the tenant", Description: "The caller's own.",
	}, a.getTenant)
	rest.Register(r, rest.Operation{
		ID: "get-me", Method: http.MethodGet, Path: "/v1/me", Tag: "users", Scope: scope, Errors: []int{404},
		Summary: "Read the caller", Description: "The person whom the token names; every person may.",
	}, a.getMe)
	rest.Register(r, rest.Operation{
		ID: "list-users", Method: http.MethodGet, Path: "/v1/users", Tag: "users", Scope: scope, Needs: rest.Needs{tenancy.UsersRead},
		Summary: "List the tenant's people", Description: "Oldest first.",
	}, a.listUsers)
	rest.Register(r, rest.Operation{
		ID: "get-user", Method: http.MethodGet, Path: "/v1/users/{id}", Tag: "users", Scope: scope, Needs: rest.Needs{tenancy.UsersRead}, Errors: []int{404},
		Summary: "Read a person", Description: "Of the caller's tenant.",
	}, a.getUser)
}

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
}

type registrationOutput struct {
	Location string `header:"Location" doc:"Where the status is"`
	Body     tenancy.Registration
}

func showRegistration(r tenancy.Registration, err error) (*registrationOutput, error) {
	return &registrationOutput{Location: "/users/v1/tenant-registrations/" + r.ID.String(), Body: r}, err
}

// RegistrationDraft is a tenancy.RegistrationDraft whose schema says which
// redirect URIs a client may have.
type RegistrationDraft tenancy.RegistrationDraft

// TransformSchema implements huma.SchemaTransformer.
func (RegistrationDraft) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	rest.Text(s.Properties["redirect_uris"].Items, login.RedirectPattern, login.RedirectForm, login.MaxRedirect)
	return s
}

func (a *api) registerTenant(ctx context.Context, who identity.Caller, in *struct{ Body RegistrationDraft }) (*registrationOutput, error) {
	return showRegistration(a.tenancy.Register(ctx, who, tenancy.RegistrationDraft(in.Body)))
}

func (a *api) getRegistration(ctx context.Context, _ identity.Caller, in *ByID) (*registrationOutput, error) {
	r, err := a.tenancy.Registration(ctx, in.ID)
	return &registrationOutput{Body: r}, err
}

// VerificationDraft is the token of a mailed link with the password chosen.
type VerificationDraft struct {
	Token    string `json:"token" minLength:"1" maxLength:"200" doc:"From the mailed link" example:"AZmhssPUfl-KawAAAAAAAQ"`
	Password string `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 characters" example:"correct horse battery staple"`
}

func (a *api) verify(ctx context.Context, who identity.Caller, in *struct{ Body VerificationDraft }) (*registrationOutput, error) {
	return showRegistration(a.tenancy.Verify(ctx, who, in.Body.Token, in.Body.Password))
}

type tenantOutput struct{ Body tenancy.Tenant }

func (a *api) getTenant(ctx context.Context, who identity.Caller, _ *struct{}) (*tenantOutput, error) {
	t, err := a.tenancy.Tenant(ctx, who)
	return &tenantOutput{t}, err
}

type userOutput struct{ Body tenancy.User }

func (a *api) getMe(ctx context.Context, who identity.Caller, _ *struct{}) (*userOutput, error) {
	u, err := a.tenancy.Me(ctx, who)
	return &userOutput{u}, err
}

func (a *api) getUser(ctx context.Context, who identity.Caller, in *ByID) (*userOutput, error) {
	u, err := a.tenancy.User(ctx, who, in.ID)
	return &userOutput{u}, err
}

type userPage struct{ Body rest.Page[tenancy.User] }

func (a *api) listUsers(ctx context.Context, who identity.Caller, in *rest.PageInput) (*userPage, error) {
	r, err := a.cursors.Request(who, "users", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.tenancy.Users(ctx, who, r)
	return &userPage{rest.PageOf(a.cursors, who, "users", got)}, err
}
