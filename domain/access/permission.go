// Package access says who may do what: permissions, the roles that hold them,
// and the assignments that give roles to people and clients of one tenant.
package access

import (
	"context"

	"bailiwick.dev/domain/identity"
)

// Permission is a "resource:action" that a role can hold.
type Permission string

// The permissions of the platform's own operations.
const (
	ProjectsRead     Permission = "projects:read"
	ProjectsWrite    Permission = "projects:write"
	TasksRead        Permission = "tasks:read"
	TasksWrite       Permission = "tasks:write"
	TasksDelete      Permission = "tasks:delete"
	CommentsWrite    Permission = "comments:write"
	ReportsRead      Permission = "reports:read"
	ReportsCreate    Permission = "reports:create"
	UsersRead        Permission = "users:read"
	UsersInvite      Permission = "users:invite"
	RolesRead        Permission = "roles:read"
	RolesWrite       Permission = "roles:write"
	AssignmentsRead  Permission = "assignments:read"
	AssignmentsWrite Permission = "assignments:write"
	ClientsRead      Permission = "clients:read"
	ClientsWrite     Permission = "clients:write"
	TenantRead       Permission = "tenant:read"
	TenantWrite      Permission = "tenant:write"
)

// Gate decides, in microseconds, whether a caller may do something.
type Gate interface {
	// Allow returns nil if who's tenant gives who the permission p,
	// fault.Forbidden if it does not, and fault.Unavailable if nobody can
	// tell: no decision means no.
	Allow(ctx context.Context, who identity.Caller, p Permission) error
}
