package task

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Changes returns what differs in the fields that both maps name, by the
// names of the fields. A field that before does not name was empty.
func Changes(before, after map[string]any) ([]FieldChange, error) {
	all := []FieldChange{}
	for _, field := range slices.Sorted(maps.Keys(after)) {
		b, err := json.Marshal(before[field])
		if err != nil {
			return nil, err
		}
		a, err := json.Marshal(after[field])
		if err != nil {
			return nil, err
		}
		if string(a) != string(b) {
			all = append(all, FieldChange{Field: field, Before: b, After: a})
		}
	}
	return all, nil
}

// Fields returns what a history tells of t, by name; what is empty is not there.
func (t Task) Fields() map[string]any {
	all := map[string]any{"title": t.Title, "status": t.Status, "priority": t.Priority}
	if t.Description != "" {
		all["description"] = t.Description
	}
	if len(t.Assignees) > 0 {
		all["assignees"] = t.Assignees
	}
	if len(t.Labels) > 0 {
		all["labels"] = t.Labels
	}
	given(all, "start_at", t.StartAt)
	given(all, "due_at", t.DueAt)
	given(all, "estimate_minutes", t.EstimateMinutes)
	given(all, "parent_id", t.ParentID)
	return all
}

// tells reports whether a history would tell the same of t and u.
func (t Task) tells(u Task) bool {
	a, _ := json.Marshal(t.Fields()) // text, numbers and times
	b, _ := json.Marshal(u.Fields())
	return bytes.Equal(a, b)
}

func given[T any](all map[string]any, field string, v *T) {
	if v != nil {
		all[field] = *v
	}
}
