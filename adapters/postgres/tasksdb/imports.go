package tasksdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const (
	importColumns = `id, project_id, status, rows_total, rows_done, rows_refused, failure_code, version, created_at, created_by, updated_at, finished_at`
	lockImports   = `select pg_advisory_xact_lock(uuid_hash_extended($1, 1))` // of the tenant, so that no two count at once
	insertImport  = `with changed as (insert into task_imports (tenant_id, id, project_id, status, rows_total, version, created_at, created_by, updated_at, due_at, file, request_id)
		select $1, $2, id, $4, $5, $6, $7, $8, $7, $7, $9, $10 from projects where tenant_id = $1 and id = $3 and archived_at is null
			and (select count(*) from task_imports where tenant_id = $1 and due_at is not null) < $11
		returning ` + importColumns + `)`
)

// AddImport implements task.Imports.
func (s *Store) AddImport(ctx context.Context, who identity.Caller, im task.Import, file []byte) (task.Import, error) {
	db := s.db.Behind(lockImports, who.Tenant)
	got, found, err := postgres.Returning[task.Import](ctx, db, who, insertImport, importColumns,
		who.Tenant, im.ID, im.ProjectID, im.Status, im.RowsTotal, im.Version, im.CreatedAt, im.CreatedBy, file, who.Request.ID, task.MaxUnfinished)
	if err == nil && !found {
		var p task.Project
		p, err = s.Project(ctx, who, im.ProjectID)
		switch {
		case err != nil:
		case p.ArchivedAt != nil:
			err = task.ErrArchived()
		default:
			err = task.ErrTooManyImports()
		}
	}
	return got, err
}

const selectImport = `select ` + importColumns + ` from task_imports where tenant_id = $1 and id = $2`

// Import implements task.Imports.
func (s *Store) Import(ctx context.Context, who identity.Caller, id uuid.UUID) (task.Import, error) {
	return one[task.Import](ctx, s.db, who, selectImport, who.Tenant, id)
}

const selectImports = `select ` + importColumns + ` from task_imports
	where tenant_id = $1 and (created_at, id) > ($2, $3) and ($5::uuid is null or project_id = $5) order by created_at, id limit $4`

// Imports implements task.Imports.
func (s *Store) Imports(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[task.Import], error) {
	var rows []task.Import
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		of := uuid.NullUUID{UUID: project, Valid: project != uuid.Nil}
		postgres.Many(b, &rows, selectImports, who.Tenant, r.After.At, r.After.ID, r.Limit+1, of)
	})
	return page.Cut(rows, r.Limit, func(im task.Import) page.Key { return page.Key{At: im.CreatedAt, ID: im.ID} }), err
}

const selectImportErrors = `select line, errors from task_import_errors
	where tenant_id = $1 and import_id = $2 and line > $3 order by line limit $4`

// ImportErrors implements task.Imports. A page goes on after a line, which its
// key holds as microseconds.
func (s *Store) ImportErrors(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.ImportError], error) {
	var rows []task.ImportError
	var imports, after int64
	if !r.After.At.IsZero() {
		after = r.After.At.UnixMicro()
	}
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &imports, selectImport, who.Tenant, id)
		postgres.Many(b, &rows, selectImportErrors, who.Tenant, id, after, r.Limit+1)
	})
	if err == nil && imports == 0 {
		err = notFound()
	}
	return page.Cut(rows, r.Limit, func(e task.ImportError) page.Key { return page.Key{At: time.UnixMicro(e.Line), ID: id} }), err
}

const endImport = `with changed as (
	update task_imports set status = $3, failure_code = $4, updated_at = $5, finished_at = $5, due_at = null, file = null, version = version + 1
	where tenant_id = $1 and id = $2 and status in ('pending', 'running') returning ` + importColumns + `)`

// EndImport implements task.Imports.
func (s *Store) EndImport(ctx context.Context, who identity.Caller, id uuid.UUID, status task.ImportStatus, code string, at time.Time) (task.Import, error) {
	im, found, err := postgres.Returning[task.Import](ctx, s.db, who, endImport, importColumns, who.Tenant, id, status, code, at)
	if err != nil || found {
		return im, err
	}
	if im, err = s.Import(ctx, who, id); err == nil && im.Status != status {
		err = task.ErrImportOver()
	}
	return im, err
}

const openImport = `update task_imports set status = 'running', due_at = $3, version = version + 1
	where tenant_id = $1 and id = $2 and status in ('pending', 'running') returning ` + importColumns + `, file, request_id`

// OpenImport implements task.Imports.
func (s *Store) OpenImport(ctx context.Context, id task.ImportID) (task.Import, []byte, string, error) {
	var found bool
	var row struct {
		task.Import
		File      []byte
		RequestID string
	}
	err := s.db.Tenant(ctx, id.TenantID, func(b *pgx.Batch) {
		postgres.One(b, &row, &found, openImport, id.TenantID, id.ID, time.Now().Add(task.ImportSilence))
	})
	if err == nil && !found {
		if row.Import, err = s.Import(ctx, identity.Caller{Tenant: id.TenantID}, id.ID); err == nil {
			err = task.ErrImportOver()
		}
	}
	return row.Import, row.File, row.RequestID, err
}

const (
	lockImport        = selectImport + ` for update`
	insertImportError = `insert into task_import_errors (tenant_id, import_id, line, errors) values ($1, $2, $3, $4)`
	advanceImport     = `update task_imports set rows_done = $3, rows_refused = rows_refused + $4, updated_at = $5, version = version + 1,
			status = case when rows_total = $3 then 'succeeded' else 'running' end, finished_at = case when rows_total = $3 then $5::timestamptz end,
			due_at = case when rows_total > $3 then $6::timestamptz end, file = case when rows_total > $3 then file end
		where tenant_id = $1 and id = $2 returning ` + importColumns
)

// AddRows implements task.Imports.
func (s *Store) AddRows(ctx context.Context, id task.ImportID, request string, rows task.Rows) (im task.Import, err error) {
	who := identity.Caller{Tenant: id.TenantID, Request: identity.Request{ID: request}}
	writes := make([]task.Write, len(rows.Good))
	for i := range rows.Good {
		writes[i] = task.Write{Add: &rows.Good[i].Task, At: rows.At}
	}
	err = s.db.Tx(ctx, id.TenantID, func(tx pgx.Tx) error {
		im, err = oneIn[task.Import](ctx, tx, who, lockImport, id.ID)
		switch {
		case err != nil:
			return err
		case im.Status.Over():
			return task.ErrImportOver()
		case im.RowsDone != rows.From:
			return fault.New(fault.Unavailable, "import_elsewhere", "another worker goes on")
		}
		outcomes, err := writeIn(ctx, tx, who, writes)
		if err != nil {
			return err
		}
		bad := rows.Bad
		for i, o := range outcomes {
			if o.Fault != nil {
				bad = append(bad, task.RowError(rows.Good[i].Line, o.Fault))
			}
		}
		b := &pgx.Batch{}
		for _, e := range bad {
			b.Queue(insertImportError, id.TenantID, id.ID, e.Line, e.Errors)
		}
		var found bool
		postgres.One(b, &im, &found, advanceImport, id.TenantID, id.ID, rows.To, len(bad), rows.At, rows.At.Add(task.ImportSilence))
		return tx.SendBatch(ctx, b).Close()
	})
	return im, err
}

// ImportQueue implements task.ImportQueue over all tenants.
type ImportQueue struct{ db *postgres.DB }

var _ task.ImportQueue = ImportQueue{}

// NewImportQueue returns the queue in db, which is connected as tasks_system.
func NewImportQueue(db *postgres.DB) ImportQueue { return ImportQueue{db} }

const takeImports = `update task_imports set due_at = $2 where (tenant_id, id) in (
		select tenant_id, id from task_imports where due_at <= $1 order by due_at limit 50 for update skip locked)
	returning tenant_id, id`

// TakeImports implements task.ImportQueue.
func (q ImportQueue) TakeImports(ctx context.Context, at time.Time) (due []task.ImportID, err error) {
	err = q.db.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &due, takeImports, at, at.Add(task.ImportAgain)) })
	return due, err
}
