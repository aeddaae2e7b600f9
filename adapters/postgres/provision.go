package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Passwords are those of a service's three roles that can log in.
type Passwords struct{ Migrator, App, System string }

// provisionRoles makes the roles of one service; %[1]s is the service, the
// others are the quoted passwords. The owner owns every object and cannot log
// in; the migrator acts as the owner and fails aloud, instead of changing no
// row in silence, where row security would hide rows from it. The service reads a
// few rows in the order of an index, and its statements are planned once, since
// PostgreSQL would else plan a page for its tenant each time: a plan that reads all
// and sorts, which is right for a table that is still small, would stay
// when the table has grown. None has business in the server's own databases.
const provisionRoles = `
do $$ begin
	if not exists (select from pg_roles where rolname = '%[1]s_owner') then create role %[1]s_owner nologin; end if;
	if not exists (select from pg_roles where rolname = '%[1]s_migrator') then create role %[1]s_migrator; end if;
	if not exists (select from pg_roles where rolname = '%[1]s_app') then create role %[1]s_app; end if;
	if not exists (select from pg_roles where rolname = '%[1]s_system') then create role %[1]s_system; end if;
end $$;
alter role %[1]s_migrator login noinherit password %[2]s;
alter role %[1]s_app login password %[3]s;
alter role %[1]s_system login password %[4]s;
alter role %[1]s_app set statement_timeout = '10s';
alter role %[1]s_app set idle_in_transaction_session_timeout = '10s';
alter role %[1]s_app set enable_seqscan = off;
alter role %[1]s_app set enable_bitmapscan = off;
alter role %[1]s_app set plan_cache_mode = force_generic_plan;
alter role %[1]s_app set jit = off;
grant %[1]s_owner to %[1]s_migrator;
alter role %[1]s_migrator set role to %[1]s_owner;
alter role %[1]s_migrator set row_security = off;
do $$ declare d text; begin
	for d in select datname from pg_database where datname in ('postgres', 'template1') loop
		execute format('revoke all on database %%I from public', d);
	end loop;
end $$;`

// provisionDatabase closes the database to everybody but the service's roles, and
// large objects, which no row security covers, to those too.
const provisionDatabase = `
revoke all on database %[2]s from public;
grant connect on database %[2]s to %[1]s_migrator, %[1]s_app, %[1]s_system;
alter schema public owner to %[1]s_owner;
revoke all on schema public from public;
grant usage on schema public to %[1]s_app, %[1]s_system;
do $$ declare f regprocedure; begin
	for f in select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^lo(_|read$|write$)' loop
		execute format('revoke execute on function %%s from public', f);
	end loop;
end $$;`

// Provision makes the database of a service, named like it, and its roles. It
// is idempotent and sets the passwords anew. adminURL is a superuser's.
func Provision(ctx context.Context, adminURL, service string, p Passwords) error {
	return ProvisionDatabase(ctx, adminURL, service, service, p)
}

// ProvisionDatabase is Provision for a database with a name of its own.
func ProvisionDatabase(ctx context.Context, adminURL, service, database string, p Passwords) error {
	admin, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx)) // which lets the lock go
	// Roles and databases belong to the whole server: two services, or two
	// replicas of one, would collide there.
	if err := exec(ctx, admin, "select pg_advisory_lock(8236501)"); err != nil {
		return err
	}
	if err := exec(ctx, admin, fmt.Sprintf(provisionRoles, service, quote(p.Migrator), quote(p.App), quote(p.System))); err != nil {
		return fmt.Errorf("roles of %s: %w", service, err)
	}
	err = exec(ctx, admin, fmt.Sprintf("create database %s owner %s_owner", database, service))
	if err != nil && !hasCode(err, "42P04") { // duplicate_database
		return fmt.Errorf("database %s: %w", database, err)
	}
	at, err := WithDatabase(adminURL, database)
	if err != nil {
		return err
	}
	within, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	defer within.Close(context.WithoutCancel(ctx))
	return exec(ctx, within, fmt.Sprintf(provisionDatabase, service, database))
}

// WithDatabase returns rawURL pointed at another database of the same server.
func WithDatabase(rawURL, database string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

// exec runs one or more statements.
func exec(ctx context.Context, conn *pgx.Conn, statements string) error {
	_, err := conn.Exec(ctx, statements, pgx.QueryExecModeSimpleProtocol)
	return err
}

func hasCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

func quote(literal string) string {
	return "'" + strings.ReplaceAll(literal, "'", "''") + "'"
}
