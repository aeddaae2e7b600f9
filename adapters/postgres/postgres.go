// Package postgres keeps every service's rows in PostgreSQL, one tenant's
// behind a wall from the next.
//
// The wall is row-level security for a role that owns nothing. A statement
// reaches it in one round trip: a pgx batch without an explicit BEGIN is one
// implicit transaction up to its Sync, so a set_config that is local to it
// can travel in front of the statement.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

const setTenant = `select set_config('app.tenant_id', $1, true)`

// DB is a pool of connections of one role to one service's database.
type DB struct {
	pool *pgxpool.Pool
	lock func(b *pgx.Batch) // in front of each Tenant; nil: nothing
}

// Open connects to the database at url, a PostgreSQL connection URI. It
// returns fault.Unavailable when nobody answers there. Options change what the
// URL says.
func Open(ctx context.Context, url string, options ...func(*pgxpool.Config)) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	// pgxpool pings a connection that was idle for a second before it lends it:
	// a round trip more on quiet days. A dead connection is found by its use.
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	cfg.MaxConnLifetime = 30 * time.Minute
	cfg.MaxConnLifetimeJitter = 5 * time.Minute
	cfg.AfterConnect = registerTypes
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC" // of times within JSON
	for _, o := range options {
		o(cfg)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, translate(err)
	}
	return &DB{pool: pool}, nil
}

// registerTypes makes times come back as they are shown, wherever the process
// runs, and UUIDs travel as their 16 bytes instead of as text.
func registerTypes(_ context.Context, c *pgx.Conn) error {
	pgxuuid.Register(c.TypeMap())
	c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
	return nil
}

// Close waits for statements under way and closes every connection.
func (db *DB) Close() { db.pool.Close() }

// Connections is how many there are at most.
func (db *DB) Connections() int { return int(db.pool.Config().MaxConns) }

// Ready reports whether the database answers.
func (db *DB) Ready(ctx context.Context) error {
	return translate(db.pool.Ping(ctx))
}

// Tenant runs the statements that queue adds as one transaction within
// tenant's wall, in one round trip. What they return is read by the callbacks
// of pgx's queued queries. It returns the first error, as a fault where the
// caller can act on it; then nothing of the batch has happened, unless the
// error is fault.Unavailable: then the outcome is unknown.
func (db *DB) Tenant(ctx context.Context, tenant uuid.UUID, queue func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	b.Queue(setTenant, tenant.String())
	if db.lock != nil {
		db.lock(b)
	}
	queue(b)
	return db.send(ctx, b)
}

// Behind returns db with a lock in front of what its Tenant runs, in the same
// round trip. A statement reads what was committed before it began (READ
// COMMITTED): one that waits for a lock itself would judge by rows from before.
func (db *DB) Behind(lock string, args ...any) *DB {
	return &DB{pool: db.pool, lock: func(b *pgx.Batch) {
		if db.lock != nil {
			db.lock(b)
		}
		b.Queue(lock, args...)
	}}
}

// System runs the statements that queue adds as one transaction outside any
// tenant's wall. It is for pools of the system role, whose own policies say
// what little it may see.
func (db *DB) System(ctx context.Context, queue func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	queue(b)
	return db.send(ctx, b)
}

func (db *DB) send(ctx context.Context, b *pgx.Batch) error {
	// Close reports the callbacks' errors and those of the commit.
	return translate(db.pool.SendBatch(ctx, b).Close())
}

// Tx runs fn in a transaction within tenant's wall, for statements of which
// one needs the answer of another. fn must not call another service or take a
// second connection.
func (db *DB) Tx(ctx context.Context, tenant uuid.UUID, fn func(tx pgx.Tx) error) error {
	begin := fmt.Sprintf("begin; set local app.tenant_id = '%s'", tenant) // a UUID needs no quoting
	return translate(pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{BeginQuery: begin}, fn))
}

// SystemTx is System for statements of which one needs the answer of another.
func (db *DB) SystemTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return translate(pgx.BeginFunc(ctx, db.pool, fn))
}

// Drop deletes the rows of table for which where is true, some at a time, so
// that nobody waits long for any of them. db is the system role's.
func Drop(ctx context.Context, db *DB, table, where string) error {
	for n := int64(1); n > 0; {
		err := db.System(ctx, func(b *pgx.Batch) {
			Affected(b, &n, "delete from "+table+" where ctid = any (array(select ctid from "+table+" where "+where+" limit 10000))")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// One queues a query for at most one row, which it puts into dst; found tells
// whether there was one. Columns are matched with the fields of T by name,
// snake_case with CamelCase.
func One[T any](b *pgx.Batch, dst *T, found *bool, sql string, args ...any) {
	*found = false
	Each(b, func(row *T) error {
		if !*found {
			*dst, *found = *row, true
		}
		return nil
	}, sql, args...)
}

// Many queues a query whose rows it puts into dst.
func Many[T any](b *pgx.Batch, dst *[]T, sql string, args ...any) {
	*dst = []T{}
	Each(b, func(row *T) error {
		*dst = append(*dst, *row)
		return nil
	}, sql, args...)
}

// Each queues a query whose rows it hands to use as they come. What use is
// handed is only good until it returns; its error ends the query.
func Each[T any](b *pgx.Batch, use func(row *T) error, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error { return each(rows, use) })
}

// Affected queues a statement and puts into n how many rows it changed.
func Affected(b *pgx.Batch, n *int64, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		rows.Close()
		*n = rows.CommandTag().RowsAffected()
		return rows.Err()
	})
}
