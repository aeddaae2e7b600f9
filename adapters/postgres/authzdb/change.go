package authzdb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	insertPolicy = `insert into policies (tenant_id, version) values ($1, 0) on conflict do nothing`
	lockPolicy   = `select version from policies where tenant_id = $1 for update`
	nextVersion  = `update policies set version = version + 1 where tenant_id = $1`
	insertChange = `insert into policy_changes (tenant_id, version, at, by, request_id, action, before, after)
		select $1, version, $2, $3, $4, $5, $6, $7 from policies where tenant_id = $1`
	wake       = `select pg_notify('` + Channel + `', tenant_id || ' ' || version) from policies where tenant_id = $1`
	wakeErased = `select pg_notify('` + Channel + `', $1::uuid || ' 0')`
)

// Channel is where PostgreSQL tells those who LISTEN of every change, once it
// is committed: the tenant's id, a space, and the policy's new version, which is
// 0 when it was erased.
const Channel = "policy"

// patience is how long a change waits for others.
const patience = 5 * time.Second

var errBusy = &fault.Error{Kind: fault.Unavailable, Code: "busy", Message: "the policy is being changed by too many at once; try again in a moment", RetryAfter: patience}

// turn waits until no other change of the tenant is made in this process: what
// waits for lockPolicy holds a connection, of which one tenant must not take all.
func (s *Store) turn(ctx context.Context, tenant uuid.UUID) (end func(), err error) {
	done := make(chan struct{})
	for {
		other, busy := s.turns.LoadOrStore(tenant, done)
		if !busy {
			return func() { s.turns.Delete(tenant); close(done) }, nil
		}
		select {
		case <-other.(chan struct{}):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Change implements access.Store.
func (s *Store) Change(ctx context.Context, who identity.Caller, result any, edit func(access.Snapshot, access.Writer) (*access.Change, error)) error {
	return s.change(ctx, who, result, edit, s.changes)
}

// Replace implements access.Store.
func (s *Store) Replace(ctx context.Context, who identity.Caller, result any, edit func(access.Snapshot, access.Writer) (*access.Change, error)) error {
	return s.change(ctx, who, result, edit, s.replacements, s.changes)
}

// change waits for the tenant's turn, so that of a tenant one alone waits for
// places, and for those. The lock on the tenant's row comes first, so that the
// statement after it sees what the change before has committed.
func (s *Store) change(ctx context.Context, who identity.Caller, result any, edit func(access.Snapshot, access.Writer) (*access.Change, error), places ...*semaphore.Weighted) error {
	wait, cancel := context.WithTimeoutCause(ctx, patience, errBusy)
	defer cancel()
	end, err := s.turn(wait, who.Tenant)
	if err != nil {
		return err
	}
	defer end()
	for _, p := range places {
		if p.Acquire(wait, 1) != nil {
			return context.Cause(wait)
		}
		defer p.Release(1)
	}
	return s.db.Tx(ctx, who.Tenant, func(tx pgx.Tx) error {
		now, err := locked(ctx, tx, who)
		if err != nil {
			return err
		}
		if done, err := postgres.ReplayIn(ctx, tx, who, result); done || err != nil {
			return err
		}
		w := &writer{tenant: who.Tenant}
		change, err := edit(now, w)
		if err != nil {
			return err
		}
		if change != nil {
			if err := w.record(who, *change); err != nil {
				return err
			}
		}
		if err := postgres.QueueReceipt(&w.batch, who, result); err != nil {
			return err
		}
		return tx.SendBatch(ctx, &w.batch).Close()
	})
}

func locked(ctx context.Context, tx pgx.Tx, who identity.Caller) (access.Snapshot, error) {
	var raw []byte
	b := &pgx.Batch{}
	b.Queue(insertPolicy, who.Tenant)
	b.Queue(lockPolicy, who.Tenant)
	b.Queue(selectSnapshot, who.Tenant).QueryRow(func(row pgx.Row) error { return row.Scan(&raw) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return access.Snapshot{}, err
	}
	return decode(raw)
}

func (w *writer) record(who identity.Caller, c access.Change) error {
	before, err := json.Marshal(c.Before)
	if err != nil {
		return err
	}
	after, err := json.Marshal(c.After)
	if err != nil {
		return err
	}
	w.batch.Queue(nextVersion, w.tenant)
	w.batch.Queue(insertChange, w.tenant, time.Now(), who.Subject(), who.Request.ID, c.Action, json.RawMessage(before), json.RawMessage(after))
	w.batch.Queue(wake, w.tenant)
	return nil
}
