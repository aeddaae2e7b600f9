// Package access says who may do what: permissions, the roles that hold them,
// and the assignments that give roles to people and clients of one tenant.
package access

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Permission is a "resource:action" that a role can hold.
type Permission string

// The permissions of the authorization service's own operations. Each service
// names those of its own beside what it declares.
const (
	RolesRead        Permission = "roles:read"
	RolesWrite       Permission = "roles:write"
	AssignmentsRead  Permission = "assignments:read"
	AssignmentsWrite Permission = "assignments:write"
)

// Gate decides, in microseconds, whether a caller may do something.
type Gate interface {
	// Allow returns nil if who's tenant gives who the permission p,
	// fault.Forbidden if it does not, and fault.Unavailable if nobody can
	// tell: no decision means no.
	Allow(ctx context.Context, who identity.Caller, p Permission) error
	// AllowIn is Allow for something in one project: roles that are given for
	// that project alone count too.
	AllowIn(ctx context.Context, who identity.Caller, p Permission, project uuid.UUID) error
	// Projects returns those for which roles, given for one project alone, give who
	// the permission p; fault.Unavailable if nobody can tell.
	Projects(ctx context.Context, who identity.Caller, p Permission) ([]uuid.UUID, error)
}

// PermissionDefinition is a permission that a tenant knows: one of the
// platform's own, or one that the tenant made for a use of its own.
type PermissionDefinition struct {
	ID          uuid.UUID  `json:"id" format:"uuid" doc:"The permission's id"`
	Name        Permission `json:"name" example:"tasks:read" doc:"resource:action; names are data, without wildcards"`
	Description string     `json:"description" example:"See invoices" doc:"What holding it allows"`
	Builtin     bool       `json:"builtin" example:"false" doc:"Belongs to the platform and cannot be changed"`
	Version     int64      `json:"version" example:"1" doc:"The version that the ETag names"`
	CreatedAt   time.Time  `json:"created_at" doc:"When the tenant came to know it"`
}

// PermissionDraft is what a new permission is made of.
type PermissionDraft struct {
	Name        Permission `json:"name" minLength:"3" maxLength:"100" pattern:"^[^:]+:[\\s\\S]" example:"invoices:read" doc:"resource:action"`
	Description string     `json:"description,omitempty" maxLength:"500" example:"See invoices" doc:"What holding it allows"`
}

// PermissionPatch names what of a permission changes; nil keeps it.
type PermissionPatch struct{ Description *string }

// PermissionFilter narrows a list of permissions; empty fields do not.
type PermissionFilter struct {
	Name     Permission `query:"name" maxLength:"100" doc:"Only the permission with this name"`
	Resource string     `query:"resource" maxLength:"100" doc:"Only those of this resource, the part before the colon"`
	Origin   string     `query:"origin" enum:"platform,tenant" doc:"Only the platform's own, or only those that the tenant made"`
	role     uuid.UUID
}

// Role returns the role whose permissions are asked for, or uuid.Nil.
func (f PermissionFilter) Role() uuid.UUID { return f.role }

// Matches reports whether f chooses d, as far as no role is asked for.
func (f PermissionFilter) Matches(d PermissionDefinition) bool {
	resource, _, _ := strings.Cut(string(d.Name), ":")
	return (f.Name == "" || f.Name == d.Name) && (f.Resource == "" || f.Resource == resource) && (f.Origin == "" || d.Builtin == (f.Origin == "platform"))
}

func (d PermissionDraft) check() error {
	var c fault.Check
	checkText(&c, "/name", string(d.Name), 3, maxName)
	resource, action, _ := strings.Cut(string(d.Name), ":")
	c.That(resource != "" && action != "", "/name", "malformed", "a permission is named resource:action")
	checkText(&c, "/description", d.Description, 0, maxDescription)
	return c.Err()
}
