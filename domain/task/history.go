package task

import (
	"fmt"
	"time"

	"bailiwick.dev/domain/identity"
)

// Changes returns the history entries by which after differs from before; the
// zero before is a task that did not exist.
func Changes(before, after Task, who identity.Caller) (all []Change) {
	for _, f := range []struct{ name, before, after string }{
		{"title", before.Title, after.Title},
		{"description", before.Description, after.Description},
		{"status", before.Status, after.Status},
		{"priority", before.Priority, after.Priority},
		{"assignee_id", show(before.AssigneeID), show(after.AssigneeID)},
		{"due_at", when(before.DueAt), when(after.DueAt)},
	} {
		if f.before != f.after {
			all = append(all, Change{ID: newID(), TaskID: after.ID, Field: f.name, Before: f.before, After: f.after,
				Actor: who.Subject(), RequestID: who.Request.ID, At: after.UpdatedAt})
		}
	}
	return all
}

func show[T fmt.Stringer](v *T) string {
	if v == nil {
		return ""
	}
	return (*v).String()
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
