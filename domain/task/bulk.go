package task

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// MaxBulk bounds the items of one Bulk. Where each stands for itself, and in an
// import, writePart are one change: other creates of the project wait as long,
// which is about what a commit takes by itself.
const (
	MaxBulk   = 1000
	writePart = 5
)

// Item is one thing that a Bulk does: exactly one of the three.
type Item struct {
	Create *Draft
	Change *ItemChange
	Delete *ItemDelete
}

// ItemChange changes the given version of a task.
type ItemChange struct {
	ID      uuid.UUID
	Version int64
	Patch   Patch
}

// ItemDelete moves the given version of a task to the trash.
type ItemDelete struct {
	ID      uuid.UUID
	Version int64
}

// Outcome is what became of an item: a task, or why not.
type Outcome struct {
	Task  *Task
	Fault *fault.Error
}

// Write is an item that was found good as far as it alone tells.
type Write struct {
	Add    *Task
	Change *ItemChange
	Delete *ItemDelete
	At     time.Time
}

// Bulk does up to MaxBulk items, each as Create, Change and Delete would. With
// all, it does all of them or none: then it returns the outcomes of those that
// failed and done is false. Without, it does them a part after the other, each
// once under the caller's key: a repetition goes on where the first ended. done
// says whether anything was.
func (s *Service) Bulk(ctx context.Context, who identity.Caller, items []Item, all bool) (out []Outcome, done bool, err error) {
	if len(items) == 0 || len(items) > MaxBulk {
		var c fault.Check
		c.That(false, "/items", "out_of_range", fmt.Sprintf("1 to %d items", MaxBulk))
		return nil, false, c.Err()
	}
	at, err := s.places(ctx, who, items)
	if err != nil {
		return nil, false, err
	}
	out = make([]Outcome, len(items))
	if all {
		done, err = s.doItems(ctx, who, items, out, at, true)
		return out, done, err
	}
	for from := 0; from < len(items) && err == nil; from += writePart {
		to := min(from+writePart, len(items))
		_, err = s.doItems(ctx, who.Part(from), items[from:to], out[from:to], at, false)
	}
	done = slices.ContainsFunc(out, func(o Outcome) bool { return o.Task != nil })
	return out, done && err == nil, err
}

// doItems does items as one change, fills out, and reports whether all were done.
func (s *Service) doItems(ctx context.Context, who identity.Caller, items []Item, out []Outcome, at map[uuid.UUID]uuid.UUID, all bool) (bool, error) {
	writes, places := make([]Write, 0, len(items)), make([]int, 0, len(items))
	for i, item := range items {
		w, err := s.write(ctx, who, item, at)
		if out[i].Fault = fault.As(err); err != nil && out[i].Fault == nil || fault.Is(err, fault.Unavailable) {
			return false, err
		}
		if err == nil {
			writes, places = append(writes, w), append(places, i)
		}
	}
	if all && len(writes) < len(items) {
		return false, nil
	}
	did, err := s.store.Bulk(ctx, who, writes, all)
	if err == nil && len(did) != len(writes) { // a repetition by who may do less than at first
		err = fault.New(fault.Forbidden, "forbidden", "the caller may no longer do all that the first request did")
	}
	if err != nil {
		return false, err
	}
	done := len(writes) == len(items)
	for i, o := range did {
		if o.Fault != nil && items[places[i]].Create != nil {
			o.Fault = fault.As(fault.UnknownAt("/project_id", o.Fault))
		}
		out[places[i]] = o
		done = done && o.Fault == nil
	}
	return done, nil
}

// needs returns what the item takes a permission for: a task that there is, or
// a project to create one in.
func (i Item) needs() (p access.Permission, task, project uuid.UUID) {
	switch {
	case i.Delete != nil:
		return TasksDelete, i.Delete.ID, uuid.Nil
	case i.Change != nil:
		return TasksWrite, i.Change.ID, uuid.Nil
	case i.Create != nil:
		return TasksWrite, uuid.Nil, i.Create.ProjectID
	}
	return TasksWrite, uuid.Nil, uuid.Nil
}

// places returns of what project the tasks of items are that who may not change
// wherever they are.
func (s *Service) places(ctx context.Context, who identity.Caller, items []Item) (map[uuid.UUID]uuid.UUID, error) {
	var unsure []uuid.UUID
	for _, item := range items {
		p, task, _ := item.needs()
		if task != uuid.Nil && fault.Is(s.gate.Allow(ctx, who, p), fault.Forbidden) {
			unsure = append(unsure, task)
		}
	}
	if len(unsure) == 0 {
		return nil, nil
	}
	return s.store.Places(ctx, who, unsure)
}

func (s *Service) write(ctx context.Context, who identity.Caller, item Item, at map[uuid.UUID]uuid.UUID) (w Write, err error) {
	w.At = s.now()
	permission, task, project := item.needs()
	if project == uuid.Nil {
		project = at[task]
	}
	if err := s.gate.AllowIn(ctx, who, permission, project); err != nil {
		return w, err
	}
	switch {
	case item.Create != nil && item.Change == nil && item.Delete == nil:
		t, err := item.Create.task(w.At, who)
		w.Add = &t
		return w, err
	case item.Change != nil && item.Create == nil && item.Delete == nil:
		c := *item.Change
		c.Patch, err = c.Patch.Normal()
		w.Change = &c
		return w, err
	case item.Delete != nil && item.Create == nil && item.Change == nil:
		w.Delete = item.Delete
		return w, nil
	}
	return w, fault.New(fault.Invalid, "invalid", "an item is one of create, change and delete")
}
