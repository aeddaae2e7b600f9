package access

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
)

// Document is a tenant's whole policy as one text. Roles and permissions are
// the same as before if they have the same name.
type Document struct {
	Permissions []PermissionDraft    `json:"permissions" nullable:"false" maxItems:"900" doc:"Those that the tenant made; the platform's own are there anyway"`
	Roles       []RoleDraft          `json:"roles" nullable:"false" minItems:"1" maxItems:"2000" doc:"All roles. owner holds every permission"`
	Assignments []DocumentAssignment `json:"assignments" nullable:"false" maxItems:"200000" doc:"Who has which role"`
}

// DocumentAssignment says who has which role.
type DocumentAssignment struct {
	SubjectKind string     `json:"subject_kind" enum:"user,client" example:"user" doc:"user or client"`
	SubjectID   string     `json:"subject_id" minLength:"1" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"The user's id or the client_id"`
	Role        string     `json:"role" minLength:"1" maxLength:"100" example:"member" doc:"The role's name"`
	ProjectID   *uuid.UUID `json:"project_id,omitempty" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"Left out: the whole tenant"`
	Until       *time.Time `json:"until,omitempty" example:"2030-01-01T00:00:00Z" doc:"Left out: without end"`
}

// document returns s as it is at that time: what is over is left out.
func (s Snapshot) document(at time.Time) Document {
	d := Document{Permissions: []PermissionDraft{}, Roles: []RoleDraft{}, Assignments: []DocumentAssignment{}}
	for _, p := range s.Permissions {
		if !p.Builtin {
			d.Permissions = append(d.Permissions, PermissionDraft{p.Name, p.Description})
		}
	}
	for _, r := range s.Roles {
		d.Roles = append(d.Roles, RoleDraft{r.Name, r.Description, r.Parents, r.Permissions})
	}
	for _, a := range s.Assignments {
		if a.HoldsAt(at) {
			d.Assignments = append(d.Assignments, DocumentAssignment{a.SubjectKind, a.SubjectID, a.Role, a.ProjectID, a.Until})
		}
	}
	return d
}

// replace returns the policy that d describes in the place of s: what is the
// same keeps its id and version. It returns fault.Invalid, which points at all
// that is wrong in d, or fault.Conflict as Snapshot.hierarchy does.
func (s Snapshot) replace(d Document, at time.Time, newID func() uuid.UUID) (Snapshot, error) {
	next := Snapshot{Version: s.Version}
	var c fault.Check
	next.Permissions = s.replacePermissions(&c, d.Permissions, at, newID)
	for _, r := range d.Roles {
		next.Roles = append(next.Roles, s.replaceRole(r, at, newID))
	}
	checkRoles(&c, d.Roles, next)
	next.Assignments = s.replaceAssignments(&c, d, at, newID)
	if err := c.Err(); err != nil {
		return next, err
	}
	return next, next.hierarchy()
}

func (s Snapshot) replacePermissions(c *fault.Check, ds []PermissionDraft, at time.Time, newID func() uuid.UUID) (all []PermissionDefinition) {
	known := map[Permission]PermissionDefinition{}
	for _, p := range s.Permissions {
		known[p.Name] = p
		if p.Builtin {
			all = append(all, p)
		}
	}
	c.That(len(ds) <= MaxOwnPermissions, "/permissions", "too_many", fmt.Sprintf("at most %d permissions", MaxOwnPermissions))
	seen := map[Permission]bool{}
	for i, d := range ds {
		where := fmt.Sprintf("/permissions/%d", i)
		c.Within(where, d.check())
		p, ok := known[d.Name]
		c.That(!p.Builtin, where+"/name", "permission_is_builtin", "the platform's own permissions are there anyway")
		c.That(!seen[d.Name], where+"/name", "duplicate", "two permissions have this name")
		seen[d.Name] = true
		switch {
		case !ok:
			p = PermissionDefinition{ID: newID(), Name: d.Name, Version: 1, CreatedAt: at}
		case p.Description != d.Description:
			p.Version++
		}
		p.Description = d.Description
		all = append(all, p)
	}
	return all
}

func (s Snapshot) replaceRole(d RoleDraft, at time.Time, newID func() uuid.UUID) Role {
	next := d.role().normal()
	next.CreatedAt, next.UpdatedAt = at, at
	before, ok := s.role(d.Name)
	switch {
	case !ok:
		next.ID = newID()
	case before.same(next):
		return before
	default:
		next.ID, next.CreatedAt, next.Version = before.ID, before.CreatedAt, before.Version+1
	}
	return next
}

// checkRoles checks each role of next as if it were made alone.
func checkRoles(c *fault.Check, ds []RoleDraft, next Snapshot) {
	seen, known := map[string]bool{}, next.index()
	for i, r := range next.Roles {
		at := fmt.Sprintf("/roles/%d", i)
		c.Within(at, ds[i].role().check(known))
		c.That(!seen[r.Name], at+"/name", "duplicate", "two roles have this name")
		c.That(r.Name != Owner || len(r.Parents) == 0 && len(r.Permissions) == len(next.Permissions), at+"/permissions", "owner_is_fixed", "the role owner holds every permission, itself")
		seen[r.Name] = true
	}
	c.That(len(next.Roles) <= MaxRoles, "/roles", "too_many", fmt.Sprintf("at most %d roles", MaxRoles))
	c.That(seen[Owner], "/roles", "owner_is_fixed", "the role owner stays")
}

func (s Snapshot) replaceAssignments(c *fault.Check, d Document, at time.Time, newID func() uuid.UUID) (all []Assignment) {
	roles, before, seen := map[string]bool{}, map[string]Assignment{}, map[string]bool{}
	for _, r := range d.Roles {
		roles[r.Name] = true
	}
	for _, a := range s.Assignments {
		before[a.key()] = a
	}
	for i, x := range d.Assignments {
		where := fmt.Sprintf("/assignments/%d", i)
		subject, err := ParseSubject(x.SubjectKind, x.SubjectID)
		c.Within(where, err)
		c.That(roles[x.Role], where+"/role", "unknown_role", "the document has no role of this name")
		c.That(x.Until == nil || x.Until.Before(Forever), where+"/until", "out_of_range", "a role ends before the year 9999 does")
		a := Assignment{SubjectKind: x.SubjectKind, SubjectID: subject.ID(), Role: x.Role, Version: 1, CreatedAt: at}
		if x.ProjectID != nil && *x.ProjectID != uuid.Nil {
			a.ProjectID = x.ProjectID
		}
		c.That(!seen[a.key()], where, "duplicate", "the subject has this role twice")
		seen[a.key()] = true
		old, ok := before[a.key()]
		if ok {
			a = old
		} else {
			a.ID = newID()
		}
		if a.Until = nil; x.Until != nil {
			until := x.Until.UTC().Truncate(time.Microsecond)
			a.Until = &until
		}
		if same := ok && a.End().Equal(old.End()); !same {
			c.That(!isOurs(a.SubjectKind, a.SubjectID) || a.seeded(), where, keptCode, keptMessage)
			if ok {
				a.Version++
			}
		}
		all = append(all, a)
	}
	return append(all, s.keepOurs(c, seen, roles, at)...)
}

// key is what there is at most one assignment of.
func (a Assignment) key() string {
	return fmt.Sprintf("%s %q %q %s", a.SubjectKind, a.SubjectID, a.Role, a.Project())
}

// byDepth returns roles so that each comes after those it inherits from.
func (s Snapshot) byDepth() (all []Role) {
	roles, seen := s.byName().roles, map[string]bool{}
	var visit func(r Role)
	visit = func(r Role) {
		if seen[r.Name] {
			return
		}
		seen[r.Name] = true
		for _, parent := range r.Parents {
			visit(roles[parent])
		}
		all = append(all, r)
	}
	for _, r := range s.Roles {
		visit(r)
	}
	return all
}
