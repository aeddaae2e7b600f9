package authdb_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
)

// crowds fill each table with n rows that have expired, and one that has not.
var crowds = map[string]string{
	"token_families": `insert into token_families (tenant_id, id, client_id, user_id, scopes, expires_at)
		select $1, gen_random_uuid(), $2, $3, '{}', now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n`,
	"authorization_codes": `insert into authorization_codes (tenant_id, hash, client_id, user_id, family_id, request, expires_at)
		select $1, int4send(n), $2, $3, gen_random_uuid(), '{}', now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n`,
	"refresh_tokens": `insert into refresh_tokens (tenant_id, hash, family_id, expires_at)
		select $1, int4send(n), (select id from token_families where expires_at > now()), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> '' and $3::uuid is not null`,
	"client_assertions": `insert into client_assertions (tenant_id, client_id, hash, expires_at)
		select $1, $2, int4send(n), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $3::uuid is not null`,
	"pushed_requests": `insert into pushed_requests (tenant_id, client_id, hash, request, expires_at)
		select $1, $2, int4send(n), '{}', now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $3::uuid is not null`,
	"revoked_tokens": `insert into revoked_tokens (tenant_id, jti, expires_at)
		select $1, n::text, now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> '' and $3::uuid is not null`,
	"login_sessions": `insert into login_sessions (tenant_id, hash, user_id, authenticated_at, expires_at)
		select $1, int4send(n), $3, now(), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> ''`,
	"revocations": `insert into revocations (tenant_id, subject, at, expires_at)
		select $1, n::text, now(), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> '' and $3::uuid is not null`,
	"mailed_links": `insert into mailed_links (tenant_id, id, user_id, purpose, hash, expires_at)
		select $1, gen_random_uuid(), $3, 'reset', int4send(n), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> ''`,
	"known_devices": `insert into known_devices (tenant_id, hash, user_id, expires_at)
		select $1, int4send(n), $3, now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> ''`,
	"login_failures": `insert into login_failures (tenant_id, key, failures, blocked_until, expires_at)
		select $1, int4send(n), 1, now(), now() - interval '1 second' + (n = 0)::int * interval '1 hour' from generate_series(0, $4) n where $2::text <> '' and $3::uuid is not null`,
}

// A hundred thousand rows expire; they are dropped and the living stay.
func TestTablesStayBounded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	w := newWorldOn(t, db)
	db.Exec(t, "delete from revocations") // of the world's own making
	const each = 10_500                   // more than one batch
	tables := []string{"token_families", "authorization_codes", "refresh_tokens", "client_assertions", "pushed_requests", "revoked_tokens", "login_sessions", "revocations", "mailed_links", "login_failures", "known_devices"}
	for _, table := range tables {
		db.Exec(t, crowds[table], w.tenant, w.client.ID, w.user, each)
	}
	if err := w.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), db.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, table := range tables {
		var n int
		if err := conn.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows of %s are left, want the one that lives; %v", n, table, err)
		}
	}
}

// Where statistics say that all rows have expired, a statement that wants one
// that lives is still served by its key, and does not read all that live.
func TestStatementsAreNotServedByExpiry(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	w := newWorldOn(t, db)
	for _, table := range slices.Sorted(maps.Keys(crowds)) {
		if table == "refresh_tokens" {
			db.Exec(t, crowds["token_families"], w.tenant, w.client.ID, w.user, 0) // one that lives, for them to belong to
		}
		db.Exec(t, crowds[table], w.tenant, w.client.ID, w.user, 1000)
		db.Exec(t, "delete from "+table+" where expires_at > now()")
		db.Exec(t, "analyze "+table)
		if err := db.App.Tx(t.Context(), w.tenant, func(tx pgx.Tx) error {
			rows, err := tx.Query(t.Context(), "explain select from "+table+" where tenant_id = $1 and expires_at > now()", w.tenant)
			if err != nil {
				return err
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if text := strings.Join(plan, "\n"); strings.Contains(text, "_expiry") {
				t.Errorf("a tenant's rows of %s are found by when they expire:\n%s", table, text)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
