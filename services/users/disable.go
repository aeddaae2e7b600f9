package main

import (
	"context"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

func (a *api) registerDisabling(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "disable-user", Method: http.MethodPost, Path: "/v1/users/{id}/disable", Tag: "users", Scope: scope, Needs: rest.Needs{tenancy.UsersWrite}, Errors: []int{404, 409},
		Summary: "Disable a person", Description: "Ends the person's sessions and refresh tokens at once, and their access tokens in every service within two seconds. Again it changes nothing. Nobody disables themselves, or a person who holds tenant:write: take that role away first.",
	}, a.disableUser)
	rest.Register(r, rest.Operation{
		ID: "enable-user", Method: http.MethodPost, Path: "/v1/users/{id}/enable", Tag: "users", Scope: scope, Needs: rest.Needs{tenancy.UsersWrite}, Errors: []int{404},
		Summary: "Enable a person", Description: "Lets a person who was disabled log in again. Again it changes nothing.",
	}, a.enableUser)
	for name, do := range map[string]func(context.Context, identity.TenantID) error{"suspend": a.suspend, "resume": a.resume} {
		rest.Register(r, rest.Operation{ID: "platform-" + name + "-tenant", Method: http.MethodPost, Path: "/v1/platform/tenant/" + name, Status: http.StatusNoContent, Internal: true},
			func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
				return nil, do(ctx, who.Tenant)
			})
	}
}

func (a *api) disableUser(ctx context.Context, who identity.Caller, in *ByID) (*userOutput, error) {
	u, err := a.tenancy.Disable(ctx, who, in.ID)
	return &userOutput{u}, err
}

func (a *api) enableUser(ctx context.Context, who identity.Caller, in *ByID) (*userOutput, error) {
	u, err := a.tenancy.Enable(ctx, who, in.ID)
	return &userOutput{u}, err
}

func (a *api) suspend(ctx context.Context, tenant identity.TenantID) error {
	return a.tenancy.Suspend(ctx, tenant)
}

func (a *api) resume(ctx context.Context, tenant identity.TenantID) error {
	return a.tenancy.Resume(ctx, tenant)
}
