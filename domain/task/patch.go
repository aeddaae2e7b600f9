package task

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/patch"
)

// ProjectPatch changes a project.
type ProjectPatch struct {
	Name        patch.Field[string]
	Description patch.Field[string]
}

// TaskPatch changes a task.
type TaskPatch struct {
	Title, Description, Status, Priority patch.Field[string]
	AssigneeID                           patch.Field[uuid.UUID]
	DueAt                                patch.Field[time.Time]
}

func (d ProjectPatch) to(p Project, now time.Time) (Project, error) {
	d.Name.Apply(&p.Name)
	d.Description.Apply(&p.Description)
	p.Name = strings.TrimSpace(p.Name)
	p.Version, p.UpdatedAt = p.Version+1, now
	return p, p.check()
}

func (d TaskPatch) to(t Task, now time.Time) (Task, error) {
	d.Title.Apply(&t.Title)
	d.Description.Apply(&t.Description)
	d.Status.Apply(&t.Status)
	d.Priority.Apply(&t.Priority)
	d.AssigneeID.ApplyNullable(&t.AssigneeID)
	d.DueAt.ApplyNullable(&t.DueAt)
	t.Title, t.DueAt = strings.TrimSpace(t.Title), inUTC(t.DueAt)
	t.Version, t.UpdatedAt = t.Version+1, now
	return t, t.check()
}
