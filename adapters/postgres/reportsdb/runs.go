package reportsdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/report"
)

const (
	lockRuns  = `select pg_advisory_xact_lock(uuid_hash_extended($1, 0))` // of the tenant, so that no two count at once
	insertRun = `with changed as (insert into runs (tenant_id, id, report, format, title, filter_project, filter_status, status, version, created_at, created_by, updated_at, due_at)
	select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
	where (select count(*) from runs where tenant_id = $1 and due_at is not null) < $14 returning id)`
)

// Add implements report.Store.
func (s *Store) Add(ctx context.Context, who identity.Caller, r report.Run) (report.Run, error) {
	db := s.db.Behind(lockRuns, who.Tenant)
	first, found, err := postgres.Change(ctx, db, who, r, insertRun, who.Tenant, r.ID, r.Report, r.Format, r.Title, r.Filter.ProjectID, r.Filter.Status,
		r.Status, r.Version, r.CreatedAt, r.CreatedBy, r.UpdatedAt, r.CreatedAt.Add(report.Grace), report.MaxUnfinished)
	if err == nil && !found {
		err = report.ErrTooMany()
	}
	return first, err
}

const selectRun = `select ` + columns + ` from runs where tenant_id = $1 and id = $2`

// Run implements report.Store.
func (s *Store) Run(ctx context.Context, who identity.Caller, id uuid.UUID) (report.Run, error) {
	return s.Read(ctx, who.Tenant, id)
}

// Read implements report.Journal.
func (s *Store) Read(ctx context.Context, tenant identity.TenantID, id uuid.UUID) (report.Run, error) {
	r, found, err := s.one(ctx, tenant, selectRun, tenant, id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "not_found", "there is no such thing")
	}
	return r, err
}

func (s *Store) one(ctx context.Context, tenant identity.TenantID, sql string, args ...any) (report.Run, bool, error) {
	var r row
	var found bool
	err := s.db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.One(b, &r, &found, sql, args...) })
	return r.run(), found, err
}

const selectRuns = `select ` + columns + ` from runs
	where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`

// Runs implements report.Store.
func (s *Store) Runs(ctx context.Context, who identity.Caller, r page.Request) (page.Result[report.Run], error) {
	var rows []row
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, selectRuns, who.Tenant, r.After.At, r.After.ID, r.Limit+1) })
	all := make([]report.Run, len(rows))
	for i := range rows {
		all[i] = rows[i].run()
	}
	return page.Cut(all, r.Limit, func(r report.Run) page.Key { return page.Key{At: r.CreatedAt, ID: r.ID} }), err
}

const cancelRun = `with changed as (update runs set status = 'cancelled', finished_at = $3, updated_at = $3, due_at = null, version = version + 1
	where tenant_id = $1 and id = $2 and status in ('pending', 'running') returning id)`

// Cancel implements report.Store. A cancelled run changes no more, so that
// reading it again is the first answer.
func (s *Store) Cancel(ctx context.Context, who identity.Caller, id uuid.UUID, at time.Time) (report.Run, error) {
	_, _, err := postgres.Change(ctx, s.db, who, true, cancelRun, who.Tenant, id, at)
	if err != nil {
		return report.Run{}, err
	}
	r, err := s.Read(ctx, who.Tenant, id)
	if err == nil && r.Status != report.Cancelled {
		err = report.ErrOver()
	}
	return r, err
}
