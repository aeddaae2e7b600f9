package access

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Store keeps the policies of all tenants, each behind its own wall.
type Store interface {
	// Snapshot returns the whole policy as of one moment, never a mixture of
	// two. A tenant that has none has the empty one, of version 0.
	Snapshot(ctx context.Context, tenant identity.TenantID) (Snapshot, error)
	// Version returns the version that Snapshot would have, read after it was asked for.
	Version(ctx context.Context, tenant identity.TenantID) (int64, error)
	// Versions is Version for many tenants; those that have no policy are left out.
	Versions(ctx context.Context, tenants []identity.TenantID) (map[identity.TenantID]int64, error)
	// Change hands edit the policy as it is and stores, as one transaction,
	// what edit writes, the next version and the change that edit returns, and
	// wakes those who wait for changes.
	// Changes of one tenant wait for one another, until ctx ends or for so long that
	// it is fault.Unavailable: the policy that edit sees is
	// the one that it changes. Nothing happens when edit fails, and the version
	// stays when it returns nil. result points at what edit fills in; when who's Idempotency-Key was
	// used before for the same request, edit is not called and result is
	// filled with what it was then.
	Change(ctx context.Context, who identity.Caller, result any, edit func(now Snapshot, w Writer) (*Change, error)) error
	// Replace is Change for an edit of the whole policy, which takes long. Of all
	// tenants only so many are made at once that a Change need not wait for them;
	// the others wait in turn.
	Replace(ctx context.Context, who identity.Caller, result any, edit func(now Snapshot, w Writer) (*Change, error)) error
	// Erase removes everything that is kept of the tenant, if there is anything.
	Erase(ctx context.Context, tenant identity.TenantID) error

	Registry

	// Roles lists roles, newest last, and Role returns one, or fault.NotFound.
	Roles(ctx context.Context, who identity.Caller, f RoleFilter, r page.Request) (page.Result[Role], error)
	Role(ctx context.Context, who identity.Caller, id uuid.UUID) (Role, error)
	// Definitions lists the permissions that the tenant knows, and Definition
	// returns one, or fault.NotFound.
	Definitions(ctx context.Context, who identity.Caller, f PermissionFilter, r page.Request) (page.Result[PermissionDefinition], error)
	Definition(ctx context.Context, who identity.Caller, id uuid.UUID) (PermissionDefinition, error)
	// Assignments lists who has which role, and Assignment returns one, or fault.NotFound.
	Assignment(ctx context.Context, who identity.Caller, id uuid.UUID) (Assignment, error)
	Assignments(ctx context.Context, who identity.Caller, f AssignmentFilter, r page.Request) (page.Result[Assignment], error)
	// Holders lists who has one of the roles at that time, everywhere or, unless
	// it is uuid.Nil, in the project.
	Holders(ctx context.Context, who identity.Caller, roles []string, project uuid.UUID, at time.Time, r page.Request) (page.Result[Assignment], error)
	// Changes lists what happened after the version since, oldest first. A page
	// may be shorter than asked for and yet not the last.
	Changes(ctx context.Context, who identity.Caller, since int64, r page.Request) (page.Result[Change], error)
}

// Registry keeps what our services declare, which is of no tenant.
type Registry interface {
	// Declare adds a service's permissions or changes their descriptions and
	// returns whether there was anything to do. It returns fault.Conflict, and
	// does nothing, when another service declared one.
	Declare(ctx context.Context, service string, all []Declared) (news bool, err error)
	// Declared returns all that services declared, by name.
	Declared(ctx context.Context) ([]Declared, error)
	// Behind returns some tenants that have a policy but not all that was declared.
	Behind(ctx context.Context, limit int) ([]identity.TenantID, error)
}

// ErrDeclared says that another service declared a permission.
func ErrDeclared() error {
	return fault.New(fault.Conflict, "permission_exists", "another service declared this permission")
}

// Writer takes what a change does. It happens, in this order, after edit.
type Writer interface {
	PutPermission(d PermissionDefinition)
	DropPermission(d PermissionDefinition)
	// PutRole replaces the whole role of this id, its permissions too. A new name
	// raises the versions of those that inherit from it and of who has it, which show it.
	PutRole(r Role)
	DropRole(r Role)
	PutAssignment(a Assignment)
	DropAssignment(a Assignment)
}

// PolicyImported is the Action of a change that may be of everything at once.
const PolicyImported = "policy.imported"

// Change is what happened to a policy between a version and the one before.
type Change struct {
	Version int64     `json:"version" example:"7" doc:"The version that it made"` // this and the next two are the store's to fill in
	At      time.Time `json:"at" doc:"When"`
	By      string    `json:"by" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"Who: the kind and the id of a subject"`
	Action  string    `json:"action" example:"role.updated" doc:"What was done"`
	Before  any       `json:"before" doc:"What there was; null: nothing"`
	After   any       `json:"after" doc:"What there is; null: nothing"`
}

// Key is c's place in a list of changes.
func (c Change) Key() page.Key { return page.Key{At: c.At, Sort: strconv.FormatInt(c.Version, 10)} }

// Since returns the version that a page of changes begins after.
func Since(since int64, r page.Request) int64 {
	if v, err := strconv.ParseInt(r.After.Sort, 10, 64); err == nil {
		return max(since, v)
	}
	return since
}

// ErrNoPermission says that the tenant knows no such permission.
func ErrNoPermission() error {
	return fault.New(fault.NotFound, "permission_not_found", "there is no such permission")
}

// ErrNoAssignment says that the tenant has no such assignment.
func ErrNoAssignment() error {
	return fault.New(fault.NotFound, "assignment_not_found", "there is no such assignment")
}

// ErrNoRole says that the tenant has no such role; it tells nothing of others.
func ErrNoRole() error { return fault.New(fault.NotFound, "role_not_found", "there is no such role") }
