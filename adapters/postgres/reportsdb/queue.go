package reportsdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/report"
)

// Queue implements report.Queue over all tenants.
type Queue struct{ db *postgres.DB }

var _ report.Queue = Queue{}

// NewQueue returns the queue in db, which is connected as reports_system.
func NewQueue(db *postgres.DB) Queue { return Queue{db} }

const takeRuns = `update runs set due_at = $2 where (tenant_id, id) in (
		select tenant_id, id from runs where due_at <= $1 order by due_at limit 50 for update skip locked)
	returning tenant_id, id, format`

// Take implements report.Queue.
func (q Queue) Take(ctx context.Context, at time.Time) (due []report.Due, err error) {
	err = q.db.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &due, takeRuns, at, at.Add(report.Again)) })
	return due, err
}

const (
	selectOld = `select tenant_id, id from runs where finished_at < $1 order by finished_at limit 100`
	deleteRun = `delete from runs where tenant_id = $1 and id = $2 and finished_at is not null`
)

// Old implements report.Queue.
func (q Queue) Old(ctx context.Context, then time.Time) (old []report.RunID, err error) {
	err = q.db.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &old, selectOld, then) })
	return old, err
}

// Drop implements report.Queue.
func (q Queue) Drop(ctx context.Context, r report.RunID) error {
	return q.db.System(ctx, func(b *pgx.Batch) { b.Queue(deleteRun, r.TenantID, r.ID) })
}
