package usersdb_test

import (
	"testing"

	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/domain/tenancy/conformance"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(t *testing.T) (tenancy.Store, tenancy.Queue) {
		db := pgtest.New(t, "users", usersdb.Migrations)
		return usersdb.New(db.App), usersdb.NewQueue(db.System)
	})
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "users", usersdb.Migrations), "slugs")
}
