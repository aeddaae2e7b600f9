// Package usersdb keeps the users service's rows in PostgreSQL.
package usersdb

import (
	"context"
	"embed"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = postgres.Folder(embedded)

// Store implements tenancy.Store.
type Store struct{ db *postgres.DB }

var _ tenancy.Store = (*Store)(nil)

// New returns the store in db, which is connected as users_app.
func New(db *postgres.DB) *Store { return &Store{db} }

func one[T any](ctx context.Context, db *postgres.DB, tenant identity.TenantID, sql string, args ...any) (T, error) {
	var v T
	var found bool
	err := db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.One(b, &v, &found, sql, args...) })
	if err == nil && !found {
		err = fault.New(fault.NotFound, "not_found", "there is no such thing")
	}
	return v, err
}

func many[T any](ctx context.Context, db *postgres.DB, tenant identity.TenantID, sql string, args ...any) (rows []T, err error) {
	err = db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, args...) })
	return rows, err
}

// exec runs one statement.
func (s *Store) exec(ctx context.Context, tenant identity.TenantID, sql string, args ...any) error {
	return s.db.Tenant(ctx, tenant, func(b *pgx.Batch) { b.Queue(sql, args...) })
}
