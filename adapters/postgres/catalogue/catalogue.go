// Package catalogue asks PostgreSQL's own catalogue whether a schema keeps
// tenants apart: what a migration forgets is found here.
package catalogue

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres/pgtest"
)

// checks are queries each of which must return no row.
var checks = map[string]string{
	"a table without a tenant": `select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
		and c.relname <> 'goose_db_version' and not (c.relname = any ($1::text[]))
		and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)`,
	"a tenant table without forced row security": `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
		where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not (c.relrowsecurity and c.relforcerowsecurity)
		and not (c.relname = any ($1::text[]))`,
	"a policy for the app that is not the tenant's": `select tablename || '.' || policyname from pg_policies
		where roles::text[] && (select array_agg(rolname::text) from pg_roles where rolname like '%\_app' or rolname = 'public')
		and array[qual, coalesce(with_check, qual)] <> array_fill('(tenant_id = (current_setting(''app.tenant_id''::text))::uuid)'::text, array[2])
		and not (tablename = any ($1::text[]))`,
	"a table in which a tenant that came after the last ANALYZE counts as having nothing": `select c.relname from pg_class c
		join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
		where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and a.attstattarget <> 0 and not (c.relname = any ($1::text[]))`,
	"a policy for everybody": `select tablename || '.' || policyname from pg_policies where 'public' = any (roles) and not (tablename = any ($1::text[]))`,
	"a unique index without the tenant": `select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
		join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
		where i.indisunique and c.relnamespace = 'public'::regnamespace and not (a.attnum = any (i.indkey)) and not (c.relname = any ($1::text[]))
		and not (i.indexrelid::regclass::text = any ($1::text[]))`,
	"a foreign key without the tenant": `select k.conname from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attname = 'tenant_id'
		where k.contype = 'f' and not (a.attnum = any (k.conkey)) and not (k.conrelid::regclass::text = any ($1::text[]))`,
	"a view that goes around": `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and not (c.relname = any ($1::text[]))
		and (c.relkind = 'm' or c.relkind = 'v' and not coalesce(c.reloptions::text[] @> '{security_invoker=true}', false))`,
	"a function that goes around": `select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef and not (p.proname = any ($1::text[]))`,
	"a role that is too strong": `select rolname from pg_roles where (rolname like '%\_app' or rolname like '%\_system' or rolname like '%\_migrator')
		and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb) and not (rolname = any ($1::text[]))`,
	"a large object that a service may use": `select rolname || ' ' || p.oid::regprocedure from pg_proc p, pg_roles where (rolname like '%\_app' or rolname like '%\_system')
		and pronamespace = 'pg_catalog'::regnamespace and proname ~ '^lo(_|read$|write$)' and has_function_privilege(rolname, p.oid, 'execute')
		and not (rolname = any ($1::text[]))`,
	"a database that a service has no business in": `select rolname || ' ' || datname from pg_database, pg_roles where (rolname like '%\_app' or rolname like '%\_system' or rolname like '%\_migrator')
		and datname in ('postgres', 'template1') and has_database_privilege(rolname, datname, 'connect') and not (rolname = any ($1::text[]))`,
}

// Check fails the test for everything in d's schema by which one tenant could
// reach another's rows. Tables that belong to no tenant are named in platform.
func Check(t *testing.T, d pgtest.Database, platform ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if platform == nil {
		platform = []string{}
	}
	for what, query := range checks {
		rows, err := conn.Query(t.Context(), query, platform)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, n := range names {
			t.Errorf("%s: %s", what, n)
		}
	}
}
