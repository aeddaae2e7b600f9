package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bailiwick.dev/domain/fault"
)

// MaxDocument bounds a tenant's policy, in bytes of the document that an export
// makes of it, so that whatever there is can be exported and imported again.
const MaxDocument = 8 << 20

// MaxValues bounds it in values of that document: no request takes more than
// 500,000.
const MaxValues = 490_000

// MaxOwnPermissions bounds those that a tenant makes: the platform's own come
// beside them, and a role holds maxPermissions.
const MaxOwnPermissions = 900

func (d Document) size() int {
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // there is nothing in it that JSON could not say
	}
	return len(raw)
}

// values returns how many JSON values d has at most.
func (d Document) values() int {
	n := 4 + 3*len(d.Permissions) + 6*len(d.Assignments)
	for _, r := range d.Roles {
		n += 5 + len(r.Parents) + len(r.Permissions)
	}
	return n
}

// fits returns fault.Conflict if d is larger than a policy may be.
func (d Document) fits() error {
	if d.values() > MaxValues || d.size() > MaxDocument {
		return fault.New(fault.Conflict, "policy_too_large", fmt.Sprintf("a tenant's whole policy, as it is exported, is at most %d MiB and %d values", MaxDocument>>20, MaxValues))
	}
	return nil
}

// room returns fault.Conflict if c makes s larger than a policy may be. What
// only removes something is let be.
func (s Snapshot) room(c Change, at time.Time) error {
	if c.After == nil {
		return nil
	}
	after := s.after(c).document(at)
	if whole, ok := c.After.(Document); ok {
		after = whole
	}
	err := after.fits()
	if err != nil {
		before := s.document(at)
		if after.size() <= before.size() && after.values() <= before.values() {
			return nil // what the platform declared has made it too large
		}
	}
	return err
}

// after returns s with what c, which concerns one thing, makes or changes.
func (s Snapshot) after(c Change) Snapshot {
	switch x := c.After.(type) {
	case Role:
		return s.with(x)
	case Assignment:
		s.Assignments = slices.Clone(s.Assignments)
		put(&s.Assignments, x, func(a Assignment) bool { return a.ID == x.ID })
	case PermissionDefinition:
		fresh := !s.knows(x.Name)
		s.Permissions, s.Roles = slices.Clone(s.Permissions), slices.Clone(s.Roles)
		put(&s.Permissions, x, func(p PermissionDefinition) bool { return p.ID == x.ID })
		for i, r := range s.Roles {
			if fresh && slices.Contains(holdAll, r.Name) {
				s.Roles[i].Permissions = append(slices.Clone(r.Permissions), x.Name)
			}
		}
	}
	return s
}
