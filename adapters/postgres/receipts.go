package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	receiptKey    = "idempotency_receipts_pkey"
	insertReceipt = `insert into idempotency_receipts (tenant_id, subject, key, fingerprint, result) values ($1, $2, $3, $4, $5)`
	selectReceipt = `select fingerprint, result from idempotency_receipts where tenant_id = $1 and subject = $2 and key = $3`
)

// Write runs the effect that queue adds and, when the request named an
// Idempotency-Key, stores result as its receipt in the same transaction. It
// returns result or, when the key was used before for the same request, the
// first result, and then nothing happens. It returns fault.Invalid when the
// key was used for another request.
func Write[T any](ctx context.Context, db *DB, who identity.Caller, result T, queue func(b *pgx.Batch)) (T, error) {
	receipt, err := receiptArgs(who, result)
	if err != nil {
		return result, err
	}
	err = db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		if receipt != nil { // first, so that a replay ends the batch before the effect
			b.Queue(insertReceipt, receipt...)
		}
		queue(b)
	})
	if Violates(err, receiptKey) {
		first, _, err := Replay[T](ctx, db, who)
		return first, err
	}
	return result, err
}

// Change runs an effect that finds its row or does not. with is the WITH clause
// of a statement, in which "changed" holds the rows found:
//
//	with changed as (update … returning id)
//
// The receipt of result is stored in the same statement if there is such a row.
// Change reports whether there was; a replay had one when it was first made.
func Change[T any](ctx context.Context, db *DB, who identity.Caller, result T, with string, args ...any) (T, bool, error) {
	receipt, err := receiptArgs(who, result)
	if err != nil {
		return result, false, err
	}
	if receipt != nil {
		with += receiptOfChange(len(args))
		args = append(args, receipt...)
	}
	var n int64
	err = db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { Affected(b, &n, with+" select 1 from changed", args...) })
	if receipt != nil && (taken(err) || err == nil && n == 0) {
		return replayOr(ctx, db, who, result, err)
	}
	return result, n > 0, err
}

func receiptOfChange(n int) string {
	return fmt.Sprintf(`, receipt as (
		insert into idempotency_receipts (tenant_id, subject, key, fingerprint, result)
		select $%d::uuid, $%d::text, $%d::text, $%d::text, $%d::json from changed limit 1)`, n+1, n+2, n+3, n+4, n+5)
}

// replayOr returns the first result of the key, or the failure of a request
// that is the first itself.
func replayOr[T any](ctx context.Context, db *DB, who identity.Caller, result T, failure error) (T, bool, error) {
	first, found, err := Replay[T](ctx, db, who)
	if err != nil || !found {
		return result, false, cmp.Or(err, failure)
	}
	return first, true, nil
}

// taken reports whether a row is there already: perhaps the one that the first
// request under the same key has made, on which a repetition stumbles before
// it comes to the receipt.
func taken(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// Returning is Change for an effect whose result only the database knows: the
// rows of changed are read into T, whose JSON names are those of the columns.
func Returning[T any](ctx context.Context, db *DB, who identity.Caller, with, columns string, args ...any) (T, bool, error) {
	var result T
	var found bool
	once := who.Request.Once
	if once != nil {
		n := len(args)
		with += fmt.Sprintf(`, receipt as (
			insert into idempotency_receipts (tenant_id, subject, key, fingerprint, result)
			select $%d::uuid, $%d::text, $%d::text, $%d::text, to_json(changed) from changed)`, n+1, n+2, n+3, n+4)
		args = append(args, who.Tenant, who.Subject(), once.Key, once.Fingerprint)
	}
	err := db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		One(b, &result, &found, with+" select "+columns+" from changed", args...)
	})
	if once != nil && (taken(err) || err == nil && !found) {
		return replayOr(ctx, db, who, result, err)
	}
	return result, found, err
}

// Replay returns the first result of the caller's Idempotency-Key, and whether
// there is one. It returns fault.Invalid when the key was used for something else.
func Replay[T any](ctx context.Context, db *DB, who identity.Caller) (T, bool, error) {
	var first T
	var found bool
	var row struct {
		Fingerprint string
		Result      json.RawMessage
	}
	once := who.Request.Once
	if once == nil {
		return first, false, nil
	}
	err := db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		One(b, &row, &found, selectReceipt, who.Tenant, who.Subject(), once.Key)
	})
	if err != nil || !found {
		return first, false, err
	}
	if row.Fingerprint != once.Fingerprint {
		return first, true, errReused
	}
	return first, true, json.Unmarshal(row.Result, &first)
}

// Once runs effect, which takes more than one round trip, as one transaction
// that stores the receipt of what it returns. A repetition is given what the
// first request was, also one that began before the first was done and stumbled
// over what that did.
func Once[T any](ctx context.Context, db *DB, who identity.Caller, effect func(tx pgx.Tx) (T, error)) (T, error) {
	var result T
	err := db.Tx(ctx, who.Tenant, func(tx pgx.Tx) error {
		replayed, err := ReplayIn(ctx, tx, who, &result)
		if replayed || err != nil {
			return err
		}
		if result, err = effect(tx); err != nil || who.Request.Once == nil {
			return err
		}
		b := &pgx.Batch{}
		if err := QueueReceipt(b, who, result); err != nil {
			return err
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil && who.Request.Once != nil {
		result, _, err = replayOr(ctx, db, who, result, err)
	}
	return result, err
}

// ReplayIn is Replay within a transaction, for effects that need more than one
// round trip; it fills result, a pointer.
func ReplayIn(ctx context.Context, tx pgx.Tx, who identity.Caller, result any) (bool, error) {
	once := who.Request.Once
	if once == nil {
		return false, nil
	}
	var fingerprint string
	var first json.RawMessage
	err := tx.QueryRow(ctx, selectReceipt, who.Tenant, who.Subject(), once.Key).Scan(&fingerprint, &first)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case fingerprint != once.Fingerprint:
		return true, errReused
	}
	return true, json.Unmarshal(first, result)
}

// QueueReceipt adds the receipt of result, if the request wants one.
func QueueReceipt(b *pgx.Batch, who identity.Caller, result any) error {
	args, err := receiptArgs(who, result)
	if args != nil {
		b.Queue(insertReceipt, args...)
	}
	return err
}

var errReused = fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")

// PurgeReceipts drops receipts that are older than a day. db is the system role's.
func PurgeReceipts(ctx context.Context, db *DB) error {
	return Drop(ctx, db, "idempotency_receipts", "created_at < now() - interval '24 hours'")
}

func receiptArgs(who identity.Caller, result any) ([]any, error) {
	once := who.Request.Once
	if once == nil {
		return nil, nil
	}
	body, err := json.Marshal(result)
	return []any{who.Tenant, who.Subject(), once.Key, once.Fingerprint, json.RawMessage(body)}, err
}
