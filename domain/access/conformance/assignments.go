package conformance

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
)

func assignmentVersions(t *testing.T, w *world) {
	ctx, who, admin := t.Context(), w.person(t), w.person(t, access.Admin)
	a, err := w.Assign(ctx, admin, access.Grant{Subject: access.SubjectOf(who), Role: access.Member})
	if err != nil || a.Version != 1 {
		t.Fatalf("given: %+v, %v", a, err)
	}
	until := access.AssignmentPatch{Until: patch.To(time.Now().Add(time.Hour))}
	shorter, err := w.UpdateAssignment(ctx, admin, a.ID, 1, until)
	if err != nil || shorter.Version != 2 || shorter.Until == nil || shorter.PolicyVersion != a.PolicyVersion+1 {
		t.Fatalf("shortened: %+v, %v", shorter, err)
	}
	if got, err := w.Assignment(ctx, admin, a.ID); err != nil || got.Version != 2 || !got.End().Equal(shorter.End()) {
		t.Errorf("read: %+v, %v, want %+v", got, err, shorter)
	}
	if same, err := w.UpdateAssignment(ctx, admin, a.ID, 2, access.AssignmentPatch{}); err != nil || same.Version != 2 || same.PolicyVersion != shorter.PolicyVersion {
		t.Errorf("nothing changed: %+v, %v", same, err)
	}
	_, err = w.UpdateAssignment(ctx, admin, a.ID, 1, until)
	wantKind(t, "an old version", err, fault.Precondition)
	_, err = w.UpdateAssignment(ctx, admin, uuid.New(), 1, until)
	wantKind(t, "one that is not there", err, fault.NotFound)
	_, err = w.UpdateAssignment(ctx, who, a.ID, 2, access.AssignmentPatch{Until: patch.Field[time.Time]{Set: true, Null: true}})
	wantKind(t, "a member keeps their role", err, fault.Forbidden)
	_, err = w.UpdateAssignment(ctx, admin, a.ID, 2, access.AssignmentPatch{Until: patch.To(time.Now().Add(-time.Hour))})
	wantKind(t, "an end in the past", err, fault.Invalid)
	longer, err := w.UpdateAssignment(ctx, admin, a.ID, 2, access.AssignmentPatch{Until: patch.Field[time.Time]{Set: true, Null: true}})
	if err != nil || longer.Version != 3 || longer.Until != nil {
		t.Errorf("without end: %+v, %v", longer, err)
	}
	for _, x := range w.snapshot(t).Assignments {
		if x.Role == access.Owner {
			_, err = w.UpdateAssignment(ctx, w.owner, x.ID, x.Version, until)
			wantKind(t, "the last owner ends", err, fault.Conflict)
			_, err = w.UpdateAssignment(ctx, admin, x.ID, x.Version, until)
			wantKind(t, "an admin ends the owner", err, fault.Forbidden)
		}
	}
}

// Who is admin of a project alone sees and changes who has which role there,
// and nothing of what is elsewhere.
func projectAdmin(t *testing.T, w *world) {
	ctx, admin, all := t.Context(), w.person(t), page.Request{Limit: 100}
	here, there := uuid.New(), uuid.New()
	if _, err := w.Assign(ctx, w.owner, access.Grant{Subject: access.SubjectOf(admin), Role: access.Admin, Project: here}); err != nil {
		t.Fatal(err)
	}
	robot := access.Grant{Subject: access.Subject{Client: "robot"}, Role: access.Member, Project: here}
	mine, err := w.Assign(ctx, admin, robot)
	if err != nil {
		t.Fatal(err)
	}
	robot.Project = there
	other, err := w.Assign(ctx, w.owner, robot)
	if err != nil {
		t.Fatal(err)
	}
	until := access.AssignmentPatch{Until: patch.To(time.Now().Add(time.Hour))}
	for project, c := range map[uuid.UUID]struct {
		id   uuid.UUID
		want fault.Kind
		n    int
	}{here: {mine.ID, none, 2}, there: {other.ID, fault.Forbidden, 0}, uuid.Nil: {uuid.New(), fault.Forbidden, 0}} {
		list, err1 := w.Assignments(ctx, admin, access.AssignmentFilter{ProjectID: project.String()}, all)
		holders, err2 := w.Holders(ctx, admin, task.TasksWrite, project, all)
		_, err3 := w.Assignment(ctx, admin, c.id)
		_, err4 := w.UpdateAssignment(ctx, admin, c.id, 1, until)
		for what, err := range map[string]error{"a list": err1, "holders": err2, "one": err3, "a change": err4} {
			if c.want == none && err != nil || c.want != none && !fault.Is(err, c.want) {
				t.Errorf("%s in %s: %v, want %v", what, project, err, c.want)
			}
		}
		if len(list.Items) != c.n || (len(holders.Items) > 0) != (c.want == none) {
			t.Errorf("in %s there are %d assignments and %d holders, want %d", project, len(list.Items), len(holders.Items), c.n)
		}
	}
}

const none = fault.Internal // of the kinds: no failure
