package conformance

import (
	"fmt"
	"sync"
	"testing"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
)

func moves(t *testing.T, w world) {
	p := w.project(t)
	var all []task.Task
	for range 4 {
		all = append(all, w.task(t, p.ID))
	}
	byRank := func() (s string) {
		for _, x := range w.list(t, task.Query{ProjectID: p.ID, Sort: []task.Order{{Field: "rank"}}}) {
			s += fmt.Sprint(x.Number)
		}
		return s
	}
	for _, m := range []struct {
		of, after, before int // numbers; 0: none
		want              string
	}{{4, 1, 2, "1423"}, {1, 3, 0, "4231"}, {1, 0, 4, "1423"}, {3, 4, 2, "1432"}, {3, 0, 2, "1432"}} {
		move := task.Move{ID: all[m.of-1].ID, Version: all[m.of-1].Version}
		if m.after > 0 {
			move.After = all[m.after-1].ID
		}
		if m.before > 0 {
			move.Before = all[m.before-1].ID
		}
		got, err := w.Move(t.Context(), w.who, move, now())
		if err != nil || byRank() != m.want {
			t.Fatalf("%+v: %s, %v, want %s", m, byRank(), err, m.want)
		}
		all[m.of-1] = got
	}
	if _, err := w.Move(t.Context(), w.who, task.Move{ID: all[0].ID, Version: all[0].Version, After: all[1].ID, Before: all[2].ID}, now()); !fault.Is(err, fault.Conflict) {
		t.Errorf("between two in the wrong order: %v, want conflict", err)
	}
	if _, err := w.Move(t.Context(), w.who, task.Move{ID: all[0].ID, Version: all[0].Version, After: w.task(t, w.project(t).ID).ID}, now()); !fault.Is(err, fault.Invalid) {
		t.Errorf("after another project's: %v, want invalid", err)
	}
	if last, err := w.Move(t.Context(), w.who, task.Move{ID: all[0].ID, Version: all[0].Version, After: all[1].ID}, now()); err != nil || w.task(t, p.ID).Rank <= last.Rank || byRank() != "43215" {
		t.Errorf("a new task after one that was moved to the end: %s, %v, want 43215", byRank(), err)
	}
}

// movesAside moves tasks to the place of one that is in the trash, many at once:
// no two have the same.
func movesAside(t *testing.T, w world) {
	p := w.project(t)
	first, gone, last := w.task(t, p.ID), w.task(t, p.ID), w.task(t, p.ID)
	if _, err := w.Move(t.Context(), w.who, task.Move{ID: gone.ID, Version: 1, After: first.ID, Before: last.ID}, now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: gone.ID, Version: 2}, now()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 10 {
		x := w.task(t, p.ID)
		wg.Go(func() {
			if _, err := w.Move(t.Context(), w.who, task.Move{ID: x.ID, Version: 1, After: first.ID, Before: last.ID}, now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := w.Restore(t.Context(), w.who, task.ItemDelete{ID: gone.ID, Version: 3}, now()); err != nil {
		t.Fatal(err)
	}
	ranks := map[string]bool{}
	for i, x := range w.list(t, task.Query{ProjectID: p.ID, Sort: []task.Order{{Field: "rank"}}}) {
		if ranks[x.Rank] || (i == 0) != (x.ID == first.ID) || (i == 12) != (x.ID == last.ID) {
			t.Errorf("%s has the place %d and the rank %s", x.Key, i, x.Rank)
		}
		ranks[x.Rank] = true
	}
}
