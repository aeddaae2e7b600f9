package authdb

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// SealedKey is a signing key as it is kept. ActiveFrom is when it begins, or
// began, to sign; nil: it waits for its turn.
type SealedKey struct {
	KID        string `db:"kid"`
	Sealed     []byte
	CreatedAt  time.Time
	ActiveFrom *time.Time
}

const selectKeys = `select kid, sealed, created_at, active_from from signing_keys order by active_from nulls last, created_at, kid`

// Keys returns the signing keys in the order in which they sign.
func (s *Store) Keys(ctx context.Context) (keys []SealedKey, err error) {
	err = s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &keys, selectKeys) })
	return keys, err
}

// ChangeKeys stores what change makes of the keys: those in put are added, or
// given another ActiveFrom, and those in drop removed. Replicas that change
// them at once do so one after the other, each seeing what the one before did.
func (s *Store) ChangeKeys(ctx context.Context, change func(keys []SealedKey) (put []SealedKey, drop []string, err error)) error {
	return s.system.SystemTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(710001)"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectKeys)
		if err != nil {
			return err
		}
		keys, err := pgx.CollectRows(rows, pgx.RowToStructByName[SealedKey])
		if err != nil {
			return err
		}
		put, drop, err := change(keys)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		for _, k := range put {
			b.Queue(`insert into signing_keys (kid, sealed, created_at, active_from) values ($1, $2, $3, $4)
				on conflict (kid) do update set active_from = excluded.active_from`, k.KID, k.Sealed, k.CreatedAt, k.ActiveFrom)
		}
		b.Queue(`delete from signing_keys where kid = any ($1)`, drop)
		if len(put)+len(drop) > 0 {
			queueEvent(b, identity.Platform, keysEvent(put, drop), nothing)
		}
		return tx.SendBatch(ctx, b).Close()
	})
}

func keysEvent(put []SealedKey, drop []string) login.Event {
	e := login.Event{At: time.Now().UTC(), Action: login.KeysChanged, Detail: map[string]string{"dropped": strings.Join(drop, " ")}}
	for _, k := range put {
		e.Detail[k.KID] = "next"
		if k.ActiveFrom != nil {
			e.Detail[k.KID] = "active from " + k.ActiveFrom.UTC().Format(time.RFC3339)
		}
	}
	return e
}
