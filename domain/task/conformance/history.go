package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
)

// told is what the history says of a task that who changed, version by version.
func (w world) told(t *testing.T, of uuid.UUID, who string) (all []string) {
	t.Helper()
	for r := (page.Request{Limit: 2}); ; {
		got, err := w.History(t.Context(), w.who, of, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got.Items {
			if c.Actor != who || c.RequestID != w.who.Request.ID || c.At.IsZero() || c.Version != int64(len(all)+1) {
				t.Errorf("version %d: %+v lacks who, when or the request", len(all)+1, c)
			}
			slices.SortFunc(c.Fields, func(a, b task.FieldChange) int { return strings.Compare(a.Field, b.Field) })
			all = append(all, show(t, c.Fields))
		}
		if got.Next == nil {
			return all
		}
		r.After = *got.Next
	}
}

// changed is one field as a history tells it.
func changed(field string, before, after any) map[string]any {
	return map[string]any{"field": field, "before": before, "after": after}
}

// history makes, changes, clears, moves, deletes and restores a task: each field
// is told, as the task shows it.
func history(t *testing.T, w world) {
	p := w.project(t)
	parent, d := w.task(t, p.ID), w.draft(p.ID)
	start, due, estimate, who := now(), now().Add(time.Hour), int64(90), id()
	d.Description, d.Assignees, d.Labels, d.StartAt, d.DueAt, d.EstimateMinutes, d.ParentID = "D", []uuid.UUID{who}, []string{"a"}, &start, &due, &estimate, &parent.ID
	mine, err := w.Add(t.Context(), w.who, d)
	if err != nil {
		t.Fatal(err)
	}
	at := []any{mine.Rank}
	mine = w.mustChange(t, mine, task.Patch{Title: patch.To("New"), Status: patch.To(task.Done), Priority: patch.To("normal"), Description: patch.To(""), Assignees: patch.To([]uuid.UUID{}), Labels: patch.To([]string{"a", "b"})})
	mine = w.mustChange(t, mine, task.Patch{StartAt: null[time.Time](), DueAt: null[time.Time](), EstimateMinutes: null[int64](), ParentID: null[uuid.UUID]()})
	mine = w.mustChange(t, mine, task.Patch{StartAt: patch.To(start), DueAt: patch.To(due), EstimateMinutes: patch.To(estimate), ParentID: patch.To(parent.ID)})
	if mine, err = w.Move(t.Context(), w.who, task.Move{ID: mine.ID, Version: 4, Before: parent.ID}, now()); err != nil {
		t.Fatal(err)
	}
	at = append(at, mine.Rank)
	gone, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 5}, now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Restore(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 6}, now()); err != nil {
		t.Fatal(err)
	}
	want := [][]any{
		{changed("assignees", nil, d.Assignees), changed("description", nil, "D"), changed("due_at", nil, due), changed("estimate_minutes", nil, 90), changed("labels", nil, d.Labels),
			changed("parent_id", nil, parent.ID), changed("priority", nil, "normal"), changed("start_at", nil, start), changed("status", nil, "open"), changed("title", nil, "T")},
		{changed("assignees", d.Assignees, []uuid.UUID{}), changed("description", "D", ""), changed("labels", []string{"a"}, []string{"a", "b"}), changed("status", "open", "done"), changed("title", "T", "New")},
		{changed("due_at", due, nil), changed("estimate_minutes", 90, nil), changed("parent_id", parent.ID, nil), changed("start_at", start, nil)},
		{changed("due_at", nil, due), changed("estimate_minutes", nil, 90), changed("parent_id", nil, parent.ID), changed("start_at", nil, start)},
		{changed("rank", at[0], at[1])}, {changed("deleted_at", nil, gone.DeletedAt)}, {changed("deleted_at", gone.DeletedAt, nil)},
	}
	got := w.told(t, mine.ID, w.who.Subject())
	if len(got) != len(want) {
		t.Fatalf("%d entries of history, want %d: %s", len(got), len(want), got)
	}
	for i := range want {
		var is []any
		if err := json.Unmarshal([]byte(got[i]), &is); err != nil || show(t, is) != show(t, want[i]) {
			t.Errorf("version %d: %s, %v, want %s", i+1, got[i], err, show(t, want[i]))
		}
	}
}

func null[T any]() patch.Field[T] { return patch.Field[T]{Set: true, Null: true} }
