package conformance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/tenancy"
)

// family is a tenant with a hierarchy, a role for a project, one that ends and
// one that is over.
type family struct {
	child, local, brief, late identity.Caller
	project                   uuid.UUID
}

func (w *world) family(t *testing.T) family {
	t.Helper()
	w.make(t, access.RoleDraft{Name: "base", Permissions: []access.Permission{task.TasksDelete}})
	w.make(t, access.RoleDraft{Name: "child", Parents: []string{"base"}, Permissions: []access.Permission{task.TasksRead}})
	f, over := family{w.person(t, "child"), w.person(t), w.person(t), w.person(t), uuid.New()}, time.Now().Add(time.Second)
	for _, g := range []access.Grant{
		{Subject: access.SubjectOf(f.local), Role: "base", Project: f.project},
		{Subject: access.SubjectOf(f.brief), Role: "base", Until: time.Now().Add(time.Hour)},
		{Subject: access.SubjectOf(f.late), Role: "base", Until: over},
	} {
		if _, err := w.Assign(t.Context(), w.owner, g); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Until(over))
	return f
}

func holders(t *testing.T, w *world) {
	f := w.family(t)
	for project, want := range map[uuid.UUID][]identity.Caller{uuid.Nil: {w.owner, f.child, f.brief}, f.project: {w.owner, f.child, f.local, f.brief}, uuid.New(): {w.owner, f.child, f.brief}} {
		var got []access.Reason
		r := page.Request{Limit: 1}
		for {
			p, err := w.Holders(t.Context(), w.owner, task.TasksDelete, project, r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.Items...)
			if p.Next == nil {
				break
			}
			r.After = *p.Next
		}
		var who []access.Subject
		for _, x := range got {
			who = append(who, x.Subject())
			if x.Role == "child" && !slices.Equal(x.Path, []string{"child", "base"}) {
				t.Errorf("path %v, want child, base", x.Path)
			}
		}
		for _, c := range want {
			if !slices.Contains(who, access.SubjectOf(c)) || len(got) != len(want) {
				t.Errorf("in %s: %v, want %v", project, who, want)
			}
		}
	}
}

func explained(t *testing.T, w *world) {
	f := w.family(t)
	nobody := w.person(t)
	for _, c := range []struct {
		who     identity.Caller
		p       access.Permission
		project uuid.UUID
		missing string
	}{
		{f.child, task.TasksDelete, uuid.Nil, ""}, {f.local, task.TasksDelete, f.project, ""}, {f.brief, task.TasksDelete, uuid.Nil, ""},
		{f.local, task.TasksDelete, uuid.Nil, access.MissingHere}, {f.late, task.TasksDelete, uuid.Nil, access.MissingNow},
		{f.child, tenancy.TenantWrite, uuid.Nil, access.MissingInRoles}, {nobody, task.TasksRead, uuid.Nil, access.MissingRole}, {f.child, "no:such", uuid.Nil, access.MissingPermission},
	} {
		q := access.Question{Permission: c.p, Project: c.project}
		e, err := w.Explain(t.Context(), c.who, q, 0)
		d, err2 := w.Service.Check(t.Context(), c.who, q, 0)
		if err != nil || err2 != nil || e.Decision != d || e.Missing != c.missing || e.Allowed != (len(e.Grants) > 0) {
			t.Errorf("%s in %s: %+v, %v; decided %+v; want %q missing", c.p, c.project, e, err, d, c.missing)
		}
	}
	e, err := w.Explain(t.Context(), f.child, access.Question{Permission: task.TasksDelete}, 0)
	if err != nil || len(e.Grants) != 1 || !slices.Equal(e.Grants[0].Path, []string{"child", "base"}) || !slices.Contains(e.HeldBy, access.Member) || slices.Contains(e.HeldBy, access.Viewer) {
		t.Errorf("%+v, %v", e, err)
	}
	owner := access.SubjectOf(w.owner)
	_, err = w.Explain(t.Context(), f.child, access.Question{Permission: task.TasksRead, About: &owner}, 0)
	wantKind(t, "explaining others", err, fault.Forbidden)
}

func (w *world) export(t *testing.T) access.DocumentAnswer {
	t.Helper()
	d, err := w.Export(t.Context(), w.owner)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func roundTrip(t *testing.T, w *world) {
	w.family(t)
	if _, err := w.CreatePermission(t.Context(), w.owner, access.PermissionDraft{Name: "own:thing", Description: "x"}); err != nil {
		t.Fatal(err)
	}
	d := w.export(t)
	text, err := json.Marshal(d.Document)
	if err != nil {
		t.Fatal(err)
	}
	var again access.Document
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	got, err := w.Import(t.Context(), w.owner, d.PolicyVersion, again)
	if err != nil || !reflect.DeepEqual(got.Document, d.Document) || got.PolicyVersion != d.PolicyVersion+1 {
		t.Errorf("imported %+v, %v, want the same, and one version more for what was over", got, err)
	}
	d = w.export(t)
	if same, err := w.Import(t.Context(), w.owner, d.PolicyVersion, d.Document); err != nil || same.PolicyVersion != d.PolicyVersion {
		t.Errorf("version %d, %v, want %d still", same.PolicyVersion, err, d.PolicyVersion)
	}
	if e, err := w.DryRun(t.Context(), w.owner, Whole(d.Document)); err != nil || len(e.Subjects) != 0 {
		t.Errorf("a dry run of the same: %+v, %v", e, err)
	}
}

func importWhole(t *testing.T, w *world) {
	f := w.family(t)
	d := w.export(t)
	// Another hierarchy, upside down; a permission, a role and a person new; a role and two people gone.
	next := d.Document
	next.Permissions = []access.PermissionDraft{{Name: "own:thing"}}
	next.Roles = nil
	for _, r := range d.Roles {
		switch r.Name {
		case access.Owner:
			r.Permissions = append(slices.Clone(r.Permissions), "own:thing")
		case "base":
			r.Parents = []string{"child"}
		case "child":
			r.Parents = []string{"zz"}
		case access.Manager:
			continue
		}
		next.Roles = append(next.Roles, r)
	}
	next.Roles = append(next.Roles, access.RoleDraft{Name: "zz", Permissions: []access.Permission{"own:thing"}})
	next.Assignments = slices.DeleteFunc(slices.Clone(d.Assignments), func(a access.DocumentAssignment) bool { return a.Role == "base" })
	fresh := w.person(t)
	next.Assignments = append(next.Assignments, access.DocumentAssignment{SubjectKind: access.KindUser, SubjectID: fresh.User.String(), Role: "base"})
	_, err := w.Import(t.Context(), w.owner, d.PolicyVersion-1, next)
	wantKind(t, "an old version", err, fault.Precondition)
	got, err := w.Import(t.Context(), w.owner, d.PolicyVersion, next)
	if err != nil || got.PolicyVersion != d.PolicyVersion+1 {
		t.Fatalf("%+v, %v", got, err)
	}
	w.wantHolds(t, fresh, "own:thing", uuid.Nil, true)
	w.wantHolds(t, f.child, "own:thing", uuid.Nil, true)
	w.wantHolds(t, f.child, task.TasksDelete, uuid.Nil, false)
	w.wantHolds(t, f.local, task.TasksDelete, f.project, false)
	if c := w.changes(t, d.PolicyVersion); len(c) != 1 || c[0].Action != "policy.imported" {
		t.Errorf("changes %+v, want one", c)
	}
	if kept := w.role(t, access.Viewer); kept.Version != 1 {
		t.Errorf("what is the same has version %d, want 1", kept.Version)
	}
}

func importPoints(t *testing.T, w *world) {
	before := w.export(t)
	d := before.Document
	d.Permissions = []access.PermissionDraft{{Name: "bad"}, {Name: task.TasksRead}, {Name: "x:y"}, {Name: "x:y"}}
	d.Roles = append(slices.Clone(d.Roles), access.RoleDraft{Name: "", Permissions: []access.Permission{task.TasksRead, "no:such"}, Parents: []string{"none"}}, access.RoleDraft{Name: access.Viewer})
	d.Assignments = append(slices.Clone(d.Assignments), access.DocumentAssignment{SubjectKind: "robot", Role: "none"}, d.Assignments[0])
	roles, people := len(before.Roles), len(before.Assignments)
	want := []string{
		"/permissions/0/name", "/permissions/1/name", "/permissions/3/name",
		"/roles/0/permissions", fmt.Sprintf("/roles/%d/name", roles), fmt.Sprintf("/roles/%d/parents/0", roles), fmt.Sprintf("/roles/%d/permissions/1", roles),
		fmt.Sprintf("/roles/%d/name", roles+1), fmt.Sprintf("/assignments/%d/subject_kind", people), fmt.Sprintf("/assignments/%d/role", people), fmt.Sprintf("/assignments/%d", people+1),
	}
	for what, try := range map[string]func() error{
		"import":  func() error { _, err := w.Import(t.Context(), w.owner, before.PolicyVersion, d); return err },
		"dry run": func() error { _, err := w.DryRun(t.Context(), w.owner, Whole(d)); return err },
	} {
		var got []string
		if f := fault.As(try()); f != nil {
			for _, x := range f.Fields {
				got = append(got, x.Pointer)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s points at %v, want %v", what, got, want)
		}
	}
	cycle := before.Document
	cycle.Roles = append(slices.Clone(cycle.Roles), access.RoleDraft{Name: "a", Parents: []string{"b"}}, access.RoleDraft{Name: "b", Parents: []string{"a"}})
	_, err := w.Import(t.Context(), w.owner, before.PolicyVersion, cycle)
	wantKind(t, "a cycle", err, fault.Conflict)
	nobody := before.Document
	nobody.Assignments = []access.DocumentAssignment{}
	_, err = w.Import(t.Context(), w.owner, before.PolicyVersion, nobody)
	wantKind(t, "no owner", err, fault.Conflict)
	_, err = w.Import(t.Context(), w.owner, before.PolicyVersion, access.Document{})
	wantKind(t, "nothing", err, fault.Invalid)
	if w.snapshot(t).Version != before.PolicyVersion {
		t.Error("a refused document changed something")
	}
}

func importAsks(t *testing.T, w *world) {
	ctx, admin := t.Context(), w.person(t, access.Admin)
	d := w.export(t)
	import1 := func(change func(*access.Document)) error {
		next := d.Document
		next.Roles, next.Assignments = slices.Clone(next.Roles), slices.Clone(next.Assignments)
		change(&next)
		_, err := w.Import(ctx, admin, w.snapshot(t).Version, next)
		return err
	}
	self := access.DocumentAssignment{SubjectKind: access.KindUser, SubjectID: admin.User.String(), Role: access.Owner}
	wantKind(t, "an admin makes themselves owner", import1(func(x *access.Document) { x.Assignments = append(x.Assignments, self) }), fault.Forbidden)
	wantKind(t, "an admin strengthens their role", import1(func(x *access.Document) { x.Roles[1].Permissions = x.Roles[0].Permissions }), fault.Forbidden)
	wantKind(t, "an admin removes the owner", import1(func(x *access.Document) {
		x.Assignments = slices.DeleteFunc(x.Assignments, func(a access.DocumentAssignment) bool { return a.SubjectID == w.owner.User.String() })
	}), fault.Conflict)
	if err := import1(func(x *access.Document) {
		x.Roles = append(x.Roles, access.RoleDraft{Name: "helper", Parents: []string{access.Viewer}})
		self.Role = "helper"
		x.Assignments = append(x.Assignments, self)
	}); err != nil {
		t.Errorf("an admin gives what they hold: %v", err)
	}
	_, err := w.Import(ctx, w.person(t, access.Member), w.snapshot(t).Version, d.Document)
	wantKind(t, "a member imports", err, fault.Forbidden)
	past := access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Owner, Until: time.Now().Add(2 * time.Second)}
	if _, err := w.Assign(ctx, w.owner, past); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(past.Until) + time.Millisecond)
	d = w.export(t)
	if err := import1(func(*access.Document) {}); err != nil {
		t.Errorf("an admin imports what was exported, where an owner is over: %v", err)
	}
}

func dryRun(t *testing.T, w *world) {
	f := w.family(t)
	d := w.export(t)
	next := d.Document
	next.Roles = slices.Clone(next.Roles)
	i := slices.IndexFunc(next.Roles, func(r access.RoleDraft) bool { return r.Name == "base" })
	next.Roles[i].Permissions = []access.Permission{task.TasksWrite}
	e, err := w.DryRun(t.Context(), w.owner, Whole(next))
	if err != nil || e.PolicyVersion != d.PolicyVersion || len(e.Subjects) != 3 {
		t.Fatalf("%+v, %v, want three subjects", e, err)
	}
	for _, s := range e.Subjects {
		local := s.SubjectID == f.local.User.String()
		if !slices.Equal(s.Gains, []access.Permission{task.TasksWrite}) || !slices.Equal(s.Loses, []access.Permission{task.TasksDelete}) || (s.ProjectID != nil) != local || local && *s.ProjectID != f.project {
			t.Errorf("%+v", s)
		}
	}
	if got := w.export(t); !reflect.DeepEqual(got, d) {
		t.Error("a dry run changed something")
	}
}
