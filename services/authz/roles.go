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

func (a *api) registerRoles(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-role", Method: http.MethodPost, Path: "/v1/roles", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Status: http.StatusCreated, Errors: []int{409},
		Summary: "Create a role", Description: "A role holds nothing that its maker lacks. Only who holds everything names one viewer, member, manager or admin.",
	}, a.createRole)
	rest.Register(r, rest.Operation{
		ID: "list-roles", Method: http.MethodGet, Path: "/v1/roles", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesRead},
		Summary: "List roles", Description: "Roles of the tenant with what they hold, oldest first; those of one name, parent or permission if that is named.",
	}, a.listRoles)
	rest.Register(r, rest.Operation{
		ID: "get-role", Method: http.MethodGet, Path: "/v1/roles/{id}", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesRead}, Errors: []int{404},
		Summary: "Read a role", Description: "The ETag names its version.",
	}, a.getRole)
	rest.Register(r, rest.Operation{
		ID: "update-role", Method: http.MethodPatch, Path: "/v1/roles/{id}", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Rename or redescribe a role, or have it inherit", Description: "A merge patch (RFC 7396): what it does not name stays. A role inherits over at most 10 roles and never from itself. Only who holds everything renames one to viewer, member, manager or admin.",
	}, a.updateRole)
	rest.Register(r, rest.Operation{
		ID: "delete-role", Method: http.MethodDelete, Path: "/v1/roles/{id}", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Status: http.StatusNoContent, Errors: []int{404, 409, 412, 428},
		Summary: "Delete a role", Description: "Only one that nobody has and no role inherits from.",
	}, a.deleteRole)
	rest.Register(r, rest.Operation{
		ID: "list-role-permissions", Method: http.MethodGet, Path: "/v1/roles/{id}/permissions", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesRead}, Errors: []int{404},
		Summary: "List what a role holds itself", Description: "In the order in which the tenant came to know the permissions. The version to change them from is the role's.",
	}, a.listRolePermissions)
	rest.Register(r, rest.Operation{
		ID: "give-role-permission", Method: http.MethodPut, Path: "/v1/roles/{id}/permissions/{permission}", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Add to what a role holds", Description: "One permission, beside the others.",
	}, a.givePermission)
	rest.Register(r, rest.Operation{
		ID: "take-role-permission", Method: http.MethodDelete, Path: "/v1/roles/{id}/permissions/{permission}", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Take from what a role holds", Description: "One permission; the others stay. It is enforced everywhere within a second.",
	}, a.takePermission)
	rest.Register(r, rest.Operation{
		ID: "set-role-permissions", Method: http.MethodPut, Path: "/v1/roles/{id}/permissions", Tag: "roles", Scope: scope, Needs: rest.Needs{access.RolesWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Replace what a role holds", Description: "If-Match names the role's version, as its ETag does. It is enforced everywhere within a second.",
	}, a.setPermissions)
}

type roleOutput struct {
	Tagged
	Location string `header:"Location" doc:"Where it is, when it was created"`
	Body     access.RoleAnswer
}

func showRole(r access.RoleAnswer, err error) (*roleOutput, error) {
	return &roleOutput{Tagged: Tagged{rest.ETag(r.Version), r.PolicyVersion}, Body: r}, err
}

func (a *api) createRole(ctx context.Context, who identity.Caller, in *struct{ Body access.RoleDraft }) (*roleOutput, error) {
	out, err := showRole(a.access.CreateRole(ctx, who, in.Body))
	out.Location = "/authz/v1/roles/" + out.Body.ID.String()
	return out, err
}

type listRolesInput struct {
	rest.PageInput
	access.RoleFilter
}

type rolePage struct{ Body Listing[access.Role] }

func (a *api) listRoles(ctx context.Context, who identity.Caller, in *listRolesInput) (*rolePage, error) {
	got, err := listed(a, who, fmt.Sprintf("roles %q", in.RoleFilter), in.PageInput, func(r page.Request) (access.Listing[access.Role], error) {
		return a.access.Roles(ctx, who, in.RoleFilter, r)
	})
	return &rolePage{got}, err
}

type listRolePermissionsInput struct {
	ByID
	rest.PageInput
}

func (a *api) listRolePermissions(ctx context.Context, who identity.Caller, in *listRolePermissionsInput) (*permissionPage, error) {
	got, err := listed(a, who, "permissions of "+in.ID.String(), in.PageInput, func(r page.Request) (access.Listing[access.PermissionDefinition], error) {
		return a.access.RolePermissions(ctx, who, in.ID, r)
	})
	return &permissionPage{got}, err
}

type rolePermission struct {
	Versioned
	Permission access.Permission `path:"permission" minLength:"3" maxLength:"100" example:"tasks:read"`
}

func (a *api) givePermission(ctx context.Context, who identity.Caller, in *rolePermission) (*roleOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	out, err := showRole(a.access.GivePermission(ctx, who, in.ID, version, in.Permission))
	return out, inAddress(err, "permission")
}

func (a *api) takePermission(ctx context.Context, who identity.Caller, in *rolePermission) (*roleOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showRole(a.access.TakePermission(ctx, who, in.ID, version, in.Permission))
}

func (a *api) getRole(ctx context.Context, who identity.Caller, in *ByID) (*roleOutput, error) {
	return showRole(a.access.Role(ctx, who, in.ID))
}

// RolePatch is a merge patch of a role.
type RolePatch struct {
	Name        rest.Optional[string]   `json:"name,omitempty" minLength:"1" maxLength:"100" pattern:"[^.]|\\.{3}" example:"bookkeeper" doc:"Unique within the tenant"`
	Description rest.Optional[string]   `json:"description,omitempty" maxLength:"500" example:"Keeps the books" doc:"Whom the role is for"`
	Parents     rest.Optional[[]string] `json:"parents,omitempty" maxItems:"100" example:"[\"viewer\"]" doc:"All the roles whose permissions it shall hold too"`
}

// named returns what a patch gives a field, or nil.
func named[T any](o rest.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.To
}

type updateRoleInput struct {
	ByID
	rest.IfMatch
	Body RolePatch
}

func (a *api) updateRole(ctx context.Context, who identity.Caller, in *updateRoleInput) (*roleOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showRole(a.access.UpdateRole(ctx, who, in.ID, version,
		access.RolePatch{Name: named(in.Body.Name), Description: named(in.Body.Description), Parents: named(in.Body.Parents)}))
}

func (a *api) deleteRole(ctx context.Context, who identity.Caller, in *Versioned) (*gone, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showGone(a.access.DeleteRole(ctx, who, in.ID, version))
}

type setPermissionsInput struct {
	ByID
	rest.IfMatch
	Body RolePermissions
}

// RolePermissions is all that a role shall hold.
type RolePermissions struct {
	Permissions []access.Permission `json:"permissions" nullable:"false" maxItems:"1000" example:"[\"tasks:read\"]" doc:"All that the role shall hold"`
}

func (a *api) setPermissions(ctx context.Context, who identity.Caller, in *setPermissionsInput) (*roleOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showRole(a.access.SetPermissions(ctx, who, in.ID, version, in.Body.Permissions))
}
