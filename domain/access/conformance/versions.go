package conformance

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/tenancy"
)

// changes reads all that happened after a version, two at a time.
func (w *world) changes(t *testing.T, since int64) (all []access.Change) {
	t.Helper()
	r := page.Request{Limit: 2}
	for {
		p, err := w.Changes(t.Context(), w.owner, since, r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Items...)
		if p.Next == nil {
			return all
		}
		r.After = *p.Next
	}
}

// Two writers at once: each version has its change, and none is left out.
func versionsHaveNoGap(t *testing.T, w *world) {
	before := w.snapshot(t).Version
	var wg sync.WaitGroup
	var mu sync.Mutex
	answered := map[int64]string{}
	for i := range 2 {
		wg.Go(func() {
			for j := range 10 {
				r, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: fmt.Sprint(i, " ", j)})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				answered[r.PolicyVersion] = r.Name
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	all := w.changes(t, before)
	if len(all) != 20 || len(answered) != 20 {
		t.Fatalf("%d changes and %d versions answered, want 20", len(all), len(answered))
	}
	for i, c := range all {
		after, _ := c.After.(map[string]any)
		if c.Version != before+int64(i)+1 || c.By != w.owner.Subject() || c.Action != "role.created" || c.Before != nil || after["name"] != answered[c.Version] {
			t.Errorf("change %d: %+v, want version %d that made %q", i, c, before+int64(i)+1, answered[c.Version])
		}
	}
}

func changeSaysWhat(t *testing.T, w *world) {
	r := w.make(t, access.RoleDraft{Name: "accountant", Permissions: []access.Permission{task.TasksRead}})
	before := w.snapshot(t).Version
	if _, err := w.SetPermissions(t.Context(), w.owner, r.ID, 1, []access.Permission{task.TasksWrite}); err != nil {
		t.Fatal(err)
	}
	all := w.changes(t, before)
	if len(all) != 1 {
		t.Fatalf("%d changes, want 1", len(all))
	}
	for side, want := range map[any]string{all[0].Before.(map[string]any)["permissions"].([]any)[0]: "tasks:read", all[0].After.(map[string]any)["permissions"].([]any)[0]: "tasks:write"} {
		if side != want {
			t.Errorf("%v, want %s", side, want)
		}
	}
	if w.snapshot(t).Version != before+1 {
		t.Errorf("version %d, want %d", w.snapshot(t).Version, before+1)
	}
}

func writersSeeTheirWrites(t *testing.T, w *world) {
	who := w.person(t)
	a, err := w.Assign(t.Context(), w.owner, access.Grant{Subject: access.SubjectOf(who), Role: access.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	q := access.Question{Permission: task.TasksRead}
	d, err := w.Service.Check(t.Context(), who, q, a.PolicyVersion)
	if err != nil || !d.Allowed || d.PolicyVersion < a.PolicyVersion {
		t.Errorf("%+v, %v, want allowed by version %d", d, err, a.PolicyVersion)
	}
	_, err = w.Service.Check(t.Context(), who, q, a.PolicyVersion+1)
	wantKind(t, "a version that is not there yet", err, fault.Conflict)
}

func singlePermissions(t *testing.T, w *world) {
	ctx, r := t.Context(), w.make(t, access.RoleDraft{Name: "clerk"})
	given, err := w.GivePermission(ctx, w.owner, r.ID, 1, task.TasksRead)
	if err != nil || given.Version != 2 || !slices.Equal(given.Permissions, []access.Permission{task.TasksRead}) {
		t.Fatalf("given: %+v, %v", given, err)
	}
	if again, err := w.GivePermission(ctx, w.owner, r.ID, 2, task.TasksRead); err != nil || again.Version != 2 || again.PolicyVersion != given.PolicyVersion {
		t.Errorf("given again: %+v, %v, want no change", again, err)
	}
	_, err = w.GivePermission(ctx, w.owner, r.ID, 2, "no:such")
	wantKind(t, "one that nobody knows", err, fault.Invalid)
	list, err := w.RolePermissions(ctx, w.owner, r.ID, page.Request{Limit: 10})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != task.TasksRead {
		t.Errorf("listed: %+v, %v", list.Items, err)
	}
	_, err = w.RolePermissions(ctx, w.owner, uuid.New(), page.Request{Limit: 10})
	wantKind(t, "those of no role", err, fault.NotFound)
	_, err = w.TakePermission(ctx, w.owner, r.ID, 1, task.TasksRead)
	wantKind(t, "taken from an old version", err, fault.Precondition)
	taken, err := w.TakePermission(ctx, w.owner, r.ID, 2, task.TasksRead)
	if err != nil || len(taken.Permissions) != 0 {
		t.Errorf("taken: %+v, %v", taken, err)
	}
}

func redescribed(t *testing.T, w *world) {
	ctx := t.Context()
	def, err := w.CreatePermission(ctx, w.owner, access.PermissionDraft{Name: "invoices:read"})
	if err != nil {
		t.Fatal(err)
	}
	text := "See invoices"
	got, err := w.UpdatePermission(ctx, w.owner, def.ID, 1, access.PermissionPatch{Description: &text})
	if err != nil || got.Version != 2 || got.Description != text {
		t.Errorf("%+v, %v", got, err)
	}
	if read, err := w.Definition(ctx, w.owner, def.ID); err != nil || read.PermissionDefinition != got.PermissionDefinition {
		t.Errorf("read %+v, %v, want %+v", read, err, got)
	}
	_, err = w.UpdatePermission(ctx, w.owner, def.ID, 1, access.PermissionPatch{Description: &text})
	wantKind(t, "an old version", err, fault.Precondition)
	wantKind(t, "deleting an old version", w.DeletePermission(ctx, w.owner, def.PermissionDefinition), fault.Precondition)
	_, err = w.UpdatePermission(ctx, w.owner, w.snapshot(t).Permissions[0].ID, 1, access.PermissionPatch{Description: &text})
	wantKind(t, "the platform's", err, fault.Conflict)
}

func listsNarrow(t *testing.T, w *world) {
	ctx, all := t.Context(), page.Request{Limit: 100}
	w.make(t, access.RoleDraft{Name: "child", Parents: []string{access.Viewer}})
	if _, err := w.CreatePermission(ctx, w.owner, access.PermissionDraft{Name: "invoices:read"}); err != nil {
		t.Fatal(err)
	}
	for f, want := range map[access.RoleFilter]int{
		{Name: access.Owner}: 1, {Name: "none"}: 0, {Parent: access.Viewer}: 1, {Permission: tenancy.TenantWrite}: 1, {Permission: "invoices:read"}: 2, {Parent: access.Viewer, Name: access.Owner}: 0,
	} {
		if p, err := w.Roles(ctx, w.owner, f, all); err != nil || len(p.Items) != want {
			t.Errorf("roles %+v: %d, %v, want %d", f, len(p.Items), err, want)
		}
	}
	for f, want := range map[access.PermissionFilter]int{
		{Name: task.TasksRead}: 1, {Resource: "tasks"}: 3, {Origin: "tenant"}: 1, {Origin: "platform"}: len(Platform), {Resource: "invoices", Origin: "platform"}: 0,
	} {
		if p, err := w.Definitions(ctx, w.owner, f, all); err != nil || len(p.Items) != want {
			t.Errorf("permissions %+v: %d, %v, want %d", f, len(p.Items), err, want)
		}
	}
}

func manyChecks(t *testing.T, w *world) {
	member := w.person(t, access.Member)
	owner := access.SubjectOf(w.owner)
	all, version, err := w.CheckAll(t.Context(), member, []access.Question{
		{Permission: task.TasksRead}, {Permission: tenancy.TenantWrite}, {Permission: task.TasksRead, About: &owner}, {Permission: "no:such"},
	}, 0)
	if err != nil || version == 0 || len(all) != 4 {
		t.Fatalf("%+v, %d, %v", all, version, err)
	}
	if !all[0].Allowed || all[1].Allowed || all[2].Allowed || all[2].Fault == nil || all[2].Fault.Kind != fault.Forbidden || all[3].Allowed || all[3].Fault != nil {
		t.Errorf("%+v, want yes, no, a fault and no", all)
	}
	_, _, err = w.CheckAll(t.Context(), member, make([]access.Question, access.MaxChecks+1), 0)
	wantKind(t, "too many questions", err, fault.Invalid)
	held, err := w.Mine(t.Context(), member, uuid.Nil, 0)
	if err != nil || !slices.Equal(held.Permissions, w.role(t, access.Member).Permissions) {
		t.Errorf("a member holds %v, %v", held.Permissions, err)
	}
}
