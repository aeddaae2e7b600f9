package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
)

// Proposal is a change of the policy that is only thought about: a list that it
// names takes the place of the tenant's own, as in an import; then single things
// are removed, and others are put.
type Proposal struct {
	Permissions *[]PermissionDraft    `json:"permissions,omitempty" nullable:"false" maxItems:"900" doc:"All that the tenant made; left out: as they are"`
	Roles       *[]RoleDraft          `json:"roles,omitempty" nullable:"false" maxItems:"2000" doc:"All roles; left out: as they are"`
	Assignments *[]DocumentAssignment `json:"assignments,omitempty" nullable:"false" maxItems:"200000" doc:"Who has which role; left out: as it is"`
	Drop        *PolicyDrop           `json:"drop,omitempty" doc:"What is then removed, with all that names it"`
	Put         *PolicyPut            `json:"put,omitempty" doc:"What is then made, or takes the place of what has its name"`
}

// PolicyDrop names single things that a Proposal removes.
type PolicyDrop struct {
	Permissions []Permission         `json:"permissions,omitempty" nullable:"false" maxItems:"100" example:"[\"invoices:read\"]" doc:"Of those that the tenant made"`
	Roles       []string             `json:"roles,omitempty" nullable:"false" maxItems:"100" example:"[\"manager\"]" doc:"Roles, by name"`
	Assignments []DocumentAssignment `json:"assignments,omitempty" nullable:"false" maxItems:"100" doc:"Roles that are taken away, whenever they would end"`
}

// PolicyPut is what a Proposal makes or replaces.
type PolicyPut struct {
	Permissions []PermissionDraft    `json:"permissions,omitempty" nullable:"false" maxItems:"100" doc:"Owners and admins hold new ones at once"`
	Roles       []RoleDraft          `json:"roles,omitempty" nullable:"false" maxItems:"100" doc:"Whole roles; who has one goes on having it"`
	Assignments []DocumentAssignment `json:"assignments,omitempty" nullable:"false" maxItems:"100" doc:"Roles that are given, or end at another time"`
}

// places says, of members of a document, where in the proposal they come from.
type places map[string]string

// on returns what d becomes. It returns fault.Invalid when something is to be
// removed that is not there.
func (p Proposal) on(d Document) (Document, places, error) {
	d.Permissions, d.Roles, d.Assignments = instead(d.Permissions, p.Permissions), instead(d.Roles, p.Roles), instead(d.Assignments, p.Assignments)
	var c fault.Check
	if p.Drop != nil {
		p.Drop.from(&d, &c)
	}
	at := places{}
	if p.Put != nil {
		p.Put.into(&d, at)
	}
	return d, at, c.Err()
}

// instead returns a copy of other, or of all if there is no other.
func instead[T any](all []T, other *[]T) []T {
	if other != nil {
		all = *other
	}
	return slices.Clone(all)
}

func (p PolicyDrop) from(d *Document, c *fault.Check) {
	for i, name := range p.Permissions {
		there := drop(&d.Permissions, func(x PermissionDraft) bool { return x.Name == name })
		c.That(there, fmt.Sprintf("/drop/permissions/%d", i), "unknown_permission", "the tenant made no such permission")
	}
	for i, name := range p.Roles {
		there := drop(&d.Roles, func(x RoleDraft) bool { return x.Name == name })
		c.That(there, fmt.Sprintf("/drop/roles/%d", i), "unknown_role", "the tenant has no role of this name")
		theirs := slices.ContainsFunc(d.Assignments, func(x DocumentAssignment) bool { return x.Role == name && isOurs(x.SubjectKind, x.SubjectID) })
		c.That(!theirs, fmt.Sprintf("/drop/roles/%d", i), keptCode, keptMessage)
		c.That(name != Owner, fmt.Sprintf("/drop/roles/%d", i), "owner_is_fixed", "the role owner stays")
		drop(&d.Assignments, func(x DocumentAssignment) bool { return x.Role == name })
	}
	for i, r := range d.Roles {
		d.Roles[i].Permissions = without(r.Permissions, p.Permissions...)
		d.Roles[i].Parents = slices.DeleteFunc(slices.Clone(r.Parents), func(name string) bool { return slices.Contains(p.Roles, name) })
	}
	for i, a := range p.Assignments {
		there := drop(&d.Assignments, a.same)
		c.That(there, fmt.Sprintf("/drop/assignments/%d", i), "unknown_assignment", "the subject does not have this role there")
		c.That(!there || !isOurs(a.SubjectKind, a.SubjectID), fmt.Sprintf("/drop/assignments/%d", i), keptCode, keptMessage)
	}
}

func (p PolicyPut) into(d *Document, at places) {
	for i, x := range p.Permissions {
		known := len(d.Permissions)
		at.note("permissions", put(&d.Permissions, x, func(y PermissionDraft) bool { return y.Name == x.Name }), i)
		if len(d.Permissions) == known {
			continue
		}
		for j, r := range d.Roles {
			if slices.Contains(holdAll, r.Name) {
				d.Roles[j].Permissions = append(slices.Clone(r.Permissions), x.Name)
			}
		}
	}
	for i, x := range p.Roles {
		at.note("roles", put(&d.Roles, x, func(y RoleDraft) bool { return y.Name == x.Name }), i)
	}
	for i, x := range p.Assignments {
		at.note("assignments", put(&d.Assignments, x, x.same), i)
	}
}

func (at places) note(list string, in, from int) {
	at[fmt.Sprintf("/%s/%d", list, in)] = fmt.Sprintf("/put/%s/%d", list, from)
}

// point has a fault of the document point at what in the proposal it is about.
func (at places) point(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	moved := *f
	moved.Fields = slices.Clone(f.Fields)
	for i, x := range moved.Fields {
		parts := strings.SplitN(x.Pointer, "/", 4)
		member := strings.Join(parts[:min(3, len(parts))], "/")
		if from, ok := at[member]; ok {
			moved.Fields[i].Pointer = from + strings.TrimPrefix(x.Pointer, member)
		}
	}
	return &moved
}

// same reports whether a and other give the same subject the same role in the same place.
func (a DocumentAssignment) same(other DocumentAssignment) bool {
	subject := a.SubjectID == other.SubjectID || a.SubjectKind == KindUser && strings.EqualFold(a.SubjectID, other.SubjectID)
	return subject && a.SubjectKind == other.SubjectKind && a.Role == other.Role && a.project() == other.project()
}

func (a DocumentAssignment) project() uuid.UUID { return Assignment{ProjectID: a.ProjectID}.Project() }

// drop removes what is chosen and reports whether there was anything.
func drop[T any](all *[]T, chosen func(T) bool) bool {
	n := len(*all)
	*all = slices.DeleteFunc(*all, chosen)
	return len(*all) < n
}

// put has x take the place of what is the same, or adds it, and returns where it is.
func put[T any](all *[]T, x T, same func(T) bool) int {
	i := slices.IndexFunc(*all, same)
	if i < 0 {
		*all = append(*all, x)
		return len(*all) - 1
	}
	(*all)[i] = x
	return i
}
