package usersdb_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/domain/identity"
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
	catalogue.Check(t, pgtest.New(t, "users", usersdb.Migrations), "slugs", "unanswered_registrations")
}

// Where each takes a while, so that many are under way at once, none is counted
// without the others.
func TestOneAddressIsCountedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "users", usersdb.Migrations)
	db.Exec(t, `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return new; end'`)
	for _, table := range []string{"registrations", "invitations"} {
		db.Exec(t, "create trigger slow before insert on "+table+" for each row execute function slow()")
	}
	s, now, who := usersdb.New(db.App), time.Now(), identity.Caller{Tenant: uuid.New()}
	if err := s.AddTenant(t.Context(), tenancy.Tenant{ID: who.Tenant, Slug: "acme", Name: "Acme", Status: tenancy.TenantActive, CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
	var registered, invited atomic.Int64
	var all sync.WaitGroup
	for range 2 * tenancy.MaxMails {
		all.Go(func() {
			id := uuid.New()
			_, err := s.Register(t.Context(), identity.Caller{Tenant: id}, tenancy.Registration{ID: id, Slug: "s" + id.String(), Organisation: "Acme", OwnerName: "Ada", Email: "ada@acme.example",
				RedirectURIs: []string{}, Status: tenancy.StatusPending, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			if err == nil {
				registered.Add(1)
			}
			_, err = s.Invite(t.Context(), who, tenancy.Invitation{ID: id, Email: "grace@acme.example", Role: "member", Status: tenancy.InvitationPending, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			if err == nil {
				invited.Add(1)
			}
		})
	}
	all.Wait()
	if registered.Load() != tenancy.MaxMails || invited.Load() != 1 {
		t.Errorf("%d registrations of one address, want %d, and %d invitations, want one", registered.Load(), tenancy.MaxMails, invited.Load())
	}
}
