package authzdb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// The densest hierarchy there can be is proposed, imported and changed before
// PostgreSQL ends a transaction that is idle.
func TestDensestHierarchyIsImported(t *testing.T) {
	t.Parallel()
	s, owner := large(t)
	doc, err := s.Export(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	var below []string
	for layer := range access.MaxDepth {
		var names []string
		for i := range 195 {
			names = append(names, fmt.Sprint(layer, " ", i))
			doc.Roles = append(doc.Roles, access.RoleDraft{Name: names[i], Parents: below})
		}
		below = names[:100]
	}
	if _, err := s.DryRun(t.Context(), owner, conformance.Whole(doc.Document)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), owner, doc.PolicyVersion, doc.Document); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreatePermission(t.Context(), owner, access.PermissionDraft{Name: "own:thing"}); err != nil {
		t.Error(err)
	}
}

// large returns a seeded tenant with an owner.
func large(t *testing.T) (*access.Service, identity.Caller) {
	t.Helper()
	d := pgtest.New(t, "authz", authzdb.Migrations)
	store := authzdb.New(d.App, d.System)
	s := access.NewService(store, casbin.NewPolicies(store), &fake.People{}, casbin.Compile)
	inner := identity.Caller{Tenant: uuid.New(), Client: "svc-users", Scopes: []string{identity.PlatformScope}}
	owner := identity.Caller{Tenant: inner.Tenant, User: uuid.New()}
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

// A tenant with a thousand roles is imported, asked and changed.
func TestThousandRolesAreImported(t *testing.T) {
	t.Parallel()
	s, owner := large(t)
	doc, err := s.Export(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		r := access.RoleDraft{Name: fmt.Sprint("role ", i)}
		if i%10 > 0 {
			r.Parents = []string{fmt.Sprint("role ", i-1)}
		}
		for j := range 20 {
			r.Permissions = append(r.Permissions, conformance.Platform[(i+j)%len(conformance.Platform)].Name)
		}
		doc.Roles = append(doc.Roles, r)
		doc.Assignments = append(doc.Assignments, access.DocumentAssignment{SubjectKind: access.KindUser, SubjectID: uuid.NewString(), Role: r.Name})
	}
	began := time.Now()
	took := func(what string) {
		t.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond))
		began = time.Now()
	}
	got, err := s.Import(t.Context(), owner, doc.PolicyVersion, doc.Document)
	if err != nil {
		t.Fatal(err)
	}
	took("import")
	if again, err := s.Import(t.Context(), owner, got.PolicyVersion, got.Document); err != nil || again.PolicyVersion != got.PolicyVersion {
		t.Errorf("the same again: version %d, %v, want %d", again.PolicyVersion, err, got.PolicyVersion)
	}
	took("import of the same")
	got.Roles[len(got.Roles)-1].Description = "changed"
	if _, err := s.Import(t.Context(), owner, got.PolicyVersion, got.Document); err != nil {
		t.Error(err)
	}
	for since, n := range map[int64]int{0: int(got.PolicyVersion), got.PolicyVersion - 1: 1} { // a page of whole policies would fill the memory
		if p, err := s.Changes(t.Context(), owner, since, page.Request{Limit: 100}); err != nil || len(p.Items) != n || p.Next == nil {
			t.Errorf("after %d: %d changes, more %v, %v, want %d and more", since, len(p.Items), p.Next != nil, err, n)
		}
	}
	took("another import, and changes")
	if _, err := s.CreateRole(t.Context(), owner, access.RoleDraft{Name: "one more", Parents: []string{"role 8"}}); err != nil {
		t.Error(err)
	}
	took("a change")
	if e, err := s.Explain(t.Context(), owner, access.Question{Permission: task.TasksRead}, 0); err != nil || !e.Allowed {
		t.Errorf("explained %+v, %v", e.Decision, err)
	}
	took("an explanation")
	if e, err := s.DryRun(t.Context(), owner, conformance.Whole(got.Document)); err != nil || len(e.Subjects) != 0 {
		t.Errorf("a dry run: %d subjects, %v, want none: only a role is gone that nobody has", len(e.Subjects), err)
	}
	took("a dry run")
}
