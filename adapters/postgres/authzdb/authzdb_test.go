package authzdb_test

import (
	"testing"

	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/access/conformance"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Store(t, authzdb.New(pgtest.New(t, "authz", authzdb.Migrations).App))
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "authz", authzdb.Migrations))
}
