package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/tenancy"
)

func oldVersion(t *testing.T, w *world) {
	r, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "accountant"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	results := make([]error, 2)
	for i := range results {
		wg.Go(func() {
			_, results[i] = w.SetPermissions(t.Context(), w.owner, r.ID, r.Version, []access.Permission{task.TasksRead})
		})
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) || !fault.Is(errors.Join(results...), fault.Precondition) {
		t.Errorf("two updates of one version: %v, want one to win", results)
	}
	wantKind(t, "an old deletion", w.DeleteRole(t.Context(), w.owner, r.ID, r.Version), fault.Precondition)
	got, err := w.Role(t.Context(), w.owner, r.ID)
	if err != nil || got.Version != 2 || !slices.Equal(got.Permissions, []access.Permission{task.TasksRead}) {
		t.Errorf("role %+v, %v, want version 2 with tasks:read", got, err)
	}
}

func uniqueNames(t *testing.T, w *world) {
	viewer := w.role(t, access.Viewer)
	name := access.Member
	_, err := w.UpdateRole(t.Context(), w.owner, viewer.ID, viewer.Version, access.RolePatch{Name: &name})
	wantKind(t, "a taken name", err, fault.Conflict)
}

func renamed(t *testing.T, w *world) {
	member := w.person(t, access.Member)
	r, name := w.role(t, access.Member), "colleague"
	if _, err := w.UpdateRole(t.Context(), w.owner, r.ID, r.Version, access.RolePatch{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if d, err := w.Check(t.Context(), member, nil, task.TasksWrite, uuid.Nil); err != nil || !d.Allowed {
		t.Errorf("after the renaming: %+v, %v, want allowed", d, err)
	}
}

func roleInUse(t *testing.T, w *world) {
	member := w.person(t, access.Member)
	r := w.role(t, access.Member)
	wantKind(t, "deleting a role in use", w.DeleteRole(t.Context(), w.owner, r.ID, r.Version), fault.Conflict)
	for range 2 { // the second time there is nothing to take
		if err := w.Unassign(t.Context(), w.owner, access.SubjectOf(member), access.Member, uuid.Nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.DeleteRole(t.Context(), w.owner, r.ID, r.Version); err != nil {
		t.Errorf("deleting it unused: %v", err)
	}
}

// Odd are names that would be something else in a policy file, a matcher, a
// query or a path.
var Odd = []string{
	"a,b", `say "yes"`, "two\nlines", "*", ".*", "tasks:*", "r.sub == p.sub", "p, role, *", "#x", " lead", "role:owner", "user:1",
	"a/b?c=d&e#f%2F", "'; drop table roles; --", "$1", `back\slash`, "Ünïcödé 漢字", "\t",
}

func namesAreData(t *testing.T, w *world) {
	for _, name := range Odd {
		def, err := w.CreatePermission(t.Context(), w.owner, access.PermissionDraft{Name: access.Permission("x:" + name)})
		if err != nil {
			t.Fatalf("permission %q: %v", name, err)
		}
		r, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: name, Permissions: []access.Permission{def.Name}})
		if err != nil {
			t.Fatalf("role %q: %v", name, err)
		}
		who := w.person(t, r.Name)
		for p, want := range map[access.Permission]bool{def.Name: true, task.TasksRead: false, tenancy.TenantWrite: false} {
			if d, err := w.Check(t.Context(), who, nil, p, uuid.Nil); err != nil || d.Allowed != want {
				t.Errorf("role %q allows %q: %v, %v, want %v", name, p, d.Allowed, err, want)
			}
		}
	}
	for _, name := range []string{"", ".", "..", "nul\x00", "bad\xff", string(make([]byte, 101))} {
		_, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: name})
		wantKind(t, "role "+name, err, fault.Invalid)
	}
}

func unknownPermissions(t *testing.T, w *world) {
	_, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "x", Permissions: []access.Permission{"a:b", task.TasksRead}})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) != 1 || f.Fields[0].Pointer != "/permissions/0" {
		t.Errorf("%+v, want /permissions/0 named", err)
	}
	for _, name := range []access.Permission{"x", ":x", "x:", ""} {
		_, err := w.CreatePermission(t.Context(), w.owner, access.PermissionDraft{Name: name})
		wantKind(t, "permission "+string(name), err, fault.Invalid)
	}
}

func ownPermission(t *testing.T, w *world) {
	ctx, admin := t.Context(), w.person(t, access.Admin)
	def, err := w.CreatePermission(ctx, admin, access.PermissionDraft{Name: "invoices:read"})
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []identity.Caller{w.owner, admin} {
		if d, err := w.Check(ctx, who, nil, def.Name, uuid.Nil); err != nil || !d.Allowed {
			t.Errorf("%v, %v, want allowed", d, err)
		}
	}
	r, err := w.CreateRole(ctx, admin, access.RoleDraft{Name: "accountant", Permissions: []access.Permission{def.Name}})
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "deleting a permission in use", w.DeletePermission(ctx, w.owner, def.PermissionDefinition), fault.Conflict)
	if err := w.DeleteRole(ctx, w.owner, r.ID, r.Version); err != nil {
		t.Fatal(err)
	}
	if err := w.DeletePermission(ctx, admin, def.PermissionDefinition); err != nil {
		t.Errorf("deleting it unused: %v", err)
	}
	wantKind(t, "deleting it again", w.DeletePermission(ctx, admin, def.PermissionDefinition), fault.NotFound)
	builtin := w.snapshot(t).Permissions[0]
	wantKind(t, "deleting the platform's", w.DeletePermission(ctx, w.owner, builtin), fault.Conflict)
}

func nobodyGives(t *testing.T, w *world) {
	ctx, admin := t.Context(), w.person(t, access.Admin)
	_, err := w.Assign(ctx, admin, access.Grant{Subject: access.SubjectOf(admin), Role: access.Owner})
	wantKind(t, "an admin makes themselves owner", err, fault.Forbidden)
	if f := fault.As(err); f == nil || !strings.Contains(f.Message, string(tenancy.TenantWrite)) {
		t.Errorf("%v does not name what an admin lacks", err)
	}
	_, err = w.Assign(ctx, admin, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Owner})
	wantKind(t, "an admin makes a client owner", err, fault.Forbidden)
	wantKind(t, "an admin removes the owner", w.Unassign(ctx, admin, access.SubjectOf(w.owner), access.Owner, uuid.Nil), fault.Forbidden)
	_, err = w.Assign(ctx, w.owner, access.Grant{Subject: access.SubjectOf(admin), Role: "no such role"})
	wantKind(t, "an unknown role", err, fault.NotFound)
	if f := fault.As(err); f != nil && (len(f.Fields) != 1 || f.Fields[0].Pointer != "/role") {
		t.Errorf("an unknown role is named by %v", f.Fields)
	}
	first, err := w.Assign(ctx, admin, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Member})
	if err != nil {
		t.Fatal(err)
	}
	before := w.snapshot(t).Version
	again, err := w.Assign(ctx, admin, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Member})
	if err != nil || !again.Again || first.Again || !reflect.DeepEqual(again.AssignmentAnswer, first.AssignmentAnswer) || w.snapshot(t).Version != before {
		t.Errorf("giving again = %+v, %v, want %+v and no change", again, err, first)
	}
}

func nobodyShapes(t *testing.T, w *world) {
	ctx, admin := t.Context(), w.person(t, access.Admin)
	_, err := w.CreateRole(ctx, admin, access.RoleDraft{Name: "king", Permissions: []access.Permission{tenancy.TenantWrite}})
	wantKind(t, "an admin makes a stronger role", err, fault.Forbidden)
	r := w.role(t, access.Admin)
	_, err = w.SetPermissions(ctx, admin, r.ID, r.Version, w.role(t, access.Owner).Permissions)
	wantKind(t, "an admin strengthens their role", err, fault.Forbidden)
	king, err := w.CreateRole(ctx, w.owner, access.RoleDraft{Name: "king", Permissions: []access.Permission{tenancy.TenantWrite}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.SetPermissions(ctx, admin, king.ID, king.Version, nil)
	wantKind(t, "an admin weakens a stronger role", err, fault.Forbidden)
	wantKind(t, "an admin deletes a stronger role", w.DeleteRole(ctx, admin, king.ID, king.Version), fault.Forbidden)
}

// What is named like a seeded role is given what the tenant makes and the platform
// declares.
func nobodyTakesNames(t *testing.T, w *world) {
	ctx := t.Context()
	w.make(t, access.RoleDraft{Name: "clerk", Permissions: []access.Permission{access.RolesRead, access.RolesWrite, access.AssignmentsWrite}})
	clerk := w.person(t, "clerk")
	for _, name := range []string{access.Admin, access.Manager, access.Member, access.Viewer} {
		r, other := w.role(t, name), "former "+name
		if _, err := w.UpdateRole(ctx, w.owner, r.ID, r.Version, access.RolePatch{Name: &other}); err != nil {
			t.Fatal(err)
		}
		mine, version := w.role(t, "clerk"), w.snapshot(t).Version
		d := w.export(t).Document
		d.Roles = append(slices.Clone(d.Roles), access.RoleDraft{Name: name})
		for what, c := range map[string]struct {
			pointer string
			try     func() error
		}{
			"a new role": {"/name", func() error { _, err := w.CreateRole(ctx, clerk, access.RoleDraft{Name: name}); return err }},
			"a renamed role": {"/name", func() error {
				_, err := w.UpdateRole(ctx, clerk, mine.ID, mine.Version, access.RolePatch{Name: &name})
				return err
			}},
			"an import": {fmt.Sprintf("/roles/%d/name", len(d.Roles)-1), func() error { _, err := w.Import(ctx, clerk, version, d); return err }},
		} {
			err := c.try()
			wantKind(t, what+" is named "+name, err, fault.Forbidden)
			if f := fault.As(err); f == nil || f.Code != "seeded_name" || len(f.Fields) != 1 || f.Fields[0].Pointer != c.pointer {
				t.Errorf("%s is named %s: %v, want %s pointed at", what, name, err, c.pointer)
			}
		}
		if _, err := w.UpdateRole(ctx, w.owner, r.ID, r.Version+1, access.RolePatch{Name: &name}); err != nil {
			t.Errorf("the owner gives the name %s back: %v", name, err)
		}
	}
}

func lastOwner(t *testing.T, w *world) {
	ctx, first := t.Context(), access.SubjectOf(w.owner)
	if _, err := w.Assign(ctx, w.owner, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Owner}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "the last person who is owner leaves", w.Unassign(ctx, w.owner, first, access.Owner, uuid.Nil), fault.Conflict)
	w.person(t, access.Owner)
	if err := w.Unassign(ctx, w.owner, first, access.Owner, uuid.Nil); err != nil {
		t.Errorf("one of two owners leaves: %v", err)
	}
}

// Who cannot log in, be it that there is no such person, is no owner whom a tenant keeps.
func ownerCanLogIn(t *testing.T, w *world) {
	ctx, first, ghost := t.Context(), access.SubjectOf(w.owner), uuid.New()
	w.people.Shut(ghost)
	if _, err := w.Assign(ctx, w.owner, access.Grant{Subject: access.Subject{User: ghost}, Role: access.Owner}); err != nil {
		t.Fatal(err)
	}
	given, err := w.store.Assignments(ctx, w.owner, access.AssignmentFilter{SubjectID: first.User.String()}, page.Request{Limit: 1})
	if err != nil || len(given.Items) != 1 {
		t.Fatal(given, err)
	}
	mine, soon := given.Items[0], time.Now().Add(time.Hour)
	whole := w.export(t)
	without := whole.Document
	without.Assignments = slices.DeleteFunc(slices.Clone(without.Assignments), func(a access.DocumentAssignment) bool { return a.SubjectID == first.User.String() })
	for what, leave := range map[string]func() error{
		"leaves": func() error { return w.Unassign(ctx, w.owner, first, access.Owner, uuid.Nil) },
		"is owner until soon": func() error {
			_, err := w.Assign(ctx, w.owner, access.Grant{Subject: first, Role: access.Owner, Until: soon})
			return err
		},
		"is owner until soon, by a patch": func() error {
			_, err := w.UpdateAssignment(ctx, w.owner, mine.ID, mine.Version, access.AssignmentPatch{Until: patch.To(soon)})
			return err
		},
		"is imported away": func() error { _, err := w.Import(ctx, w.owner, whole.PolicyVersion, without); return err },
		"is proposed away": func() error { _, err := w.DryRun(ctx, w.owner, Whole(without)); return err },
	} {
		wantKind(t, "the last owner who can log in "+what, leave(), fault.Conflict)
	}
	if err := w.Unassign(ctx, w.owner, access.Subject{User: ghost}, access.Owner, uuid.Nil); err != nil {
		t.Errorf("an owner who cannot log in is taken away: %v", err)
	}
}

func ownersRace(t *testing.T, w *world) {
	owners := []identity.Caller{w.owner, w.person(t, access.Owner)}
	var wg sync.WaitGroup
	for i, who := range owners {
		wg.Go(func() { // one wins; the other is no owner any more, or the last one
			_ = w.Unassign(t.Context(), who, access.SubjectOf(owners[1-i]), access.Owner, uuid.Nil)
		})
	}
	wg.Wait()
	p, err := w.store.Assignments(t.Context(), w.owner, access.AssignmentFilter{Role: access.Owner}, page.Request{Limit: 10})
	if err != nil || len(p.Items) != 1 {
		t.Errorf("%d owners are left, %v, want 1", len(p.Items), err)
	}
}

func ownerIsFixed(t *testing.T, w *world) {
	r := w.role(t, access.Owner)
	_, err := w.SetPermissions(t.Context(), w.owner, r.ID, r.Version, nil)
	wantKind(t, "emptying owner", err, fault.Conflict)
	wantKind(t, "deleting owner", w.DeleteRole(t.Context(), w.owner, r.ID, r.Version), fault.Conflict)
}

func asksThePolicy(t *testing.T, w *world) {
	ctx, viewer, id := t.Context(), w.person(t, access.Viewer), uuid.New()
	all := page.Request{Limit: 1}
	for name, try := range map[string]func(context.Context, identity.Caller) error{
		"roles": func(ctx context.Context, who identity.Caller) error {
			_, err := w.Roles(ctx, who, access.RoleFilter{}, all)
			return err
		},
		"role": func(ctx context.Context, who identity.Caller) error { _, err := w.Role(ctx, who, id); return err },
		"permissions": func(ctx context.Context, who identity.Caller) error {
			_, err := w.Definitions(ctx, who, access.PermissionFilter{}, all)
			return err
		},
		"assignments": func(ctx context.Context, who identity.Caller) error {
			_, err := w.Assignments(ctx, who, access.AssignmentFilter{}, all)
			return err
		},
		"create role": func(ctx context.Context, who identity.Caller) error {
			_, err := w.CreateRole(ctx, who, access.RoleDraft{Name: "x"})
			return err
		},
		"update role": func(ctx context.Context, who identity.Caller) error {
			_, err := w.UpdateRole(ctx, who, id, 1, access.RolePatch{})
			return err
		},
		"delete role": func(ctx context.Context, who identity.Caller) error { return w.DeleteRole(ctx, who, id, 1) },
		"create permission": func(ctx context.Context, who identity.Caller) error {
			_, err := w.CreatePermission(ctx, who, access.PermissionDraft{Name: "x:y"})
			return err
		},
		"delete permission": func(ctx context.Context, who identity.Caller) error {
			return w.DeletePermission(ctx, who, access.PermissionDefinition{ID: id})
		},
		"assign": func(ctx context.Context, who identity.Caller) error {
			_, err := w.Assign(ctx, who, access.Grant{Subject: access.Subject{Client: "x"}, Role: access.Viewer})
			return err
		},
		"unassign": func(ctx context.Context, who identity.Caller) error {
			return w.Unassign(ctx, who, access.Subject{Client: "x"}, access.Viewer, uuid.Nil)
		},
		"check another": func(ctx context.Context, who identity.Caller) error {
			_, err := w.Check(ctx, who, &access.Subject{Client: "x"}, task.TasksRead, uuid.Nil)
			return err
		},
	} {
		wantKind(t, name+" by a viewer", try(ctx, viewer), fault.Forbidden)
	}
}
