package fake

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

type imported struct {
	task.Import
	file    []byte
	request string
	errors  []task.ImportError
}

// AddImport implements task.Imports.
func (s *Store) AddImport(_ context.Context, who identity.Caller, im task.Import, file []byte) (task.Import, error) {
	return once(s, who, func() (task.Import, error) {
		switch p, err := find(s.projects, who, im.ProjectID); {
		case err != nil:
			return im, err
		case p.ArchivedAt != nil:
			return im, task.ErrArchived()
		}
		unfinished := 0
		for k, i := range s.imports {
			if k.tenant == who.Tenant && i.FinishedAt == nil {
				unfinished++
			}
		}
		if unfinished >= task.MaxUnfinished {
			return im, task.ErrTooManyImports()
		}
		s.imports[key{who.Tenant, im.ID}] = imported{Import: im, file: file, request: who.Request.ID}
		return im, nil
	})
}

// Import implements task.Imports.
func (s *Store) Import(_ context.Context, who identity.Caller, id uuid.UUID) (task.Import, error) {
	return read(s, who, func() (task.Import, error) {
		im, err := find(s.imports, who, id)
		return im.Import, err
	})
}

// Imports implements task.Imports.
func (s *Store) Imports(_ context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[task.Import], error) {
	return read(s, who, func() (page.Result[task.Import], error) {
		all := map[key]task.Import{}
		for k, im := range s.imports {
			all[k] = im.Import
		}
		return list(all, who, r, func(im task.Import) page.Key { return page.Key{At: im.CreatedAt, ID: im.ID} }, func(im task.Import) bool { return project == uuid.Nil || im.ProjectID == project }), nil
	})
}

// ImportErrors implements task.Imports.
func (s *Store) ImportErrors(_ context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.ImportError], error) {
	return read(s, who, func() (page.Result[task.ImportError], error) {
		im, err := find(s.imports, who, id)
		rows := slices.DeleteFunc(slices.Clone(im.errors), func(e task.ImportError) bool {
			return !r.After.At.IsZero() && e.Line <= r.After.At.UnixMicro()
		})
		slices.SortFunc(rows, func(a, b task.ImportError) int { return cmp.Compare(a.Line, b.Line) })
		return page.Cut(rows[:min(len(rows), r.Limit+1)], r.Limit, func(e task.ImportError) page.Key { return page.Key{At: time.UnixMicro(e.Line), ID: id} }), err
	})
}

// EndImport implements task.Imports.
func (s *Store) EndImport(_ context.Context, who identity.Caller, id uuid.UUID, status task.ImportStatus, code string, at time.Time) (task.Import, error) {
	return once(s, who, func() (task.Import, error) {
		im, err := find(s.imports, who, id)
		switch {
		case err != nil || im.Status == status:
			return im.Import, err
		case im.Status.Over():
			return im.Import, task.ErrImportOver()
		}
		im.Status, im.FailureCode, im.UpdatedAt, im.FinishedAt, im.file = status, code, at, &at, nil
		im.Version++
		s.imports[key{who.Tenant, id}] = im
		return im.Import, nil
	})
}

// OpenImport implements task.Imports.
func (s *Store) OpenImport(_ context.Context, id task.ImportID) (task.Import, []byte, string, error) {
	im, err := read(s, identity.Caller{Tenant: id.TenantID}, func() (imported, error) {
		k := key{id.TenantID, id.ID}
		im, ok := s.imports[k]
		switch {
		case !ok:
			return im, errNotFound
		case im.Status.Over():
			return im, task.ErrImportOver()
		}
		im.Status = task.ImportRunning
		im.Version++
		s.imports[k] = im
		return im, nil
	})
	return im.Import, im.file, im.request, err
}

// AddRows implements task.Imports.
func (s *Store) AddRows(_ context.Context, id task.ImportID, request string, rows task.Rows) (task.Import, error) {
	who := identity.Caller{Tenant: id.TenantID, Request: identity.Request{ID: request}}
	return read(s, who, func() (task.Import, error) {
		im, err := find(s.imports, who, id.ID)
		switch {
		case err != nil:
			return im.Import, err
		case im.Status.Over():
			return im.Import, task.ErrImportOver()
		case im.RowsDone != rows.From:
			return im.Import, fault.New(fault.Unavailable, "import_elsewhere", "another worker goes on")
		}
		bad := rows.Bad
		for _, r := range rows.Good {
			if _, err := s.add(who, r.Task); err != nil {
				bad = append(bad, task.RowError(r.Line, fault.As(err)))
			}
		}
		im.errors, im.RowsRefused = append(im.errors, bad...), im.RowsRefused+int64(len(bad))
		im.RowsDone, im.UpdatedAt, im.Version = rows.To, rows.At, im.Version+1
		if im.RowsDone == im.RowsTotal {
			im.Status, im.FinishedAt, im.file = task.ImportSucceeded, &rows.At, nil
		}
		s.imports[key{id.TenantID, id.ID}] = im
		return im.Import, nil
	})
}
