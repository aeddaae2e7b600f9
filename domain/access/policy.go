package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// DocumentAnswer is a tenant's whole policy, and its version.
type DocumentAnswer struct {
	Document
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that was seen or made"`
}

// Export returns the policy as one document.
func (s *Service) Export(ctx context.Context, who identity.Caller) (DocumentAnswer, error) {
	if _, err := s.allow(ctx, who, AssignmentsRead, uuid.Nil); err != nil {
		return DocumentAnswer{}, err
	}
	now, err := s.store.Snapshot(ctx, who.Tenant)
	if err != nil {
		return DocumentAnswer{}, err
	}
	return DocumentAnswer{now.document(s.now()), now.Version}, nil
}

// Import puts a document in the place of the given version of the policy, all
// of it or nothing. It takes RolesWrite and AssignmentsWrite, and asks of each
// difference what making it alone would. It returns fault.Precondition when
// that is not the current version, and errors as Snapshot.replace.
func (s *Service) Import(ctx context.Context, who identity.Caller, version int64, d Document) (a DocumentAnswer, err error) {
	ids := newIDs()
	var heir identity.UserID
	if _, denied := s.allow(ctx, who, RolesWrite, uuid.Nil); denied == nil { // else the change says so
		if heir, err = s.somebody(ctx, who, d.owners()); err != nil {
			return a, err
		}
	}
	err = s.changeBy(ctx, s.store.Replace, who, RolesWrite, uuid.Nil, &a, &a.PolicyVersion, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		if now.Version != version {
			return nil, fault.New(fault.Precondition, "precondition_failed", "the policy has changed since")
		}
		if err := covers([]Permission{AssignmentsWrite}, uuid.Nil, s.now()); err != nil {
			return nil, forbidden
		}
		next, err := now.replace(d, s.now(), ids)
		if err != nil {
			return nil, err
		}
		if heir == uuid.Nil {
			return nil, errLastOwner()
		}
		for i, r := range d.Roles {
			if _, there := now.role(r.Name); there {
				continue
			}
			if err := now.nameable(r.Name, fmt.Sprintf("/roles/%d/name", i), covers); err != nil {
				return nil, err
			}
		}
		a.Document = next.document(s.now())
		if !write(now, next, w) {
			return nil, nil
		}
		return &Change{Action: PolicyImported, Before: now.document(s.now()), After: a.Document}, differences(now, next, s.now(), covers)
	})
	return a, err
}

// newIDs returns a maker of ids. The random source does not fail.
func newIDs() func() uuid.UUID {
	return func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
}

// differences asks covers for all in which two policies differ at that time: what
// is over gives nothing, and no document names it. What next alone knows nobody
// holds yet, so that everybody may give it.
func differences(now, next Snapshot, at time.Time, covers covers) error {
	known := now.index()
	old := func(all []Permission) []Permission {
		return slices.DeleteFunc(all, func(p Permission) bool { return !known.permissions[p] })
	}
	is, was := next.byName(), now.byName()
	for _, pair := range [][2]*family{{was, is}, {is, was}} {
		for name, r := range pair[0].roles {
			if other, ok := pair[1].roles[name]; name == Owner || ok && r.same(other) {
				continue
			}
			if err := covers(old(pair[0].holds(name)), uuid.Nil, Forever); err != nil {
				return err
			}
		}
	}
	if err := covers(gone(now, next), uuid.Nil, Forever); err != nil {
		return err
	}
	before, after := byKey(now.Assignments), byKey(next.Assignments)
	for _, side := range []struct {
		mine, theirs map[string]Assignment
		roles        *family
	}{{before, after, was}, {after, before, is}} {
		for key, a := range side.mine {
			if other, ok := side.theirs[key]; ok && a.End().Equal(other.End()) || !a.HoldsAt(at) {
				continue
			}
			if err := covers(old(side.roles.holds(a.Role)), a.Project(), a.End()); err != nil {
				return err
			}
		}
	}
	return nil
}

// gone returns the permissions that next does not know any more.
func gone(now, next Snapshot) []Permission {
	return without(names(now.Permissions), names(next.Permissions)...)
}

func byKey(all []Assignment) map[string]Assignment {
	m := make(map[string]Assignment, len(all))
	for _, a := range all {
		m[a.key()] = a
	}
	return m
}

// write hands w what makes next of now, in an order in which everything that
// is named is there, and reports whether there was anything.
func write(now, next Snapshot, w Writer) (changed bool) {
	did := func() { changed = true }
	before, after := byKey(now.Assignments), byKey(next.Assignments)
	for key, a := range before {
		if _, ok := after[key]; !ok {
			did()
			w.DropAssignment(a)
		}
	}
	known, kept := map[uuid.UUID]PermissionDefinition{}, next.index()
	for _, p := range now.Permissions {
		known[p.ID] = p
	}
	for _, p := range next.Permissions {
		if known[p.ID] != p {
			did()
			w.PutPermission(p)
		}
	}
	was := now.byName().roles
	for _, r := range next.byDepth() {
		if old, ok := was[r.Name]; !ok || !old.same(r) {
			did()
			w.PutRole(r)
		}
	}
	for _, r := range slices.Backward(now.byDepth()) {
		if !kept.roles[r.Name] {
			did()
			w.DropRole(r)
		}
	}
	for _, p := range now.Permissions {
		if !kept.permissions[p.Name] {
			did()
			w.DropPermission(p)
		}
	}
	for _, a := range next.Assignments {
		if old, ok := before[a.key()]; !ok || !old.End().Equal(a.End()) {
			did()
			w.PutAssignment(a)
		}
	}
	return changed
}
