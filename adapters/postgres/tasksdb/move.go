package tasksdb

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

const (
	// lockOrder makes the moves within one project wait for one another, so that
	// no two find the same gap, and changes of parents, so that no two make a circle.
	lockOrder  = `select last from project_counters where tenant_id = $1 and project_id = (select project_id from tasks where tenant_id = $1 and id = $2) for update`
	selectRank = `select n.rank from tasks n join tasks t on t.tenant_id = n.tenant_id and t.project_id = n.project_id
		where n.tenant_id = $1 and n.id = $2 and t.id = $3 and n.deleted_at is null`
	// What is in the trash keeps its place: it may come back.
	selectNextRank = `select n.rank from tasks n where n.tenant_id = $1 and n.project_id = (select project_id from tasks where tenant_id = $1 and id = $2)
		and n.rank > $3 and n.id <> $2 order by n.rank limit 1`
	selectRankBefore = `select n.rank from tasks n where n.tenant_id = $1 and n.project_id = (select project_id from tasks where tenant_id = $1 and id = $2)
		and n.rank < $3 and n.id <> $2 order by n.rank desc limit 1`
	moveTask = `with changed as (
		update tasks t set rank = $4, version = t.version + 1, updated_at = $5 from tasks o join projects p on p.tenant_id = o.tenant_id and p.id = o.project_id
		where o.tenant_id = $1 and o.id = $2 and t.tenant_id = $1 and t.id = $2 and t.version = $3 and t.deleted_at is null and p.archived_at is null
		returning ` + ofTask + `, jsonb_build_array(jsonb_build_object('field', 'rank', 'before', o.rank, 'after', t.rank)) as fields),
	` + history + ` select ` + taskColumns + ` from changed`
)

// Move implements task.Store.
func (s *Store) Move(ctx context.Context, who identity.Caller, m task.Move, at time.Time) (task.Task, error) {
	return postgres.Once(ctx, s.db, who, func(tx pgx.Tx) (t task.Task, err error) {
		var last int64
		if err := tx.QueryRow(ctx, lockOrder, who.Tenant, m.ID).Scan(&last); err != nil {
			return t, err // which is not_found where there is no such row
		}
		rank, err := gap(ctx, tx, who.Tenant, m, last)
		if err != nil {
			return t, err
		}
		var moved bool
		b := &pgx.Batch{}
		postgres.One(b, &t, &moved, moveTask, who.Tenant, m.ID, m.Version, rank, at, who.Subject(), who.Request.ID)
		if err := tx.SendBatch(ctx, b).Close(); err != nil || moved {
			return t, err
		}
		return t, within(ctx, tx, who).whyNotChanged(task.ItemChange{ID: m.ID, Version: m.Version}, at)
	})
}

// gap returns a rank between the neighbours that m names.
func gap(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, m task.Move, last int64) (string, error) {
	after, err := neighbour(ctx, tx, tenant, m.After, m.ID, "/after")
	if err != nil {
		return "", err
	}
	before, err := neighbour(ctx, tx, tenant, m.Before, m.ID, "/before")
	if err != nil {
		return "", err
	}
	switch {
	case m.After == uuid.Nil:
		err = tx.QueryRow(ctx, selectRankBefore, tenant, m.ID, before).Scan(&after)
	case before == "" || after < before:
		err = tx.QueryRow(ctx, selectNextRank, tenant, m.ID, after).Scan(&before)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) { // else it comes first or last
		return "", err
	}
	return task.RankIn(after, before, last)
}

func neighbour(ctx context.Context, tx pgx.Tx, tenant, id, moved uuid.UUID, pointer string) (rank string, err error) {
	if id == uuid.Nil {
		return "", nil
	}
	err = tx.QueryRow(ctx, selectRank, tenant, id, moved).Scan(&rank)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.InvalidAt(pointer, "unknown_task", "the project has no such task")
	}
	return rank, err
}
