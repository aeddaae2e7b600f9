package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// tenant returns a seeded tenant with an owner.
func tenant(t testing.TB) (*access.Service, identity.Caller) {
	t.Helper()
	store := &fake.Store{}
	s := access.NewService(store, fake.Policies{Store: store}, &fake.People{}, fake.Compile)
	owner := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	inner := identity.Caller{Tenant: owner.Tenant, Client: "svc-users", Scopes: []string{identity.PlatformScope}}
	if _, err := s.Register(t.Context(), inner, "platform", conformance.Platform); err != nil {
		t.Fatal(err)
	}
	if err := s.Seed(t.Context(), inner); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Assign(t.Context(), inner, access.Grant{Subject: access.SubjectOf(owner), Role: access.Owner}); err != nil {
		t.Fatal(err)
	}
	return s, owner
}

// Whatever a document holds, it is refused and points into itself, or it is the
// policy from then on: exported it is the same, and the owner still owns it.
func FuzzImport(f *testing.F) {
	s, owner := tenant(f)
	good, err := s.Export(f.Context(), owner)
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(good.Document)
	if err != nil {
		f.Fatal(err)
	}
	const mine = "00000000-0000-0000-0000-000000000001"
	whole := strings.ReplaceAll(string(text), owner.User.String(), mine)
	f.Add(whole)
	f.Add(strings.Replace(whole, `"name":"viewer"`, `"name":"viewer","parents":["member","a,b"]`, 1))
	f.Add(strings.Replace(whole, `"permissions":[]`, `"permissions":[{"name":"x:\u0000"},{"name":"*:*"}]`, 1))
	f.Add(strings.Replace(whole, `"role":"owner"`, `"role":"owner","until":"2030-01-01T00:00:00Z","project_id":"`+mine+`"`, 1))
	f.Add(`{"roles":[{"name":"owner"},{"name":"owner","parents":["owner"]}],"assignments":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var d access.Document
		if json.Unmarshal([]byte(text), &d) != nil {
			return
		}
		imported(t, func(owner identity.Caller, _ access.Document) access.Document {
			for i := range d.Assignments {
				if d.Assignments[i].SubjectID == mine {
					d.Assignments[i].SubjectID = owner.User.String()
				}
			}
			return d
		})
	})
}

// FuzzImportedNames is FuzzImport for a document that is good but for its names.
func FuzzImportedNames(f *testing.F) {
	f.Add("invoices:read", "clerk", "viewer", "invoices:read", "client", "robot", "clerk")
	for i, name := range conformance.Odd {
		other := conformance.Odd[(i+1)%len(conformance.Odd)]
		f.Add("x:"+name, name, other, "x:"+name, "client", other, name)
		f.Add(name, "owner", name, other, "user", name, "owner")
	}
	f.Fuzz(func(t *testing.T, own, role, parent, perm, kind, subject, given string) {
		imported(t, func(_ identity.Caller, d access.Document) access.Document {
			d.Permissions = append(d.Permissions, access.PermissionDraft{Name: access.Permission(own)})
			for i := range d.Roles {
				if d.Roles[i].Name == access.Owner {
					d.Roles[i].Permissions = append(d.Roles[i].Permissions, access.Permission(own))
				}
			}
			d.Roles = append(d.Roles, access.RoleDraft{Name: role, Parents: []string{parent}, Permissions: []access.Permission{access.Permission(perm)}})
			d.Assignments = append(d.Assignments, access.DocumentAssignment{SubjectKind: kind, SubjectID: subject, Role: given})
			return d
		})
	})
}

// A policy of many small things is small, and takes as much room in memory as a
// large one.
func TestPolicyHasRoomForSoManyValues(t *testing.T) {
	s, owner := tenant(t)
	before, err := s.Export(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	d := before.Document
	for i := range access.MaxValues/6 + 1 { // values of an assignment
		d.Assignments = append(d.Assignments, access.DocumentAssignment{SubjectKind: "client", SubjectID: "robot-" + strconv.Itoa(i), Role: "viewer"})
	}
	_, err = s.DryRun(t.Context(), owner, conformance.Whole(d))
	if e := fault.As(err); e == nil || e.Kind != fault.Conflict || e.Code != "policy_too_large" {
		t.Errorf("it could be imported, %v", err)
	}
}

// Who leaves ends the comparison.
func TestDryRunEndsWithItsClient(t *testing.T) {
	t.Parallel()
	s, owner := tenant(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.DryRun(gone, owner, access.Proposal{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it ends", err)
	}
}

// Of a change that concerns many, or many permissions, a dry run counts all and
// lists the first.
func TestDryRunListsSoManyAndCountsTheRest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ subjects, permissions, told int }{{1, 1, 2}, {1500, 1, 1000}, {200, 900, 111}} {
		s, owner := tenant(t)
		before, err := s.Export(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		p := access.PolicyPut{Roles: []access.RoleDraft{{Name: "all"}}}
		d := before.Document
		for i := range c.permissions {
			name := access.Permission("own:" + strconv.Itoa(i))
			d.Permissions = append(d.Permissions, access.PermissionDraft{Name: name})
			p.Roles[0].Permissions = append(p.Roles[0].Permissions, name)
		}
		for i, r := range d.Roles {
			if r.Name == access.Owner {
				d.Roles[i].Permissions = append(r.Permissions, p.Roles[0].Permissions...)
			}
		}
		for i := range c.subjects {
			d.Assignments = append(d.Assignments, access.DocumentAssignment{SubjectKind: access.KindClient, SubjectID: fmt.Sprintf("robot-%04d", i), Role: "all"})
		}
		whole := conformance.Whole(d)
		whole.Put = &p
		e, err := s.DryRun(t.Context(), owner, whole)
		if err != nil || e.Total != c.subjects+1 || len(e.Subjects) != c.told { // the owner gains too, and comes last
			t.Fatalf("%+v: %d told of %d, %v", c, len(e.Subjects), e.Total, err)
		}
		for i, x := range e.Subjects[:min(c.told, c.subjects)] {
			if want := fmt.Sprintf("robot-%04d", i); x.SubjectID != want || len(x.Gains) != c.permissions || len(x.Loses) != 0 {
				t.Fatalf("%+v: number %d is %s and gains %d", c, i, x.SubjectID, len(x.Gains))
			}
		}
	}
}

// imported imports what edit makes of a tenant's policy.
func imported(t *testing.T, edit func(owner identity.Caller, d access.Document) access.Document) {
	t.Helper()
	s, owner := tenant(t)
	before, err := s.Export(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	d := edit(owner, before.Document)
	effect, dry := s.DryRun(t.Context(), owner, conformance.Whole(d))
	got, err := s.Import(t.Context(), owner, before.PolicyVersion, d)
	after, err2 := s.Export(t.Context(), owner)
	switch {
	case err2 != nil:
		t.Fatal(err2)
	case err != nil:
		pointsInto(t, d, err)
		if after.PolicyVersion != before.PolicyVersion {
			t.Errorf("a refused document changed %+v to %+v", before, after)
		}
		return
	case dry != nil || got.PolicyVersion == before.PolicyVersion && len(effect.Subjects) > 0:
		t.Errorf("a dry run said %+v, %v", effect, dry)
	}
	again, err := s.Import(t.Context(), owner, after.PolicyVersion, after.Document)
	if err != nil || again.PolicyVersion != got.PolicyVersion || !reflect.DeepEqual(again.Document, after.Document) {
		t.Errorf("imported %+v, exported %+v, imported again %+v, %v", got, after, again, err)
	}
}

// pointsInto fails the test unless err is a fault all of whose pointers lead
// to something in d.
func pointsInto(t *testing.T, d access.Document, err error) {
	t.Helper()
	e := fault.As(err)
	if e == nil {
		t.Fatalf("no fault: %v", err)
	}
	length := map[string]int{"permissions": len(d.Permissions), "roles": len(d.Roles), "assignments": len(d.Assignments)}
	for _, x := range e.Fields {
		at := strings.Split(x.Pointer, "/")
		if len(at) < 2 || at[0] != "" {
			t.Fatalf("pointer %q", x.Pointer)
		}
		n, known := length[at[1]]
		if len(at) > 2 {
			i, err := strconv.Atoi(at[2])
			known = known && err == nil && i < n
		}
		if !known {
			t.Errorf("pointer %q leads nowhere", x.Pointer)
		}
	}
}
