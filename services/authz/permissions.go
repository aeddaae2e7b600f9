package main

import (
	"context"
	"fmt"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

func (a *api) registerPermissions(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-permission", Method: http.MethodPost, Path: "/v1/permissions", Tag: "permissions", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Status: http.StatusCreated, Errors: []int{409},
		Summary: "Create a permission", Description: "For a use of the tenant's own; owners and admins hold it at once.",
	}, a.createPermission)
	rest.Register(r, rest.Operation{
		ID: "list-permissions", Method: http.MethodGet, Path: "/v1/permissions", Tag: "permissions", Scope: scope, Needs: rest.Needs{access.RolesRead},
		Summary: "List permissions", Description: "What the tenant knows: the platform's own and those it made; of one name, resource or origin if that is named.",
	}, a.listPermissions)
	rest.Register(r, rest.Operation{
		ID: "get-permission", Method: http.MethodGet, Path: "/v1/permissions/{id}", Tag: "permissions", Scope: scope, Needs: rest.Needs{access.RolesRead}, Errors: []int{404},
		Summary: "Read a permission", Description: "The ETag names its version.",
	}, a.getPermission)
	rest.Register(r, rest.Operation{
		ID: "update-permission", Method: http.MethodPatch, Path: "/v1/permissions/{id}", Tag: "permissions", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Redescribe a permission", Description: "Only one of the tenant's own; its name stays, as programs ask for it.",
	}, a.updatePermission)
	rest.Register(r, rest.Operation{
		ID: "delete-permission", Method: http.MethodDelete, Path: "/v1/permissions/{id}", Tag: "permissions", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Status: http.StatusNoContent, Errors: []int{404, 409, 412, 428},
		Summary: "Delete a permission", Description: "Only one of the tenant's own that no role holds but owner and admin.",
	}, a.deletePermission)
}

type permissionOutput struct {
	Tagged
	Location string `header:"Location" doc:"Where it is, when it was created"`
	Body     access.PermissionAnswer
}

func showPermission(p access.PermissionAnswer, err error) (*permissionOutput, error) {
	return &permissionOutput{Tagged: Tagged{rest.ETag(p.Version), p.PolicyVersion}, Body: p}, err
}

func (a *api) createPermission(ctx context.Context, who identity.Caller, in *struct{ Body access.PermissionDraft }) (*permissionOutput, error) {
	out, err := showPermission(a.access.CreatePermission(ctx, who, in.Body))
	out.Location = "/authz/v1/permissions/" + out.Body.ID.String()
	return out, err
}

type listPermissionsInput struct {
	rest.PageInput
	access.PermissionFilter
}

type permissionPage struct {
	Body Listing[access.PermissionDefinition]
}

func (a *api) listPermissions(ctx context.Context, who identity.Caller, in *listPermissionsInput) (*permissionPage, error) {
	f := in.PermissionFilter
	got, err := listed(a, who, fmt.Sprintf("permissions %q %q %q", f.Name, f.Resource, f.Origin), in.PageInput, func(r page.Request) (access.Listing[access.PermissionDefinition], error) {
		return a.access.Definitions(ctx, who, f, r)
	})
	return &permissionPage{got}, err
}

func (a *api) getPermission(ctx context.Context, who identity.Caller, in *ByID) (*permissionOutput, error) {
	return showPermission(a.access.Definition(ctx, who, in.ID))
}

// PermissionPatch is a merge patch of a permission.
type PermissionPatch struct {
	Description rest.Optional[string] `json:"description,omitempty" maxLength:"500" example:"See invoices" doc:"What holding it allows"`
}

type updatePermissionInput struct {
	Versioned
	Body PermissionPatch
}

func (a *api) updatePermission(ctx context.Context, who identity.Caller, in *updatePermissionInput) (*permissionOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showPermission(a.access.UpdatePermission(ctx, who, in.ID, version, access.PermissionPatch{Description: named(in.Body.Description)}))
}

func (a *api) deletePermission(ctx context.Context, who identity.Caller, in *Versioned) (*gone, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showGone(a.access.DeletePermission(ctx, who, in.ID, version))
}
