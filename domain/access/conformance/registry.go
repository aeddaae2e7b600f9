package conformance

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
)

// Registry runs the suite of what our services declare on store, whose tenants
// learn what it declares.
func Registry(t *testing.T, store access.Store) {
	t.Helper()
	w := newWorld(t, store)
	invoices := []access.Declared{{Name: "invoices:read", Description: "See invoices", Least: access.Member}, {Name: "invoices:write", Description: "Make invoices", Least: access.Admin}}

	own, err := w.CreatePermission(t.Context(), w.owner, access.PermissionDraft{Name: "invoices:read"})
	if err != nil {
		t.Fatal(err)
	}
	w.make(t, access.RoleDraft{Name: "clerk", Permissions: []access.Permission{own.Name}})
	late := newWorld(t, store)
	if err := late.Unseed(t.Context(), late.platform); err != nil {
		t.Fatal(err)
	}
	member, viewer := w.person(t, access.Member), w.person(t, access.Viewer)

	_, err = w.Register(t.Context(), w.owner, "invoices", invoices)
	wantKind(t, "a declaration by a person", err, fault.Forbidden)
	_, err = w.Register(t.Context(), w.platform, "invoices", []access.Declared{{Name: "nothing", Least: "king"}})
	if f := fault.As(err); f == nil || len(f.Fields) != 2 || f.Fields[0].Pointer != "/permissions/0/name" || f.Fields[1].Pointer != "/permissions/0/least" {
		t.Errorf("a bad declaration: %+v", f)
	}
	_, err = w.Register(t.Context(), w.platform, "invoices", append(slices.Clone(invoices), Platform[0]))
	wantKind(t, "another service's permission", err, fault.Conflict)
	for i, want := range []bool{true, false} {
		if news, err := w.Register(t.Context(), w.platform, "invoices", invoices); err != nil || news != want {
			t.Errorf("declaration %d is news: %v, %v, want %v", i, news, err, want)
		}
	}
	if err := w.Grow(t.Context()); err != nil {
		t.Fatal(err)
	}
	version := w.snapshot(t).Version
	w.wantHolds(t, member, "invoices:read", uuid.Nil, true)
	w.wantHolds(t, viewer, "invoices:read", uuid.Nil, false)
	w.wantHolds(t, member, "invoices:write", uuid.Nil, false)
	w.wantHolds(t, w.owner, "invoices:write", uuid.Nil, true)
	w.wantHolds(t, w.person(t, "clerk"), "invoices:read", uuid.Nil, true)
	if d, err := w.Definition(t.Context(), w.owner, own.ID); err != nil || !d.Builtin || d.Description != "See invoices" {
		t.Errorf("what was the tenant's: %+v, %v, want the platform's", d, err)
	}
	r := w.role(t, access.Member)
	if _, err := w.TakePermission(t.Context(), w.owner, r.ID, r.Version, "invoices:read"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Grow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.wantHolds(t, member, "invoices:read", uuid.Nil, false)
	if got := w.snapshot(t).Version; got != version+2 { // a person given clerk, a permission taken
		t.Errorf("version %d, want %d: growing again changes nothing", got, version+2)
	}
	if s := late.snapshot(t); s.Version != 0 {
		t.Errorf("a tenant without a policy grew one: %+v", s)
	}
	if err := late.Seed(t.Context(), late.platform); err != nil {
		t.Fatal(err)
	}
	late.wantHolds(t, late.person(t, access.Admin), "invoices:write", uuid.Nil, true)
}
