package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bailiwick.dev/tests/story"
)

// pg returns a program of PostgreSQL's, to be run as a role.
func (w *world) pg(ctx context.Context, role, program string, args ...string) *exec.Cmd {
	path := program
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program); len(found) > 0 {
		path = found[len(found)-1]
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"-h", "127.0.0.1", "-p", story.Port("POSTGRES", 15432), "-U", role}, args...)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+w.secrets[role])
	return cmd
}

// sql runs statements as the superuser, whom no row security concerns.
func (w *world) sql(ctx context.Context, database, statements string) error {
	cmd := w.pg(ctx, "postgres", "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database)
	cmd.Stdin = strings.NewReader(statements)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql: %w\n%s", err, out)
	}
	return nil
}

const (
	tenants  = 10
	projects = 10 // of each tenant
	// birth is when the first task was made: each later one a second later.
	birth = 1_750_000_000
)

// seed fills a schema with as many tasks as :tasks says, of :tenants tenants,
// whose rows lie between one another as they do where many work at once. The
// ids are UUIDs of version 7 that count, so that whoever asks need not look.
const seed = `
set synchronous_commit = off;
create function pg_temp.id(kind int, n bigint) returns uuid language sql immutable as $$
	select (lpad(to_hex((BIRTH + n) * 1000), 12, '0') || '7000' || '800' || kind || lpad(to_hex(n), 12, '0'))::uuid $$;
create temp table t as select n, case when n = 0 then :'tenant'::uuid else pg_temp.id(0, n) end as tenant_id from generate_series(0, :tenants - 1) n;
create temp table p as select i as n, t.tenant_id, pg_temp.id(1, i) as id from generate_series(0, :tenants * :projects - 1) i join t on t.n = i % :tenants;
insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at)
	select tenant_id, id, 'P' || n, 'Project ' || n, '', '[{"name": "open", "next": ["done"]}, {"name": "done", "next": ["open"]}]', 1, now(), 'client:bench', now() from p;
insert into project_counters (tenant_id, project_id, last) select tenant_id, id, :tasks / (:tenants * :projects) from p;
insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
	select p.tenant_id, pg_temp.id(2, i), p.id, number, 'P' || p.n || '-' || number, 'Carry desk ' || i, 'From floor ' || i % 7 || ' to floor ' || i % 5 || ', with two people and a trolley',
		case when i % 3 = 0 then 'done' else 'open' end, 'normal', '{}', array['desk', 'floor-' || i % 7], lpad(number::text, 10, '0') || 'V', 1,
		to_timestamp(BIRTH + i), 'client:bench', to_timestamp(BIRTH + i)
	from generate_series(0, :tasks - 1) i, lateral (select i / (:tenants * :projects) + 1 as number) x, p where p.n = i % (:tenants * :projects)
	order by i; -- rows lie in the order in which they came
analyze;
`

// taskID returns what seed calls its nth task, of which every tenants-th, from
// the first on, is the bench's own company's.
func taskID(n int) string { return seeded(2, n) }

// projectID returns a project of the company's.
func projectID(n int) string { return seeded(1, n%projects*tenants) }

func seeded(kind, n int) string {
	ms := fmt.Sprintf("%012x", (birth+n)*1000)
	return fmt.Sprintf("%s-%s-7000-800%d-%012x", ms[:8], ms[8:], kind, n)
}

// wordless leaves out the words by which tasks are searched, of which there are
// ten for each: neither a get nor a page reads them, and of ten million tasks
// they take an hour.
const wordless = "set session_replication_role = replica;\n"

// fill makes a database with the tasks service's schema and n tasks, anew, in a
// session with settings.
func (w *world) fill(ctx context.Context, database string, n int, settings string) error {
	if err := w.sql(ctx, "postgres", fmt.Sprintf("drop database if exists %s;\ncreate database %s;", database, database)); err != nil {
		return err
	}
	schema, err := w.pg(ctx, "postgres", "pg_dump", "--schema-only", "tasks").Output()
	if err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	versions, err := w.pg(ctx, "postgres", "pg_dump", "--data-only", "--table", "goose_db_version", "tasks").Output()
	if err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	// A dump empties the search path of the session that reads it.
	for _, statements := range []string{string(schema), string(versions), settings + fmt.Sprintf("\\set tenant '%s'\n\\set tenants %d\n\\set projects %d\n\\set tasks %d\n", w.tenant, tenants, projects, n) + strings.ReplaceAll(seed, "BIRTH", fmt.Sprint(birth))} {
		if err := w.sql(ctx, database, statements); err != nil {
			return err
		}
	}
	return nil
}

// clone copies a database.
func (w *world) clone(ctx context.Context, from, to string) error {
	return w.sql(ctx, "postgres", fmt.Sprintf("drop database if exists %s;\ncreate database %s template %s;", to, to, from))
}

// withoutWall copies a database and takes row security away from every table.
func (w *world) withoutWall(ctx context.Context, from, to string) error {
	if err := w.clone(ctx, from, to); err != nil {
		return err
	}
	return w.sql(ctx, to, `do $$ declare t regclass; begin
		for t in select oid from pg_class where relrowsecurity loop execute format('alter table %s disable row level security', t); end loop; end $$;`)
}
