package main

import (
	"context"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

func (a *api) registerPermissions(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-permission", Method: http.MethodPost, Path: "/v1/permissions", Tag: "permissions", Scope: scope, Status: http.StatusCreated, Errors: []int{409},
		Summary: "Create a permission", Description: "For a use of the tenant's own; owners and admins hold it at once.",
	}, a.createPermission)
	rest.Register(r, rest.Operation{
		ID: "list-permissions", Method: http.MethodGet, Path: "/v1/permissions", Tag: "permissions", Scope: scope,
		Summary: "List permissions", Description: "What the tenant knows: the platform's own and those it made.",
	}, a.listPermissions)
	rest.Register(r, rest.Operation{
		ID: "delete-permission", Method: http.MethodDelete, Path: "/v1/permissions/{id}", Tag: "permissions", Scope: scope, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Delete a permission", Description: "Only one of the tenant's own that no role holds but owner and admin.",
	}, a.deletePermission)
}

type permissionOutput struct{ Body access.PermissionDefinition }

func (a *api) createPermission(ctx context.Context, who identity.Caller, in *struct{ Body access.PermissionDraft }) (*permissionOutput, error) {
	p, err := a.access.CreatePermission(ctx, who, in.Body)
	return &permissionOutput{p}, err
}

type permissionPage struct {
	Body rest.Page[access.PermissionDefinition]
}

func (a *api) listPermissions(ctx context.Context, who identity.Caller, in *rest.PageInput) (*permissionPage, error) {
	r, err := a.cursors.Request(who, "permissions", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.access.Definitions(ctx, who, r)
	return &permissionPage{rest.PageOf(a.cursors, who, "permissions", got)}, err
}

func (a *api) deletePermission(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
	return nil, a.access.DeletePermission(ctx, who, in.ID)
}
