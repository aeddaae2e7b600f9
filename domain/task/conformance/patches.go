package conformance

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
)

// changes holds the store to Patch.Apply, by patches that are put together at
// random: what one does not name stays, and what is refused changes nothing.
func changes(t *testing.T, w world) {
	p := w.project(t)
	parent, mine := w.task(t, p.ID), w.task(t, p.ID)
	for range 200 {
		c := task.ItemChange{ID: mine.ID, Version: mine.Version, Patch: anyPatch(parent.ID)}
		at := now()
		want, refused := c.Patch.Apply(mine, p, at)
		got, err := w.Change(t.Context(), w.who, c, at)
		switch {
		case refused != nil:
			if f := fault.As(refused); !fault.Is(err, f.Kind) || fault.As(err).Code != f.Code {
				t.Fatalf("%s of %s: %v, want %v", show(t, c.Patch.Fields()), show(t, mine), err, refused)
			}
			if got, err = w.Task(t.Context(), w.who, mine.ID); err != nil || show(t, got) != show(t, mine) {
				t.Fatalf("%s was refused and made of %s %s, %v", show(t, c.Patch.Fields()), show(t, mine), show(t, got), err)
			}
		case err != nil || show(t, got) != show(t, want):
			t.Fatalf("%s of %s: %s, %v, want %s", show(t, c.Patch.Fields()), show(t, mine), show(t, got), err, show(t, want))
		}
		mine = got
	}
}

func anyPatch(parent uuid.UUID) task.Patch {
	at := func(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 123456000, time.UTC) }
	return task.Patch{
		Title: maybe("a", "b\" '; -- \\"), Description: maybe("", "text\nof lines", "\u00e9\U0001F600"), Priority: maybe(task.Priorities...),
		Status:    maybe(task.Open, task.InProgress, task.Done, task.Cancelled, "nowhere"),
		Assignees: maybe([]uuid.UUID{}, []uuid.UUID{parent}), Labels: maybe([]string{}, []string{"x"}, []string{"x", "null", "{}"}),
		StartAt: orNull(maybe(at(1), at(3))), DueAt: orNull(maybe(at(2), at(4))), EstimateMinutes: orNull(maybe[int64](0, 90)), ParentID: orNull(maybe(parent)),
	}
}

// maybe names one of the values, or mostly nothing.
func maybe[T any](values ...T) patch.Field[T] {
	if rand.IntN(3) > 0 {
		return patch.Field[T]{}
	}
	return patch.To(values[rand.IntN(len(values))])
}

func orNull[T any](f patch.Field[T]) patch.Field[T] {
	if rand.IntN(4) == 0 {
		return null[T]()
	}
	return f
}
