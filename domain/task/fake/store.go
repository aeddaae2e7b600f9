// Package fake keeps tasks in memory, for tests of what is built on the port.
package fake

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// Store implements task.Store. The zero Store is empty and ready.
type Store struct {
	mu       sync.Mutex
	projects map[key]task.Project
	numbers  map[key]int64 // the last of each project
	members  map[key][]task.Member
	tasks    map[key]task.Task
	history  map[key][]task.Change
	comments map[key]task.Comment
	answers  map[string]any
	imports  map[key]imported
}

var _ task.Store = (*Store)(nil)

type key struct{ tenant, id uuid.UUID }

var errNotFound = fault.New(fault.NotFound, "not_found", "there is no such thing")

// once runs effect, or repeats its answer, under the lock.
func once[T any](s *Store, who identity.Caller, effect func() (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.projects, s.tasks, s.comments = map[key]task.Project{}, map[key]task.Task{}, map[key]task.Comment{}
		s.numbers, s.members, s.history = map[key]int64{}, map[key][]task.Member{}, map[key][]task.Change{}
		s.answers, s.imports = map[string]any{}, map[key]imported{}
	}
	if who.Request.Once == nil {
		return effect()
	}
	k := who.Tenant.String() + who.Subject() + who.Request.Once.Key
	if first, ok := s.answers[k]; ok {
		if s.answers[k+"#"] != who.Request.Once.Fingerprint {
			var zero T
			return zero, fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
		}
		return first.(T), nil
	}
	v, err := effect()
	if err == nil {
		s.answers[k], s.answers[k+"#"] = v, who.Request.Once.Fingerprint
	}
	return v, err
}

func read[T any](s *Store, who identity.Caller, effect func() (T, error)) (T, error) {
	who.Request.Once = nil
	return once(s, who, effect)
}

func find[T any](all map[key]T, who identity.Caller, id uuid.UUID) (T, error) {
	v, ok := all[key{who.Tenant, id}]
	if !ok {
		return v, errNotFound
	}
	return v, nil
}

func list[T any](all map[key]T, who identity.Caller, r page.Request, at func(T) page.Key, want func(T) bool) page.Result[T] {
	var rows []T
	for k, v := range all {
		if k.tenant == who.Tenant && want(v) && after(at(v), r.After) {
			rows = append(rows, v)
		}
	}
	slices.SortFunc(rows, func(a, b T) int { return compare(at(a), at(b)) })
	if len(rows) > r.Limit+1 {
		rows = rows[:r.Limit+1]
	}
	return page.Cut(rows, r.Limit, at)
}

func compare(a, b page.Key) int {
	return cmp.Or(a.At.Compare(b.At), slices.Compare(a.ID[:], b.ID[:]))
}

func after(k, than page.Key) bool { return than == page.Key{} || compare(k, than) > 0 }

func (s *Store) keyed(who identity.Caller, p task.Project) (task.Project, error) {
	taken := func(k string) bool {
		for at, other := range s.projects {
			if at.tenant == who.Tenant && other.Key == k {
				return true
			}
		}
		return false
	}
	if p.Key != "" && taken(p.Key) {
		return p, fault.New(fault.Conflict, "key_taken", "another project has this key")
	}
	for n := 1; p.Key == ""; n++ {
		k := task.KeyOf(p.Name)
		if n > 1 {
			k += strconv.Itoa(n)
		}
		if !taken(k) {
			p.Key = k
		}
	}
	return p, nil
}

// AddProject implements task.Store.
func (s *Store) AddProject(_ context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	return once(s, who, func() (task.Project, error) {
		p, err := s.keyed(who, p)
		if err == nil {
			s.projects[key{who.Tenant, p.ID}] = p
		}
		return p, err
	})
}

// Project implements task.Store.
func (s *Store) Project(_ context.Context, who identity.Caller, id uuid.UUID) (task.Project, error) {
	return read(s, who, func() (task.Project, error) { return find(s.projects, who, id) })
}

// Projects implements task.Store.
func (s *Store) Projects(_ context.Context, who identity.Caller, only []uuid.UUID, r page.Request) (page.Result[task.Project], error) {
	return read(s, who, func() (page.Result[task.Project], error) {
		return list(s.projects, who, r, func(p task.Project) page.Key { return page.Key{At: p.CreatedAt, ID: p.ID} }, func(p task.Project) bool { return only == nil || slices.Contains(only, p.ID) }), nil
	})
}

// ChangeProject implements task.Store.
func (s *Store) ChangeProject(_ context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	return once(s, who, func() (task.Project, error) {
		old, err := find(s.projects, who, p.ID)
		if err == nil && old.Version != p.Version-1 {
			err = task.Stale()
		}
		if err != nil {
			return task.Project{}, err
		}
		for k, t := range s.tasks {
			if k.tenant == who.Tenant && t.ProjectID == p.ID && !slices.ContainsFunc(p.Statuses, func(s task.Status) bool { return s.Name == t.Status }) {
				return task.Project{}, task.ErrStatusInUse()
			}
		}
		s.projects[key{who.Tenant, p.ID}] = p
		return p, nil
	})
}

// DeleteProject implements task.Store.
func (s *Store) DeleteProject(_ context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	_, err := once(s, who, func() (bool, error) {
		old, err := find(s.projects, who, id)
		if err == nil && old.Version != version {
			err = task.Stale()
		}
		if err != nil {
			return false, err
		}
		delete(s.projects, key{who.Tenant, id})
		for k, t := range s.tasks {
			if t.ProjectID == id {
				s.forget(k)
			}
		}
		return true, nil
	})
	return err
}

func (s *Store) forget(k key) {
	delete(s.tasks, k)
	delete(s.history, k)
	for ck, c := range s.comments {
		if ck.tenant == k.tenant && c.TaskID == k.id {
			delete(s.comments, ck)
		}
	}
}

// AddMember implements task.Store.
func (s *Store) AddMember(_ context.Context, who identity.Caller, project uuid.UUID, m task.Member) error {
	_, err := once(s, who, func() (bool, error) {
		_, err := find(s.projects, who, project)
		k := key{who.Tenant, project}
		if err == nil && !slices.ContainsFunc(s.members[k], func(o task.Member) bool { return o.UserID == m.UserID }) {
			s.members[k] = append(s.members[k], m)
		}
		return true, err
	})
	return err
}

// RemoveMember implements task.Store.
func (s *Store) RemoveMember(_ context.Context, who identity.Caller, project, user uuid.UUID) error {
	_, err := once(s, who, func() (bool, error) {
		_, err := find(s.projects, who, project)
		k := key{who.Tenant, project}
		s.members[k] = slices.DeleteFunc(s.members[k], func(o task.Member) bool { return o.UserID == user })
		return true, err
	})
	return err
}

// Members implements task.Store.
func (s *Store) Members(_ context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[task.Member], error) {
	return read(s, who, func() (page.Result[task.Member], error) {
		if _, err := find(s.projects, who, project); err != nil {
			return page.Result[task.Member]{}, err
		}
		at := func(m task.Member) page.Key { return page.Key{At: m.AddedAt, ID: m.UserID} }
		rows := slices.DeleteFunc(slices.Clone(s.members[key{who.Tenant, project}]), func(m task.Member) bool { return !after(at(m), r.After) })
		slices.SortFunc(rows, func(a, b task.Member) int { return compare(at(a), at(b)) })
		return page.Cut(rows[:min(len(rows), r.Limit+1)], r.Limit, at), nil
	})
}

// AddComment implements task.Store.
func (s *Store) AddComment(_ context.Context, who identity.Caller, c task.Comment) (task.Comment, error) {
	return once(s, who, func() (task.Comment, error) {
		if _, err := s.living(who, c.TaskID); err != nil {
			return task.Comment{}, err
		}
		s.comments[key{who.Tenant, c.ID}] = c
		return c, nil
	})
}

// Comments implements task.Store.
func (s *Store) Comments(_ context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.Comment], error) {
	return read(s, who, func() (page.Result[task.Comment], error) {
		if _, err := s.living(who, id); err != nil {
			return page.Result[task.Comment]{}, err
		}
		return list(s.comments, who, r, func(c task.Comment) page.Key { return page.Key{At: c.CreatedAt, ID: c.ID} }, func(c task.Comment) bool { return c.TaskID == id }), nil
	})
}
