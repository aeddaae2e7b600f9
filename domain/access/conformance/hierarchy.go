package conformance

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

func (w *world) make(t *testing.T, d access.RoleDraft) access.Role {
	t.Helper()
	r, err := w.CreateRole(t.Context(), w.owner, d)
	if err != nil {
		t.Fatalf("role %q: %v", d.Name, err)
	}
	return r.Role
}

func (w *world) wantHolds(t *testing.T, who identity.Caller, p access.Permission, project uuid.UUID, want bool) {
	t.Helper()
	d, err := w.Check(t.Context(), who, nil, p, project)
	if err != nil || d.Allowed != want {
		t.Errorf("%s in %s: %v, %v, want %v", p, project, d.Allowed, err, want)
	}
}

func inherits(t *testing.T, w *world) {
	w.make(t, access.RoleDraft{Name: "reader", Permissions: []access.Permission{task.TasksRead}})
	w.make(t, access.RoleDraft{Name: "writer", Parents: []string{"reader", "reader"}, Permissions: []access.Permission{task.TasksWrite}})
	r := w.make(t, access.RoleDraft{Name: "boss", Parents: []string{"writer", access.Viewer}})
	if got, err := w.Role(t.Context(), w.owner, r.ID); err != nil || !slices.Equal(got.Parents, []string{access.Viewer, "writer"}) {
		t.Errorf("parents %v, %v", got.Parents, err)
	}
	boss := w.person(t, "boss")
	for p, want := range map[access.Permission]bool{task.TasksRead: true, task.TasksWrite: true, report.ReportsRead: true, task.TasksDelete: false} {
		w.wantHolds(t, boss, p, uuid.Nil, want)
	}
	wantKind(t, "deleting a parent", w.DeleteRole(t.Context(), w.owner, w.role(t, "writer").ID, 1), fault.Conflict)
	if _, err := w.UpdateRole(t.Context(), w.owner, r.ID, 1, access.RolePatch{Parents: &[]string{}}); err != nil {
		t.Fatal(err)
	}
	w.wantHolds(t, boss, task.TasksRead, uuid.Nil, false)
	_, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "orphan", Parents: []string{"none"}})
	if f := fault.As(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != "/parents/0" {
		t.Errorf("%v, want /parents/0 named", err)
	}
	admin := w.person(t, access.Admin)
	_, err = w.CreateRole(t.Context(), admin, access.RoleDraft{Name: "climber", Parents: []string{access.Owner}})
	wantKind(t, "an admin inherits from owner", err, fault.Forbidden)
}

func cycleIsNamed(t *testing.T, w *world) {
	a := w.make(t, access.RoleDraft{Name: "a,b"})
	w.make(t, access.RoleDraft{Name: "c", Parents: []string{"a,b"}})
	for parent, cycle := range map[string]string{"c": `"a,b" -> "c" -> "a,b"`, "a,b": `"a,b" -> "a,b"`} {
		_, err := w.UpdateRole(t.Context(), w.owner, a.ID, a.Version, access.RolePatch{Parents: &[]string{parent}})
		if f := fault.As(err); f == nil || f.Kind != fault.Conflict || f.Code != "role_cycle" || !strings.Contains(f.Error(), cycle) && !strings.Contains(f.Error(), `"c" -> "a,b" -> "c"`) {
			t.Errorf("%v, want a conflict that names %s", err, cycle)
		}
	}
}

func depthIsBounded(t *testing.T, w *world) {
	w.make(t, access.RoleDraft{Name: "0", Permissions: []access.Permission{task.TasksRead}})
	for i := 1; i < access.MaxDepth; i++ {
		w.make(t, access.RoleDraft{Name: fmt.Sprint(i), Parents: []string{fmt.Sprint(i - 1)}})
	}
	w.wantHolds(t, w.person(t, fmt.Sprint(access.MaxDepth-1)), task.TasksRead, uuid.Nil, true)
	_, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "deeper", Parents: []string{fmt.Sprint(access.MaxDepth - 1)}})
	wantKind(t, "one deeper", err, fault.Conflict)
	base := w.role(t, "0")
	_, err = w.UpdateRole(t.Context(), w.owner, base.ID, base.Version, access.RolePatch{Parents: &[]string{access.Viewer}})
	wantKind(t, "one below all", err, fault.Conflict)
}

func renamedParent(t *testing.T, w *world) {
	base := w.make(t, access.RoleDraft{Name: "base", Permissions: []access.Permission{task.TasksRead}})
	w.make(t, access.RoleDraft{Name: "child", Parents: []string{"base"}})
	given, err := w.Assign(t.Context(), w.owner, access.Grant{Subject: access.Subject{Client: "robot"}, Role: "base"})
	if err != nil {
		t.Fatal(err)
	}
	name := "ground"
	if _, err := w.UpdateRole(t.Context(), w.owner, base.ID, 1, access.RolePatch{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if got := w.role(t, "child"); !slices.Equal(got.Parents, []string{name}) || got.Version != 2 {
		t.Errorf("%+v, want a new version with the parent %s", got, name)
	}
	if got, err := w.Assignment(t.Context(), w.owner, given.ID); err != nil || got.Role != name || got.Version != 2 {
		t.Errorf("%+v, %v, want a new version of the role %s", got, err, name)
	}
	describe := "Below all"
	if _, err := w.UpdateRole(t.Context(), w.owner, base.ID, 2, access.RolePatch{Description: &describe}); err != nil {
		t.Fatal(err)
	}
	if got := w.role(t, "child"); got.Version != 2 {
		t.Errorf("what shows nothing new has version %d, want 2", got.Version)
	}
	w.wantHolds(t, w.person(t, "child"), task.TasksRead, uuid.Nil, true)
}

func projectRole(t *testing.T, w *world) {
	ctx, who, here, there := t.Context(), w.person(t), uuid.New(), uuid.New()
	g := access.Grant{Subject: access.SubjectOf(who), Role: access.Member, Project: here}
	if _, err := w.Assign(ctx, w.owner, g); err != nil {
		t.Fatal(err)
	}
	w.wantHolds(t, who, task.TasksWrite, here, true)
	w.wantHolds(t, who, task.TasksWrite, there, false)
	w.wantHolds(t, who, task.TasksWrite, uuid.Nil, false)
	for project, want := range map[uuid.UUID]int{here: 1, there: 0} {
		p, err := w.Assignments(ctx, w.owner, access.AssignmentFilter{ProjectID: project.String()}, page.Request{Limit: 10})
		if err != nil || len(p.Items) != want {
			t.Errorf("%d assignments for the project, %v, want %d", len(p.Items), err, want)
		}
	}
	if err := w.Unassign(ctx, w.owner, g.Subject, g.Role, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	w.wantHolds(t, who, task.TasksWrite, here, true)
	if err := w.Unassign(ctx, w.owner, g.Subject, g.Role, here); err != nil {
		t.Fatal(err)
	}
	w.wantHolds(t, who, task.TasksWrite, here, false)

	local := access.Grant{Subject: access.SubjectOf(who), Role: access.Admin, Project: here}
	if _, err := w.Assign(ctx, w.owner, local); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Assign(ctx, who, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Member, Project: here}); err != nil {
		t.Errorf("an admin of a project gives a role there: %v", err)
	}
	_, err := w.Assign(ctx, who, access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Member})
	wantKind(t, "and everywhere", err, fault.Forbidden)
}

func roleEnds(t *testing.T, w *world) {
	ctx, who := t.Context(), w.person(t)
	g := access.Grant{Subject: access.SubjectOf(who), Role: access.Member, Until: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
	first, err := w.Assign(ctx, w.owner, g)
	if err != nil {
		t.Fatal(err)
	}
	version := w.snapshot(t).Version
	if again, err := w.Assign(ctx, w.owner, g); err != nil || !again.Again || first.Again || !reflect.DeepEqual(again.AssignmentAnswer, first.AssignmentAnswer) || w.snapshot(t).Version != version {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	g.Until = time.Now().Add(time.Second).UTC().Truncate(time.Microsecond)
	shorter, err := w.Assign(ctx, w.owner, g)
	if err != nil || shorter.ID != first.ID || !shorter.End().Equal(g.Until) {
		t.Fatalf("shortened to %+v, %v", shorter, err)
	}
	if s := w.snapshot(t); s.Version != version+1 || !reflect.DeepEqual(s.Assignments[len(s.Assignments)-1], shorter.Assignment) {
		t.Errorf("%+v, want version %d with %+v", s.Assignments, version+1, shorter)
	}
	time.Sleep(time.Until(g.Until))
	w.wantHolds(t, who, task.TasksRead, uuid.Nil, false)
	g.Until = time.Now().Add(-time.Second)
	_, err = w.Assign(ctx, w.owner, g)
	wantKind(t, "an end in the past", err, fault.Invalid)
}

func nobodyGivesLonger(t *testing.T, w *world) {
	ctx, temp := t.Context(), w.person(t)
	until := time.Now().Add(time.Hour)
	self := access.Grant{Subject: access.SubjectOf(temp), Role: access.Admin, Until: until}
	if _, err := w.Assign(ctx, w.owner, self); err != nil {
		t.Fatal(err)
	}
	for what, end := range map[string]time.Time{"without end": {}, "for longer": until.Add(time.Hour), "a moment longer": until.Add(time.Microsecond)} {
		self.Until = end
		_, err := w.Assign(ctx, temp, self)
		wantKind(t, "keeping a role "+what, err, fault.Forbidden)
	}
	for what, end := range map[string]time.Time{"shorter": until.Add(-time.Minute), "as long": until} {
		if _, err := w.Assign(ctx, temp, access.Grant{Subject: access.Subject{Client: "robot " + what}, Role: access.Member, Until: end}); err != nil {
			t.Errorf("giving for %s: %v", what, err)
		}
	}
	w.make(t, access.RoleDraft{Name: "heir", Parents: []string{access.Owner}})
	for role, want := range map[string]fault.Kind{access.Viewer: fault.Forbidden, "none": fault.NotFound} {
		_, err := w.Givable(ctx, w.platform, access.SubjectOf(temp), role)
		wantKind(t, "passing on "+role, err, want)
	}
	admin := access.SubjectOf(w.person(t, access.Admin))
	_, heir := w.Givable(ctx, w.platform, admin, "heir")
	wantKind(t, "passing on what inherits from owner", heir, fault.Forbidden)
	_, person := w.Givable(ctx, w.owner, admin, access.Viewer)
	wantKind(t, "asking as a person", person, fault.Forbidden)
	if id, err := w.Givable(ctx, w.platform, admin, access.Manager); err != nil || id != w.role(t, access.Manager).ID {
		t.Errorf("an admin passes on manager: %s, %v", id, err)
	}
	robot, idle := access.Subject{Client: "robot without end"}, access.Subject{Client: "idle"}
	if _, err := w.Assign(ctx, w.owner, access.Grant{Subject: robot, Role: access.Owner}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "acting as a stronger client", w.Covers(ctx, w.platform, admin, robot), fault.Forbidden)
	wantKind(t, "asking it as a person", w.Covers(ctx, w.owner, access.SubjectOf(w.owner), robot), fault.Forbidden)
	if strong, none := w.Covers(ctx, w.platform, access.SubjectOf(w.owner), robot), w.Covers(ctx, w.platform, admin, idle); strong != nil || none != nil {
		t.Errorf("the owner acts as an owner: %v; an admin as one who has no role: %v", strong, none)
	}
	owner := access.Grant{Subject: access.SubjectOf(w.owner), Role: access.Owner, Until: until}
	_, err := w.Assign(ctx, w.owner, owner)
	wantKind(t, "the last owner shortens themselves", err, fault.Conflict)
}
