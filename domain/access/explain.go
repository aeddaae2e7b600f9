package access

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// What a subject lacks that does not hold a permission.
const (
	MissingPermission = "unknown_permission" // the tenant does not know it
	MissingRole       = "no_role"            // the subject has no role at all
	MissingInRoles    = "not_in_roles"       // none of the subject's roles holds it
	MissingHere       = "other_project"      // a role holds it that is for another project
	MissingNow        = "over"               // a role held it until a time that has passed
)

// Explanation says why a subject holds a permission, or what is missing.
type Explanation struct {
	Decision
	Grants  []Reason `json:"grants" nullable:"false" doc:"Each role that gives it; none if it is not held"`
	Missing string   `json:"missing,omitempty" enum:"unknown_permission,no_role,not_in_roles,other_project,over" example:"not_in_roles" doc:"Why it is not held: the tenant does not know the permission, the subject has no role, or none that holds it, or one for another project, or one that is over"`
	HeldBy  []string `json:"held_by" nullable:"false" example:"[\"member\"]" doc:"The roles that would give it"`
}

// Reason is a role that gives a permission, and over which roles.
type Reason struct {
	Assignment
	Path []string `json:"path" nullable:"false" example:"[\"boss\",\"member\"]" doc:"From the role that was given to the one that holds the permission itself"`
}

// Explain says why q is answered as it is, by the policy as it is now; errors as Check.
func (s *Service) Explain(ctx context.Context, who identity.Caller, q Question, least int64) (Explanation, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant, least)
	if err != nil {
		return Explanation{}, err
	}
	subject, err := about(policy, who, q, s.now())
	if err != nil {
		return Explanation{}, err
	}
	now, err := s.store.Snapshot(ctx, who.Tenant)
	if err != nil {
		return Explanation{}, err
	}
	return now.explain(subject, q.Permission, q.Project, s.now()), nil
}

func (s Snapshot) explain(who Subject, p Permission, project uuid.UUID, at time.Time) Explanation {
	paths := s.paths(p)
	e := Explanation{Decision: Decision{PolicyVersion: s.Version}, Grants: []Reason{}, HeldBy: []string{}, Missing: MissingRole}
	for _, r := range s.Roles {
		if paths[r.Name] != nil {
			e.HeldBy = append(e.HeldBy, r.Name)
		}
	}
	for _, a := range s.Assignments {
		if a.Subject() != who || who == (Subject{}) {
			continue
		}
		path, here := paths[a.Role], a.ProjectID == nil || *a.ProjectID == project
		switch {
		case path == nil:
			e.Missing = worse(e.Missing, MissingInRoles)
		case !here:
			e.Missing = worse(e.Missing, MissingHere)
		case !a.HoldsAt(at):
			e.Missing = worse(e.Missing, MissingNow)
		default:
			e.Grants = append(e.Grants, Reason{a, path})
		}
	}
	if !s.knows(p) {
		e.Missing = MissingPermission
	}
	if e.Allowed = len(e.Grants) > 0; e.Allowed {
		e.Missing = ""
	}
	return e
}

// worse returns what comes nearer to holding the permission.
func worse(a, b string) string {
	order := []string{MissingRole, MissingInRoles, MissingHere, MissingNow}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// paths returns, for each role that holds p, the shortest way from it to a role
// that holds p itself.
func (s Snapshot) paths(p Permission) map[string][]string {
	found := map[string][]string{}
	for _, r := range s.Roles {
		if slices.Contains(r.Permissions, p) {
			found[r.Name] = []string{r.Name}
		}
	}
	for more := len(found) > 0; more; { // each round reaches one generation further
		next := map[string][]string{}
		for _, r := range s.Roles {
			for _, parent := range r.Parents {
				if found[r.Name] == nil && found[parent] != nil {
					next[r.Name] = append([]string{r.Name}, found[parent]...)
				}
			}
		}
		for name, path := range next {
			found[name] = path
		}
		more = len(next) > 0
	}
	return found
}

// Holders lists who holds p everywhere or, unless it is uuid.Nil, in the
// project, and by which role; whoever has several such roles is there for each.
func (s *Service) Holders(ctx context.Context, who identity.Caller, p Permission, project uuid.UUID, r page.Request) (Listing[Reason], error) {
	return list(ctx, s, who, AssignmentsRead, project, func() (out page.Result[Reason], err error) {
		now, err := s.store.Snapshot(ctx, who.Tenant)
		if err != nil {
			return out, err
		}
		paths, roles := now.paths(p), []string{}
		for name := range paths {
			roles = append(roles, name)
		}
		held, err := s.store.Holders(ctx, who, roles, project, s.now(), r)
		for _, a := range held.Items {
			out.Items = append(out.Items, Reason{a, paths[a.Role]})
		}
		out.Next = held.Next
		return out, err
	})
}
