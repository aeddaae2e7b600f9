// Package fake keeps runs and files in memory, for tests of what is built on
// the ports.
package fake

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/report"
)

// Store implements report.Store, report.Journal and report.Queue. The zero
// Store is empty and ready.
type Store struct {
	mu      sync.Mutex
	runs    map[key]report.Run
	due     map[key]time.Time
	answers map[string]answer
}

var (
	_ report.Store   = (*Store)(nil)
	_ report.Journal = (*Store)(nil)
	_ report.Queue   = (*Store)(nil)
)

type key struct{ tenant, id uuid.UUID }

type answer struct {
	fingerprint string
	run         report.Run
}

var errNotFound = fault.New(fault.NotFound, "not_found", "there is no such thing")

// once runs effect, or repeats its answer, under the lock.
func (s *Store) once(who identity.Caller, effect func() (report.Run, error)) (report.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		s.runs, s.due, s.answers = map[key]report.Run{}, map[key]time.Time{}, map[string]answer{}
	}
	if who.Request.Once == nil {
		return effect()
	}
	k := who.Tenant.String() + who.Subject() + who.Request.Once.Key
	if first, ok := s.answers[k]; ok {
		if first.fingerprint != who.Request.Once.Fingerprint {
			return report.Run{}, fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
		}
		return first.run, nil
	}
	r, err := effect()
	if err == nil {
		s.answers[k] = answer{who.Request.Once.Fingerprint, r}
	}
	return r, err
}

func (s *Store) find(tenant, id uuid.UUID) (report.Run, error) {
	r, ok := s.runs[key{tenant, id}]
	if !ok {
		return r, errNotFound
	}
	return r, nil
}

func (s *Store) put(tenant uuid.UUID, r report.Run, at, due time.Time) report.Run {
	r.Version, r.UpdatedAt = r.Version+1, at
	if r.Status.Over() {
		r.FinishedAt, due = &at, time.Time{}
	}
	s.runs[key{tenant, r.ID}], s.due[key{tenant, r.ID}] = r, due
	return r
}

// Add implements report.Store.
func (s *Store) Add(_ context.Context, who identity.Caller, r report.Run) (report.Run, error) {
	return s.once(who, func() (report.Run, error) {
		unfinished := 0
		for k, v := range s.runs {
			if k.tenant == who.Tenant && !v.Status.Over() {
				unfinished++
			}
		}
		if unfinished >= report.MaxUnfinished {
			return report.Run{}, report.ErrTooMany()
		}
		s.runs[key{who.Tenant, r.ID}], s.due[key{who.Tenant, r.ID}] = r, r.CreatedAt.Add(report.Grace)
		return r, nil
	})
}

// Run implements report.Store.
func (s *Store) Run(ctx context.Context, who identity.Caller, id uuid.UUID) (report.Run, error) {
	return s.Read(ctx, who.Tenant, id)
}

// Read implements report.Journal.
func (s *Store) Read(_ context.Context, tenant identity.TenantID, id uuid.UUID) (report.Run, error) {
	return s.once(identity.Caller{}, func() (report.Run, error) { return s.find(tenant, id) })
}

// Runs implements report.Store.
func (s *Store) Runs(_ context.Context, who identity.Caller, r page.Request) (page.Result[report.Run], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := func(r report.Run) page.Key { return page.Key{At: r.CreatedAt, ID: r.ID} }
	var rows []report.Run
	for k, v := range s.runs {
		if k.tenant == who.Tenant && compare(at(v), r.After) > 0 {
			rows = append(rows, v)
		}
	}
	slices.SortFunc(rows, func(a, b report.Run) int { return compare(at(a), at(b)) })
	return page.Cut(rows[:min(len(rows), r.Limit+1)], r.Limit, at), nil
}

func compare(a, b page.Key) int {
	return cmp.Or(a.At.Compare(b.At), slices.Compare(a.ID[:], b.ID[:]))
}

// Cancel implements report.Store.
func (s *Store) Cancel(_ context.Context, who identity.Caller, id uuid.UUID, at time.Time) (report.Run, error) {
	return s.once(who, func() (report.Run, error) {
		r, err := s.find(who.Tenant, id)
		switch {
		case err != nil || r.Status == report.Cancelled:
			return r, err
		case r.Status.Over():
			return r, report.ErrOver()
		}
		r.Status = report.Cancelled
		return s.put(who.Tenant, r, at, time.Time{}), nil
	})
}

// change changes a run that is not over.
func (s *Store) change(tenant, id uuid.UUID, at time.Time, do func(r *report.Run)) (report.Run, error) {
	return s.once(identity.Caller{}, func() (report.Run, error) {
		r, err := s.find(tenant, id)
		if err != nil {
			return r, err
		}
		if r.Status.Over() {
			return r, report.ErrOver()
		}
		do(&r)
		return s.put(tenant, r, at, at.Add(report.Silence)), nil
	})
}

// Begin implements report.Journal.
func (s *Store) Begin(_ context.Context, tenant identity.TenantID, id uuid.UUID, at time.Time) (report.Run, error) {
	return s.change(tenant, id, at, func(r *report.Run) { r.Status, r.Progress.RowsDone = report.Running, 0 })
}

// Advance implements report.Journal.
func (s *Store) Advance(_ context.Context, tenant identity.TenantID, id uuid.UUID, rows int64, why *report.RunFailure, at time.Time) error {
	_, err := s.change(tenant, id, at, func(r *report.Run) {
		if r.Progress.RowsDone = rows; why != nil {
			r.Failure = why
		}
	})
	return err
}

// Finish implements report.Journal.
func (s *Store) Finish(_ context.Context, tenant identity.TenantID, id uuid.UUID, f report.RunFile, rows int64, at time.Time) error {
	r, err := s.change(tenant, id, at, func(r *report.Run) {
		r.Status, r.File, r.Failure, r.Progress = report.Succeeded, &f, nil, report.RunProgress{RowsDone: rows, RowsTotal: &rows}
	})
	if report.IsOver(err) && r.File != nil && r.File.Object == f.Object {
		return nil
	}
	return err
}

// End implements report.Journal.
func (s *Store) End(_ context.Context, tenant identity.TenantID, id uuid.UUID, status report.Status, why *report.RunFailure, at time.Time) error {
	_, err := s.change(tenant, id, at, func(r *report.Run) { r.Status, r.Failure = status, why })
	if report.IsOver(err) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Take implements report.Queue.
func (s *Store) Take(_ context.Context, at time.Time) (all []report.Due, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, due := range s.due {
		if !due.IsZero() && !due.After(at) {
			s.due[k] = at.Add(report.Again)
			all = append(all, report.Due{TenantID: k.tenant, ID: k.id, Format: s.runs[k].Format})
		}
	}
	return all, nil
}

// Old implements report.Queue.
func (s *Store) Old(_ context.Context, then time.Time) (all []report.RunID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, r := range s.runs {
		if r.FinishedAt != nil && r.FinishedAt.Before(then) {
			all = append(all, report.RunID{TenantID: k.tenant, ID: k.id})
		}
	}
	return all, nil
}

// Drop implements report.Queue.
func (s *Store) Drop(_ context.Context, r report.RunID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := (key{r.TenantID, r.ID}); s.runs[k].Status.Over() {
		delete(s.runs, k)
		delete(s.due, k)
	}
	return nil
}
