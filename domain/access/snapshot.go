package access

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Snapshot is the whole policy of one tenant at one moment. Nobody changes it.
type Snapshot struct {
	Version     int64                  `json:"version" example:"1" doc:"Grows by one with each change; 0: nothing was ever set up"`
	Permissions []PermissionDefinition `json:"permissions" nullable:"false" doc:"What the tenant knows"`
	Roles       []Role                 `json:"roles" nullable:"false" doc:"The roles with what they hold"`
	Assignments []Assignment           `json:"assignments" nullable:"false" doc:"Who has which role"`
}

// Policy decides for one tenant at one version. It is immutable and safe for
// concurrent use.
type Policy interface {
	// Version is that of the snapshot which the policy was compiled from.
	Version() int64
	// Allows reports whether s holds p at that time: in the whole tenant or,
	// unless it is uuid.Nil, in the project. Nobody holds what the snapshot does not name.
	Allows(s Subject, p Permission, project uuid.UUID, at time.Time) bool
	// Projects returns those of which Allows would say so by a role that is given for
	// that project alone, in no order.
	Projects(s Subject, p Permission, at time.Time) []uuid.UUID
	// Held returns every permission for which Allows would say so, in no order.
	Held(s Subject, project uuid.UUID, at time.Time) []Permission
}

// Compiler makes the policy that a snapshot describes.
type Compiler func(Snapshot) (Policy, error)

// Policies gives the policy of a tenant that is in force.
type Policies interface {
	// Policy returns a policy that was in force within the last 250 ms, of that
	// version or a later one. It returns fault.Conflict if there is none so new,
	// and fault.Unavailable when nobody can tell.
	Policy(ctx context.Context, tenant identity.TenantID, least int64) (Policy, error)
	// Forget has the next Policy look anew: the tenant's has changed.
	Forget(tenant identity.TenantID)
}

// Decision is an answer, and the version of the policy that gave it.
type Decision struct {
	Allowed       bool  `json:"allowed" example:"true" doc:"Whether the subject holds the permission"`
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that decided"`
}

// ErrOlder says that the version of the policy that was asked for is not there yet.
func ErrOlder() error {
	return fault.New(fault.Conflict, "policy_is_older", "the policy has not reached this version")
}

// forbidden is one value, so that a denial costs no more than a permit.
var forbidden = fault.New(fault.Forbidden, "forbidden", "the policy does not allow this")

// ErrForbidden says that the policy gives the caller no such permission.
func ErrForbidden() error { return forbidden }

// Decide returns nil if p allows who to do at that time what perm names, in the
// project or, if that is uuid.Nil, in the whole tenant; else fault.Forbidden.
func Decide(p Policy, who identity.Caller, perm Permission, project uuid.UUID, at time.Time) error {
	if p.Allows(SubjectOf(who), perm, project, at) {
		return nil
	}
	return forbidden
}

func (s Snapshot) knows(p Permission) bool {
	return slices.ContainsFunc(s.Permissions, func(d PermissionDefinition) bool { return d.Name == p })
}

// index is what a tenant knows, by name.
type index struct {
	permissions map[Permission]bool
	roles       map[string]bool
}

func (s Snapshot) index() index {
	x := index{map[Permission]bool{}, map[string]bool{}}
	for _, d := range s.Permissions {
		x.permissions[d.Name] = true
	}
	for _, r := range s.Roles {
		x.roles[r.Name] = true
	}
	return x
}

func (s Snapshot) role(name string) (Role, bool) {
	return find(s.Roles, func(r Role) bool { return r.Name == name })
}

func (s Snapshot) roleByID(id uuid.UUID) (Role, error) {
	r, ok := find(s.Roles, func(r Role) bool { return r.ID == id })
	if !ok {
		return r, ErrNoRole()
	}
	return r, nil
}

func (s Snapshot) assignment(who Subject, role string, project uuid.UUID) (Assignment, bool) {
	return find(s.Assignments, func(a Assignment) bool {
		return a.Role == role && a.Project() == project && a.Subject() == who
	})
}

func find[T any](all []T, is func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	return found, false
}
