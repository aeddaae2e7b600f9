package conformance

import (
	"slices"
	"testing"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// Whole proposes a document in the place of the policy.
func Whole(d access.Document) access.Proposal {
	return access.Proposal{Permissions: &d.Permissions, Roles: &d.Roles, Assignments: &d.Assignments}
}

func given(who identity.Caller, role string) access.DocumentAssignment {
	s := access.SubjectOf(who)
	return access.DocumentAssignment{SubjectKind: s.Kind(), SubjectID: s.ID(), Role: role}
}

// proposed proposes one thing after another, and looks at what a subject would
// gain and lose.
func proposed(t *testing.T, w *world) {
	f, admin, nobody := w.family(t), w.person(t, access.Admin), w.person(t)
	before, nothing := w.export(t), []access.Permission{}
	local := given(f.local, "base")
	local.ProjectID = &f.project
	for what, c := range map[string]struct {
		p            access.Proposal
		subjects     int
		who          identity.Caller
		gains, loses []access.Permission
	}{
		"nothing":                       {access.Proposal{}, 0, nobody, nil, nil},
		"a role given":                  {access.Proposal{Put: &access.PolicyPut{Assignments: []access.DocumentAssignment{given(nobody, "base")}}}, 1, nobody, []access.Permission{task.TasksDelete}, nothing},
		"a role taken away":             {access.Proposal{Drop: &access.PolicyDrop{Assignments: []access.DocumentAssignment{given(f.child, "child")}}}, 1, f.child, nothing, []access.Permission{task.TasksDelete, task.TasksRead}},
		"a role taken away, in project": {access.Proposal{Drop: &access.PolicyDrop{Assignments: []access.DocumentAssignment{local}}}, 1, f.local, nothing, []access.Permission{task.TasksDelete}},
		"a role changed": {access.Proposal{Put: &access.PolicyPut{Roles: []access.RoleDraft{{Name: "base", Permissions: []access.Permission{task.TasksWrite}}}}},
			3, f.child, []access.Permission{task.TasksWrite}, []access.Permission{task.TasksDelete}},
		"a role removed":   {access.Proposal{Drop: &access.PolicyDrop{Roles: []string{"base"}}}, 3, f.child, nothing, []access.Permission{task.TasksDelete}},
		"a permission new": {access.Proposal{Put: &access.PolicyPut{Permissions: []access.PermissionDraft{{Name: "own:thing"}}}}, 2, admin, []access.Permission{"own:thing"}, nothing},
		"one role moved to another": {access.Proposal{Drop: &access.PolicyDrop{Assignments: []access.DocumentAssignment{given(f.child, "child")}},
			Put: &access.PolicyPut{Assignments: []access.DocumentAssignment{given(f.child, "base")}}}, 1, f.child, nothing, []access.Permission{task.TasksRead}},
	} {
		e, err := w.DryRun(t.Context(), w.owner, c.p)
		if err != nil || len(e.Subjects) != c.subjects || e.PolicyVersion != before.PolicyVersion {
			t.Errorf("%s: %+v, %v, want %d subjects", what, e, err, c.subjects)
			continue
		}
		i := slices.IndexFunc(e.Subjects, func(s access.Difference) bool { return s.SubjectID == c.who.User.String() })
		if c.subjects > 0 && (i < 0 || !slices.Equal(e.Subjects[i].Gains, c.gains) || !slices.Equal(e.Subjects[i].Loses, c.loses)) {
			t.Errorf("%s: %+v, want that %s gains %v and loses %v", what, e.Subjects, c.who.User, c.gains, c.loses)
		}
	}
	if after := w.export(t); after.PolicyVersion != before.PolicyVersion {
		t.Errorf("proposing changed version %d to %d", before.PolicyVersion, after.PolicyVersion)
	}
	_, err := w.DryRun(t.Context(), nobody, access.Proposal{})
	wantKind(t, "a proposal by nobody", err, fault.Forbidden)
}

func proposalPoints(t *testing.T, w *world) {
	ctx, owner := t.Context(), given(w.owner, access.Owner)
	_, err := w.DryRun(ctx, w.owner, access.Proposal{
		Drop: &access.PolicyDrop{Permissions: []access.Permission{task.TasksRead}, Roles: []string{access.Member, "none", access.Owner}, Assignments: []access.DocumentAssignment{given(w.owner, access.Member)}},
	})
	wantPointers(t, err, "/drop/permissions/0", "/drop/roles/1", "/drop/roles/2", "/drop/assignments/0")
	_, err = w.DryRun(ctx, w.owner, access.Proposal{Put: &access.PolicyPut{
		Permissions: []access.PermissionDraft{{Name: "bad"}},
		Roles:       []access.RoleDraft{{Name: "clerk"}, {Name: "boss", Permissions: []access.Permission{"no:such"}}},
		Assignments: []access.DocumentAssignment{given(w.owner, "none")},
	}})
	wantPointers(t, err, "/put/permissions/0/name", "/put/roles/1/permissions/0", "/put/assignments/0/role")
	_, err = w.DryRun(ctx, w.owner, access.Proposal{Put: &access.PolicyPut{Roles: []access.RoleDraft{{Name: "a", Parents: []string{"b"}}, {Name: "b", Parents: []string{"a"}}}}})
	wantKind(t, "a cycle", err, fault.Conflict)
	_, err = w.DryRun(ctx, w.owner, access.Proposal{Drop: &access.PolicyDrop{Assignments: []access.DocumentAssignment{owner}}})
	wantKind(t, "the last owner dropped", err, fault.Conflict)
}

func wantPointers(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	if f := fault.As(err); f != nil {
		for _, x := range f.Fields {
			got = append(got, x.Pointer)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v points at %v, want %v", err, got, want)
	}
}
