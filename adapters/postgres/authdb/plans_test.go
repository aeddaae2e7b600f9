package authdb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// What has a key is found by it, and not among all that is the client's or the
// person's, also where both came after the last ANALYZE.
func TestNewTenantsRowsAreFoundByKey(t *testing.T) {
	t.Parallel()
	const rows = 5000 // of each tenant in each table
	db := pgtest.New(t, "auth", authdb.Migrations)
	old, w := newWorldOn(t, db), newWorldOn(t, db)
	tables := []string{"token_families", "authorization_codes", "pushed_requests", "login_sessions", "mailed_links"}
	for _, table := range tables {
		db.Exec(t, crowds[table], old.tenant, old.client.ID, old.user, rows)
		others := "update " + table + " set tenant_id = gen_random_uuid()" // of many tenants, and clients
		if table == "token_families" || table == "authorization_codes" {
			others += ", client_id = gen_random_uuid()"
		}
		db.Exec(t, "alter table "+table+" disable trigger all") // none of which there is
		db.Exec(t, others)
		db.Exec(t, "analyze "+table)
		db.Exec(t, crowds[table], w.tenant, w.client.ID, w.user, rows)
	}
	db.Exec(t, "select pg_stat_reset()")
	none := []byte("nobody's")
	for range 6 { // the plan is made for the arguments five times, and may then be kept
		if done, err := w.Exchange(t.Context(), w.tenant, login.Exchange{Code: none, ClientID: w.client.ID, FamilyExpires: time.Now(), RefreshExpires: time.Now()}); err != nil || done {
			t.Fatal(done, err)
		}
		if _, outcome, err := w.Refresh(t.Context(), w.tenant, login.Rotation{Hash: none, ClientID: w.client.ID, Successor: none, Expires: time.Now()}); err != nil || outcome != login.Refused {
			t.Fatal(outcome, err)
		}
		if found, err := w.RevokeRefresh(t.Context(), w.tenant, w.client.ID, none, login.Event{}); err != nil || found {
			t.Fatal(found, err)
		}
		for what, find := range map[string]func() error{
			"a code":      func() error { _, err := w.Code(t.Context(), w.tenant, none); return err },
			"a request":   func() error { _, err := w.Request(t.Context(), w.tenant, none); return err },
			"a session":   func() error { _, err := w.Session(t.Context(), w.tenant, none); return err },
			"a mail link": func() error { _, err := w.Link(t.Context(), w.tenant, "reset", none); return err },
		} {
			if err := find(); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if living, err := w.Living(t.Context(), w.tenant, uuid.New(), "x"); err != nil || living {
			t.Fatal(living, err)
		}
	}
	db.App.Close() // a session that ends has counted what it read
	for _, table := range tables {
		var read int
		if db.Scan(t, &read, fmt.Sprintf("select sum(idx_tup_read) from pg_stat_user_indexes where relname = '%s'", table)); read >= rows {
			t.Errorf("of %s %d rows were read to find none", table, read)
		}
	}
}
