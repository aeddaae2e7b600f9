// Package authdb keeps the auth service's rows in PostgreSQL.
package authdb

import (
	"context"
	"embed"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = postgres.Folder(embedded)

// Store implements login.Store, and keeps what the protocol remembers: codes,
// families of tokens, sessions, failures and keys.
type Store struct{ app, system *postgres.DB }

var _ login.Store = (*Store)(nil)

// New returns the store on two pools, connected as auth_app and auth_system.
func New(app, system *postgres.DB) *Store { return &Store{app, system} }

func notFound() error { return fault.New(fault.NotFound, "not_found", "there is no such thing") }

func one[T any](ctx context.Context, db *postgres.DB, tenant identity.TenantID, sql string, args ...any) (T, error) {
	var v T
	var found bool
	err := db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.One(b, &v, &found, sql, args...) })
	if err == nil && !found {
		err = notFound()
	}
	return v, err
}

// exec runs one statement and reports how many rows it changed.
func (s *Store) exec(ctx context.Context, tenant identity.TenantID, sql string, args ...any) (n int64, err error) {
	err = s.app.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.Affected(b, &n, sql, args...) })
	return n, err
}

// Purge drops what has expired, a bounded number of rows at a time.
func (s *Store) Purge(ctx context.Context) error {
	for _, table := range []string{"refresh_tokens", "authorization_codes", "token_families", "login_sessions", "revoked_tokens", "revocations", "mailed_links", "login_failures", "known_devices", "client_assertions", "pushed_requests"} {
		if err := postgres.Drop(ctx, s.system, table, "expires_at < now()"); err != nil {
			return err
		}
	}
	return postgres.PurgeReceipts(ctx, s.system)
}
