package postgres_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"

	_ "embed"
)

//go:embed receipts.sql
var receipts string

const notes = `-- +goose Up
set lock_timeout = '3s';
create table notes (tenant_id uuid not null, id uuid not null, body text not null, primary key (tenant_id, id));
alter table notes enable row level security;
alter table notes force row level security;
create policy tenant on notes to demo_app using (tenant_id = current_setting('app.tenant_id')::uuid)
	with check (tenant_id = current_setting('app.tenant_id')::uuid);
grant select, insert, update, delete on notes to demo_app;
`

var migrations = fstest.MapFS{"00001_init.sql": {Data: []byte(notes + strings.ReplaceAll(receipts, "X_", "demo_"))}}

type note struct {
	ID   uuid.UUID
	Body string
}

func add(t *testing.T, db *postgres.DB, who identity.Caller, n note) (note, error) {
	return postgres.Write(t.Context(), db, who, n, func(b *pgx.Batch) {
		b.Queue("insert into notes (tenant_id, id, body) values ($1, $2, $3)", who.Tenant, n.ID, n.Body)
	})
}

func list(t *testing.T, db *postgres.DB, tenant uuid.UUID) (got []note) {
	t.Helper()
	err := db.Tenant(t.Context(), tenant, func(b *pgx.Batch) { postgres.Many(b, &got, "select id, body from notes") })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func caller() identity.Caller { return identity.Caller{Tenant: uuid.New(), User: uuid.New()} }

func TestTenantSeesItsOwnRowsAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			who := caller()
			if _, err := add(t, db, who, note{uuid.New(), fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
			if got := list(t, db, who.Tenant); len(got) != 1 || got[0].Body != fmt.Sprint(i) {
				t.Errorf("tenant %d sees %v, want its own note", i, got)
			}
		})
	}
	wg.Wait()
}

func TestNoTenantIsAnError(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	err := db.System(t.Context(), func(b *pgx.Batch) { b.Queue("select * from notes") })
	if err == nil {
		t.Error("a query without a tenant succeeds")
	}
}

func TestForeignTenantCannotBeWritten(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	err := db.Tenant(t.Context(), uuid.New(), func(b *pgx.Batch) {
		b.Queue("insert into notes values ($1, $2, 'x')", uuid.New(), uuid.New())
	})
	if err == nil {
		t.Error("a row of another tenant was written")
	}
}

func TestKeyMakesAWriteHappenOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	who := caller()
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "a"}
	answers := make([]note, 50)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			n, err := add(t, db, who, note{uuid.New(), "same"})
			if err != nil {
				t.Error(err)
			}
			answers[i] = n
		})
	}
	wg.Wait()
	rows := list(t, db, who.Tenant)
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1", len(rows))
	}
	for _, a := range answers {
		if a != rows[0] {
			t.Errorf("answer %v, want %v", a, rows[0])
		}
	}
}

func TestReusedKeyIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	who := caller()
	for i, want := range []fault.Kind{fault.Internal, fault.Invalid} {
		who.Request.Once = &identity.Once{Key: "k", Fingerprint: fmt.Sprint(i)}
		if _, err := add(t, db, who, note{uuid.New(), "x"}); err != nil && !fault.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i, err, want)
		}
	}
	if n := len(list(t, db, who.Tenant)); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestChangeStoresAReceiptOnlyWhenItMatched(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	who := caller()
	n, err := add(t, db, who, note{uuid.New(), "old"})
	if err != nil {
		t.Fatal(err)
	}
	const update = "with changed as (update notes set body = $3 where tenant_id = $1 and id = $2 and body = 'old' returning id)"
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "f"}
	for i, id := range []uuid.UUID{uuid.New(), n.ID, n.ID} { // unknown, first, replayed
		want := note{n.ID, "new"}
		got, found, err := postgres.Change(t.Context(), db, who, want, update, who.Tenant, id, "new")
		if err != nil || found != (i > 0) || got != want {
			t.Errorf("change %d = %v %v %v", i, got, found, err)
		}
	}
}

func TestStrongRoleIsRefused(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, "demo", migrations)
	if err := d.App.Verify(t.Context(), migrations); err != nil {
		t.Errorf("the app role is refused: %v", err)
	}
	for _, url := range []string{d.AdminURL, d.MigratorURL} {
		db, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if db.Verify(t.Context(), migrations) == nil {
			t.Errorf("a role that owns tables may serve: %s", url)
		}
	}
}

func TestSchemaThatLacksAMigrationIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	for _, lacking := range []string{"00002_more.sql", "00000_older.sql"} {
		wanted := fstest.MapFS{"00001_init.sql": migrations["00001_init.sql"], lacking: {Data: []byte("-- +goose Up\nselect 1;")}}
		if db.Verify(t.Context(), wanted) == nil {
			t.Errorf("a binary may serve a schema without %s", lacking)
		}
	}
}

// Several replicas make one database at once, and then find it made.
func TestReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	defer pgtest.Database{AdminURL: admin}.Exec(t, "drop database if exists several with (force)")
	at, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	at.User, at.Path = url.UserPassword("several_migrator", "test"), "/several"
	schema := fstest.MapFS{"00001_init.sql": {Data: []byte("-- +goose Up\ncreate table things (id int primary key);")}}
	for range 3 {
		var replicas sync.WaitGroup
		for range 6 {
			replicas.Go(func() {
				if err := postgres.Provision(t.Context(), admin, "several", postgres.Passwords{Migrator: "test", App: "test", System: "test"}); err != nil {
					t.Errorf("provision: %v", err)
				} else if err := postgres.Migrate(t.Context(), at.String(), schema); err != nil {
					t.Errorf("migrate: %v", err)
				}
			})
		}
		replicas.Wait()
	}
}

// A transaction that PostgreSQL ends, since it was idle, may be tried again.
func TestIdleTransactionIsUnavailable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations).App
	err := db.Tx(t.Context(), uuid.New(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "set local idle_in_transaction_session_timeout = '10ms'"); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		_, err := tx.Exec(t.Context(), "select 1")
		return err
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestUnreachableDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), "postgres://x@127.0.0.1:1/x?connect_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Ready = %v, want unavailable", err)
	}
	if err := db.Ready(t.Context()); errors.Is(err, nil) {
		t.Error("a dead database is ready")
	}
}
