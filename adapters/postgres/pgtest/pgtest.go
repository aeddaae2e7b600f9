// Package pgtest gives each test a real PostgreSQL database of its own.
//
// The server is the one at TEST_DATABASE_URL, else a container where a Docker
// engine has the image, else one started from the local binaries. It is shared
// by the tests of a package; a database is copied from a migrated template.
package pgtest

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bailiwick.dev/adapters/postgres"
)

// Database is one test's own.
type Database struct {
	App, System                              *postgres.DB
	AppURL, SystemURL, MigratorURL, AdminURL string
}

const password = "test" // the server listens for this run alone

var (
	serverOnce sync.Once
	serverURL  string
	serverErr  error
	templates  sync.Map // service and number of migrations -> *template
	counter    atomic.Int64
)

type template struct {
	once sync.Once
	name string
	err  error
}

// New returns a fresh database with the service's migrations applied. It is
// dropped when the test ends.
func New(t testing.TB, service string, migrations fs.FS) Database {
	t.Helper()
	ctx := t.Context()
	admin := Server(t)
	from := templateOf(t, admin, service, migrations)
	name := fmt.Sprintf("%s_%d_%d", service, time.Now().UnixNano(), counter.Add(1))
	if err := clone(ctx, admin, service, from, name); err != nil {
		t.Fatalf("database for the test: %v", err)
	}
	d := Database{
		AppURL: roleURL(admin, service+"_app", name), SystemURL: roleURL(admin, service+"_system", name),
		MigratorURL: roleURL(admin, service+"_migrator", name), AdminURL: roleURL(admin, "", name),
	}
	ran := &statements{}
	d.App, d.System = open(t, d.AppURL, ran.trace), open(t, d.SystemURL)
	t.Cleanup(func() { drop(t, admin, name) }) // after the pools are closed: cleanups run last first
	t.Cleanup(func() { ran.explain(t, d.AppURL) })
	t.Cleanup(d.System.Close)
	t.Cleanup(d.App.Close)
	return d
}

// Exec changes rows as an administrator, past every wall, to make what a test
// cannot wait for.
func (d Database) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// Scan reads one row as an administrator.
func (d Database) Scan(t testing.TB, dst any, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(dst); err != nil {
		t.Fatal(err)
	}
}

// Hold is Exec within a transaction that stays open until commit is called.
func (d Database) Hold(t testing.TB, sql string, args ...any) (commit func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) }) // the test is over
	tx, err := conn.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), sql, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Server returns the URL of a superuser at the server of this test run.
func Server(t testing.TB) string {
	t.Helper()
	serverOnce.Do(func() { serverURL, serverErr = start() })
	if serverErr != nil {
		t.Fatalf("PostgreSQL for the tests: %v", serverErr)
	}
	return serverURL
}

func templateOf(t testing.TB, admin, service string, migrations fs.FS) string {
	t.Helper()
	all, err := fs.Glob(migrations, "*.sql") // a test may want an older schema
	if err != nil {
		t.Fatal(err)
	}
	v, _ := templates.LoadOrStore(fmt.Sprint(service, len(all)), &template{name: fmt.Sprintf("%s_template_%d", service, time.Now().UnixNano())})
	tpl := v.(*template)
	tpl.once.Do(func() { tpl.err = migrate(admin, service, tpl.name, migrations) })
	if tpl.err != nil {
		t.Fatalf("schema of %s: %v", service, tpl.err)
	}
	return tpl.name
}

func migrate(admin, service, name string, migrations fs.FS) error {
	ctx := context.Background()
	p := postgres.Passwords{Migrator: password, App: password, System: password}
	if err := postgres.ProvisionDatabase(ctx, admin, service, name, p); err != nil {
		return err
	}
	return postgres.Migrate(ctx, roleURL(admin, service+"_migrator", name), migrations)
}

func clone(ctx context.Context, admin, service, from, name string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, s := range []string{
		"create database %[2]s template %[3]s owner %[1]s_owner",
		"revoke all on database %[2]s from public",
		"grant connect on database %[2]s to %[1]s_migrator, %[1]s_app, %[1]s_system",
	} {
		if _, err := conn.Exec(ctx, fmt.Sprintf(s, service, name, from)); err != nil {
			return err
		}
	}
	return nil
}

func drop(t testing.TB, admin, name string) {
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, admin)
	if err == nil {
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "drop database if exists "+name+" with (force)")
	}
	if err != nil {
		t.Logf("database %s stays: %v", name, err)
	}
}

func open(t testing.TB, url string, options ...func(*pgxpool.Config)) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, options...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return db
}

func roleURL(admin, role, database string) string {
	u, err := url.Parse(admin)
	if err != nil {
		panic(err) // start made it
	}
	if role != "" {
		u.User = url.UserPassword(role, password)
	}
	u.Path = "/" + database
	q := u.Query()
	if role != "" && strings.HasSuffix(role, "_app") {
		q.Set("pool_max_conns", "8")
	}
	u.RawQuery = q.Encode()
	return u.String()
}
