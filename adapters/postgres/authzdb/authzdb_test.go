package authzdb_test

import (
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/identity"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Store(t, authzdb.New(pgtest.New(t, "authz", authzdb.Migrations).App))
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "authz", authzdb.Migrations))
}

// Those who listen are told of a change once it is there, and of nothing else.
func TestChangeWakesListeners(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, "authz", authzdb.Migrations)
	conn, err := d.App.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "listen "+authzdb.Channel); err != nil {
		t.Fatal(err)
	}
	store, who := authzdb.New(d.App), identity.Caller{Tenant: uuid.New(), Client: "x"}
	for _, change := range []*access.Change{nil, {Action: "test"}} {
		if err := store.Change(t.Context(), who, new(int), func(access.Snapshot, access.Writer) (*access.Change, error) { return change, nil }); err != nil {
			t.Fatal(err)
		}
	}
	n, err := conn.Conn().WaitForNotification(t.Context())
	if err != nil || n.Payload != who.Tenant.String()+" 1" {
		t.Errorf("%+v, %v, want the tenant and version 1", n, err)
	}
}
