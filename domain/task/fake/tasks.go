package fake

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/filter"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

func (s *Store) living(who identity.Caller, id uuid.UUID) (task.Task, error) {
	t, err := find(s.tasks, who, id)
	if err == nil && t.DeletedAt != nil {
		return t, errNotFound
	}
	return t, err
}

// put stores t and writes its history.
func (s *Store) put(who identity.Caller, t task.Task, actor string, before, after map[string]any) (task.Task, error) {
	fields, err := task.Changes(before, after)
	k := key{who.Tenant, t.ID}
	s.tasks[k] = t
	s.history[k] = append(s.history[k], task.Change{Version: t.Version, At: t.UpdatedAt, Actor: actor, RequestID: who.Request.ID, Fields: fields})
	return t, err
}

func (s *Store) add(who identity.Caller, t task.Task) (task.Task, error) {
	k := key{who.Tenant, t.ProjectID}
	p, err := find(s.projects, who, t.ProjectID)
	if err == nil {
		t, err = p.Place(t, s.numbers[k]+1)
	}
	if err == nil {
		err = s.parent(who, t)
	}
	if err != nil {
		return task.Task{}, err
	}
	s.numbers[k]++
	return s.put(who, t, t.CreatedBy, nil, t.Fields())
}

// parent refuses what makes a circle of tasks or leaves the project.
func (s *Store) parent(who identity.Caller, t task.Task) error {
	for id := t.ParentID; id != nil; {
		p, err := s.living(who, *id)
		if id == t.ParentID && (err != nil || p.ProjectID != t.ProjectID) || *id == t.ID {
			return task.ErrParent()
		}
		id = p.ParentID
	}
	return nil
}

// current returns the version named of a task that is in the trash or is not.
func (s *Store) current(who identity.Caller, id uuid.UUID, version int64, trash bool) (task.Task, error) {
	t, err := find(s.tasks, who, id)
	switch {
	case err != nil:
	case (t.DeletedAt != nil) != trash:
		err = errNotFound
	case t.Version != version:
		err = task.Stale()
	}
	return t, err
}

func (s *Store) change(who identity.Caller, c task.ItemChange, at time.Time) (task.Task, error) {
	before, err := s.current(who, c.ID, c.Version, false)
	if err != nil {
		return task.Task{}, err
	}
	after, err := c.Patch.Apply(before, s.projects[key{who.Tenant, before.ProjectID}], at)
	if err == nil && c.Patch.ParentID.Set {
		err = s.parent(who, after)
	}
	if err != nil || after.Version == before.Version {
		return after, err
	}
	old, named := before.Fields(), c.Patch.Fields()
	for field := range named { // an empty field is told as its column is
		if _, ok := old[field]; !ok {
			old[field] = map[string]any{"description": "", "assignees": []uuid.UUID{}, "labels": []string{}}[field]
		}
	}
	return s.put(who, after, who.Subject(), old, named)
}

func (s *Store) trash(who identity.Caller, d task.ItemDelete, deleted *time.Time, at time.Time) (task.Task, error) {
	t, err := s.current(who, d.ID, d.Version, deleted == nil)
	if err != nil {
		return task.Task{}, err
	}
	if s.projects[key{who.Tenant, t.ProjectID}].ArchivedAt != nil {
		return task.Task{}, task.ErrArchived()
	}
	before := map[string]any{"deleted_at": t.DeletedAt}
	t.DeletedAt, t.Version, t.UpdatedAt = deleted, t.Version+1, at
	return s.put(who, t, who.Subject(), before, map[string]any{"deleted_at": deleted})
}

// Add implements task.Store.
func (s *Store) Add(_ context.Context, who identity.Caller, t task.Task) (task.Task, error) {
	return once(s, who, func() (task.Task, error) { return s.add(who, t) })
}

// Task implements task.Store.
func (s *Store) Task(_ context.Context, who identity.Caller, id uuid.UUID) (task.Task, error) {
	return read(s, who, func() (task.Task, error) { return s.living(who, id) })
}

// Places implements task.Store.
func (s *Store) Places(_ context.Context, who identity.Caller, tasks []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	return read(s, who, func() (map[uuid.UUID]uuid.UUID, error) {
		at := map[uuid.UUID]uuid.UUID{}
		for _, id := range tasks {
			if t, err := find(s.tasks, who, id); err == nil {
				at[id] = t.ProjectID
			}
		}
		return at, nil
	})
}

// Change implements task.Store.
func (s *Store) Change(_ context.Context, who identity.Caller, c task.ItemChange, at time.Time) (task.Task, error) {
	return once(s, who, func() (task.Task, error) { return s.change(who, c, at) })
}

// Delete implements task.Store.
func (s *Store) Delete(_ context.Context, who identity.Caller, d task.ItemDelete, at time.Time) (task.Task, error) {
	return once(s, who, func() (task.Task, error) { return s.trash(who, d, &at, at) })
}

// Restore implements task.Store.
func (s *Store) Restore(_ context.Context, who identity.Caller, d task.ItemDelete, at time.Time) (task.Task, error) {
	return once(s, who, func() (task.Task, error) { return s.trash(who, d, nil, at) })
}

// Move implements task.Store.
func (s *Store) Move(_ context.Context, who identity.Caller, m task.Move, at time.Time) (task.Task, error) {
	return once(s, who, func() (task.Task, error) {
		t, err := s.current(who, m.ID, m.Version, false)
		if err == nil && s.projects[key{who.Tenant, t.ProjectID}].ArchivedAt != nil {
			err = task.ErrArchived()
		}
		if err != nil {
			return task.Task{}, err
		}
		rank, err := s.gap(who, t, m)
		if err != nil {
			return task.Task{}, err
		}
		old := map[string]any{"rank": t.Rank}
		t.Rank, t.Version, t.UpdatedAt = rank, t.Version+1, at
		return s.put(who, t, who.Subject(), old, map[string]any{"rank": t.Rank})
	})
}

// gap returns a rank for t between those that m names, in the trash or not.
func (s *Store) gap(who identity.Caller, t task.Task, m task.Move) (string, error) {
	var ranks []string
	for k, o := range s.tasks {
		if k.tenant == who.Tenant && o.ProjectID == t.ProjectID && o.ID != t.ID {
			ranks = append(ranks, o.Rank)
		}
	}
	slices.Sort(ranks)
	of := func(id uuid.UUID, pointer string) (string, error) {
		o, err := s.living(who, id)
		if id != uuid.Nil && (err != nil || o.ProjectID != t.ProjectID) {
			return "", fault.InvalidAt(pointer, "unknown_task", "the project has no such task")
		}
		return o.Rank, nil
	}
	after, err := of(m.After, "/after")
	if err != nil {
		return "", err
	}
	before, err := of(m.Before, "/before")
	if err != nil {
		return "", err
	}
	switch {
	case m.After == uuid.Nil:
		if i, _ := slices.BinarySearch(ranks, before); i > 0 {
			after = ranks[i-1]
		}
	case before == "" || after < before:
		if i, _ := slices.BinarySearch(ranks, after+"\x00"); i < len(ranks) {
			before = ranks[i]
		}
	}
	return task.RankIn(after, before, s.numbers[key{who.Tenant, t.ProjectID}])
}

// Bulk implements task.Store.
func (s *Store) Bulk(_ context.Context, who identity.Caller, writes []task.Write, all bool) ([]task.Outcome, error) {
	return once(s, who, func() ([]task.Outcome, error) {
		out := make([]task.Outcome, len(writes))
		tasks, numbers, history := clone(s.tasks), clone(s.numbers), clone(s.history)
		failed := false
		for i, w := range writes {
			t, err := s.write(who, w)
			if out[i].Fault = fault.As(err); err == nil {
				out[i].Task = &t
			}
			failed = failed || err != nil
		}
		if all && failed {
			s.tasks, s.numbers, s.history = tasks, numbers, history
			for i := range out {
				out[i].Task = nil
			}
		}
		return out, nil
	})
}

func clone[V any](m map[key]V) map[key]V {
	c := map[key]V{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (s *Store) write(who identity.Caller, w task.Write) (task.Task, error) {
	switch {
	case w.Add != nil:
		return s.add(who, *w.Add)
	case w.Change != nil:
		return s.change(who, *w.Change, w.At)
	}
	return s.trash(who, *w.Delete, &w.At, w.At)
}

// History implements task.Store.
func (s *Store) History(_ context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.Change], error) {
	return read(s, who, func() (page.Result[task.Change], error) {
		if _, err := find(s.tasks, who, id); err != nil {
			return page.Result[task.Change]{}, err
		}
		rows := slices.DeleteFunc(slices.Clone(s.history[key{who.Tenant, id}]), func(c task.Change) bool {
			return !r.After.At.IsZero() && c.Version <= r.After.At.UnixMicro()
		})
		return page.Cut(rows[:min(len(rows), r.Limit+1)], r.Limit, func(c task.Change) page.Key { return page.Key{At: time.UnixMicro(c.Version), ID: id} }), nil
	})
}

func (s *Store) chosen(who identity.Caller, q task.Query) (all []task.Task) {
	for k, t := range s.tasks {
		if k.tenant == who.Tenant && (t.DeletedAt != nil) == q.Trash && (q.ProjectID == uuid.Nil || q.ProjectID == t.ProjectID) &&
			says(t, q.Words) && filter.Match(q.Where, t.Values) {
			all = append(all, t)
		}
	}
	return all
}

func says(t task.Task, words []string) bool {
	text := strings.ToLower(t.Title + " " + t.Description)
	has := func(word string) bool {
		if strings.ContainsFunc(word, func(r rune) bool { return r >= 0x1100 }) { // is written without spaces
			return !slices.ContainsFunc(split(word), func(part string) bool { return !strings.Contains(text, part) })
		}
		return slices.Contains(split(text), word)
	}
	asked := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return len(split(w)) == 0 })
	return (len(words) == 0 || len(asked) > 0) && !slices.ContainsFunc(asked, func(w string) bool { return !has(strings.ToLower(w)) })
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
}

// Tasks implements task.Store.
func (s *Store) Tasks(_ context.Context, who identity.Caller, q task.Query, r page.Request) (page.Result[task.Task], error) {
	return read(s, who, func() (page.Result[task.Task], error) {
		rows := s.chosen(who, q)
		slices.SortFunc(rows, func(a, b task.Task) int { return order(q.Sort, a, b) })
		if r.After != (page.Key{}) {
			rows = slices.DeleteFunc(rows, func(t task.Task) bool { return order(q.Sort, t, s.at(who, r.After)) <= 0 })
		}
		return page.Cut(rows[:min(len(rows), r.Limit+1)], r.Limit, func(t task.Task) page.Key { return t.Place(q.Sort) }), nil
	})
}

// at is the task that a page goes on after; a fake's tasks keep their place.
func (s *Store) at(who identity.Caller, k page.Key) task.Task {
	t, ok := s.tasks[key{who.Tenant, k.ID}]
	if !ok {
		t.ID, t.CreatedAt = k.ID, k.At
	}
	return t
}

func order(sort []task.Order, a, b task.Task) int {
	if len(sort) == 0 {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	}
	for _, o := range sort {
		if n := by(o, a, b); n != 0 {
			return n
		}
	}
	return slices.Compare(a.ID[:], b.ID[:])
}

// by compares two tasks by one field; what is empty comes last.
func by(o task.Order, a, b task.Task) (n int) {
	va, vb := a.Values(o.Field), b.Values(o.Field)
	switch {
	case o.Field == "rank":
		n = strings.Compare(a.Rank, b.Rank)
	case o.Field == "priority":
		n = slices.Index(task.Priorities, a.Priority) - slices.Index(task.Priorities, b.Priority)
	case len(va) == 0 || len(vb) == 0:
		return len(vb) - len(va)
	default:
		switch v := va[0].(type) {
		case time.Time:
			n = v.Compare(vb[0].(time.Time))
		case int64:
			n = cmp.Compare(v, vb[0].(int64))
		case string:
			n = strings.Compare(v, vb[0].(string))
		}
	}
	if o.Descending {
		n = -n
	}
	return n
}

// Counts implements task.Store.
func (s *Store) Counts(_ context.Context, who identity.Caller, q task.Query, group string) ([]task.Count, error) {
	return read(s, who, func() ([]task.Count, error) {
		n, none := map[string]int64{}, int64(0)
		for _, t := range s.chosen(who, q) {
			values := t.Values(group)
			for _, v := range values {
				text, ok := v.(string)
				if !ok {
					text = v.(uuid.UUID).String()
				}
				n[text]++
			}
			if len(values) == 0 {
				none++
			}
		}
		var all []task.Count
		for v, c := range n {
			all = append(all, task.Count{Value: &v, Count: c})
		}
		slices.SortFunc(all, func(a, b task.Count) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(*a.Value, *b.Value))
		})
		if none > 0 {
			at := slices.IndexFunc(all, func(c task.Count) bool { return c.Count < none })
			if at < 0 {
				at = len(all)
			}
			all = slices.Insert(all, at, task.Count{Count: none})
		}
		return all, nil
	})
}

// Export implements task.Store.
func (s *Store) Export(_ context.Context, who identity.Caller, q task.Query, yield func(*task.Task) error) error {
	all, err := read(s, who, func() ([]task.Task, error) { return s.chosen(who, q), nil })
	for i := range all {
		if err == nil {
			err = yield(&all[i])
		}
	}
	return err
}
