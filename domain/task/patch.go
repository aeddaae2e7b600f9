package task

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/patch"
)

// ProjectPatch changes a project.
type ProjectPatch struct {
	Name, Description patch.Field[string]
	Statuses          patch.Field[[]Status]
	Archived          patch.Field[bool]
}

// Patch changes a task.
type Patch struct {
	Title, Description, Status, Priority patch.Field[string]
	Assignees                            patch.Field[[]uuid.UUID]
	Labels                               patch.Field[[]string]
	StartAt, DueAt                       patch.Field[time.Time]
	EstimateMinutes                      patch.Field[int64]
	ParentID                             patch.Field[uuid.UUID]
}

func (d ProjectPatch) to(p Project, now time.Time) (Project, error) {
	d.Name.Apply(&p.Name)
	d.Description.Apply(&p.Description)
	d.Statuses.Apply(&p.Statuses)
	if d.Archived.Set && !d.Archived.Null && d.Archived.To != (p.ArchivedAt != nil) {
		p.ArchivedAt = nil
		if d.Archived.To {
			p.ArchivedAt = &now
		}
	}
	p.Name = strings.TrimSpace(p.Name)
	p.Version, p.UpdatedAt = p.Version+1, now
	return p, p.check()
}

// Normal returns p with its values as tasks keep them, and fault.Invalid if
// one of them is wrong whatever task it is for.
func (p Patch) Normal() (Patch, error) {
	p.Title.To = strings.TrimSpace(p.Title.To)
	p.StartAt.To, p.DueAt.To = *inUTC(&p.StartAt.To), *inUTC(&p.DueAt.To)
	blank := Task{ID: uuid.Max, ProjectID: uuid.Max, Title: "x", Priority: priorityNormal}
	if err := p.set(&blank).check(); err != nil { // before set, for a pointer counts what is named twice
		return p, err
	}
	p.Assignees.To, p.Labels.To = set(p.Assignees.To), set(p.Labels.To)
	return p, nil
}

// Fields returns what p names, by the names that tasks give it; nil clears.
func (p Patch) Fields() map[string]any {
	all := map[string]any{}
	name(all, "title", p.Title, false)
	name(all, "description", p.Description, false)
	name(all, "status", p.Status, false)
	name(all, "priority", p.Priority, false)
	name(all, "assignees", p.Assignees, false)
	name(all, "labels", p.Labels, false)
	name(all, "start_at", p.StartAt, true)
	name(all, "due_at", p.DueAt, true)
	name(all, "estimate_minutes", p.EstimateMinutes, true)
	name(all, "parent_id", p.ParentID, true)
	return all
}

func name[T any](all map[string]any, field string, f patch.Field[T], nullable bool) {
	switch {
	case f.Null && nullable:
		all[field] = nil
	case f.Set && !f.Null:
		all[field] = f.To
	}
}

func (p Patch) set(t *Task) *Task {
	p.Title.Apply(&t.Title)
	p.Description.Apply(&t.Description)
	p.Status.Apply(&t.Status)
	p.Priority.Apply(&t.Priority)
	p.Assignees.Apply(&t.Assignees)
	p.Labels.Apply(&t.Labels)
	p.StartAt.ApplyNullable(&t.StartAt)
	p.DueAt.ApplyNullable(&t.DueAt)
	p.EstimateMinutes.ApplyNullable(&t.EstimateMinutes)
	p.ParentID.ApplyNullable(&t.ParentID)
	return t
}

// Apply returns the next version of t, a task of project, or t where nothing
// differs. It returns fault.Conflict when the project is archived or has no such
// transition, and fault.Invalid when the two do not fit otherwise.
func (p Patch) Apply(t Task, project Project, now time.Time) (Task, error) {
	before := t
	if p.set(&t); !t.tells(before) {
		t.Version, t.UpdatedAt = t.Version+1, now
	}
	if err := project.takes(t); err != nil {
		return t, err
	}
	if !project.allows(before.Status, t.Status) {
		return t, &fault.Error{Kind: fault.Conflict, Code: "transition_not_allowed", Message: "the project does not let a task go from its status to this one",
			Fields: []fault.Field{{Pointer: "/status", Code: "transition_not_allowed", Message: "see the project's statuses"}}}
	}
	return t, t.check()
}

// takes reports whether t fits p.
func (p Project) takes(t Task) error {
	if p.ArchivedAt != nil {
		return ErrArchived()
	}
	var c fault.Check
	c.That(hasStatus(p.Statuses, t.Status), "/status", "unknown_value", "the project has no such status")
	return c.Err()
}

// Place gives t, a new task, its place as the number-th of p, or says why it
// has none there; errors as Patch.Apply.
func (p Project) Place(t Task, number int64) (Task, error) {
	if t.Status == "" && len(p.Statuses) > 0 {
		t.Status = p.Statuses[0].Name
	}
	t.Number, t.Key, t.Rank = number, keyOf(p.Key, number), FirstRank(number)
	return t, p.takes(t)
}

// ErrArchived says that a project's tasks stay as they are.
func ErrArchived() error {
	return fault.New(fault.Conflict, "project_archived", "the project is archived: its tasks stay as they are")
}

// ErrParent says that a task cannot be a part of the one named.
func ErrParent() error {
	return fault.InvalidAt("/parent_id", "invalid_parent", "it names no task of the project, or one that is a part of this")
}
