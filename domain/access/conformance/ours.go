package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/patch"
)

// Without its role the reports service would fail for the whole tenant.
func oursKeepTheirs(t *testing.T, w *world) {
	ctx, reports, later := t.Context(), access.Subject{Client: access.ReportsClient}, time.Now().Add(time.Hour)
	before := w.export(t)
	is := func(a access.DocumentAssignment) bool { return a.SubjectID == reports.Client }
	all := w.snapshot(t).Assignments
	seeded := all[slices.IndexFunc(all, func(a access.Assignment) bool { return a.SubjectID == reports.Client })]

	again := access.Grant{Subject: reports, Role: access.Viewer}
	brief, more, other := again, again, again
	brief.Until, more.Role, other.Client = later, access.Admin, "svc-tasks"
	for what, g := range map[string]access.Grant{"an end": brief, "another role": more, "another client": other} {
		_, err := w.Assign(ctx, w.owner, g)
		wantKept(t, what, err, fault.Conflict)
	}
	_, err := w.UpdateAssignment(ctx, w.owner, seeded.ID, seeded.Version, access.AssignmentPatch{Until: patch.To(later)})
	wantKept(t, "an end by its version", err, fault.Conflict)
	wantKept(t, "a deletion", w.Unassign(ctx, w.owner, reports, access.Viewer, uuid.Nil), fault.Conflict)
	if same, err := w.Assign(ctx, w.owner, again); err != nil || same.PolicyVersion != before.PolicyVersion {
		t.Errorf("giving what it has: %+v, %v", same, err)
	}

	without, ended, roleless := before.Document, before.Document, before.Document
	without.Assignments = slices.DeleteFunc(slices.Clone(without.Assignments), is)
	ended.Assignments = slices.Clone(ended.Assignments)
	at := slices.IndexFunc(ended.Assignments, is)
	ended.Assignments[at].Until = &later
	roleless.Assignments = without.Assignments
	roleless.Roles = slices.DeleteFunc(slices.Clone(roleless.Roles), func(r access.RoleDraft) bool { return r.Name == access.Viewer })
	for what, d := range map[string]access.Document{"ended": ended, "without its role": roleless} {
		_, err := w.Import(ctx, w.owner, before.PolicyVersion, d)
		wantKept(t, what, err, fault.Invalid)
		_, err = w.DryRun(ctx, w.owner, Whole(d))
		wantKept(t, what+", a dry run", err, fault.Invalid)
	}
	if e, err := w.DryRun(ctx, w.owner, Whole(without)); err != nil || len(e.Subjects) != 0 {
		t.Errorf("a dry run that does not name it: %+v, %v", e, err)
	}
	if got, err := w.Import(ctx, w.owner, before.PolicyVersion, without); err != nil || got.PolicyVersion != before.PolicyVersion || !slices.ContainsFunc(got.Assignments, is) {
		t.Errorf("an import that does not name it: %+v, %v", got, err)
	}
	_, err = w.DryRun(ctx, w.owner, access.Proposal{Drop: &access.PolicyDrop{Roles: []string{access.Viewer}}})
	wantPointers(t, err, "/drop/roles/0")
	_, err = w.DryRun(ctx, w.owner, access.Proposal{Drop: &access.PolicyDrop{Assignments: []access.DocumentAssignment{ended.Assignments[at]}}})
	wantKept(t, "dropped in a dry run", err, fault.Invalid)

	if err := w.Unassign(ctx, w.platform, reports, access.Viewer, uuid.Nil); err != nil {
		t.Errorf("the platform takes it away: %v", err)
	}
	if _, err := w.Assign(ctx, w.owner, again); err != nil {
		t.Errorf("the owner gives it back: %v", err)
	}
}

// wantKept looks for the code in err or, if it is about a document, in its first field.
func wantKept(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	const code = "platform_assignment"
	f := fault.As(err)
	if f == nil || f.Kind != kind || f.Code != code && (len(f.Fields) == 0 || f.Fields[0].Code != code) {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
