package reportsdb_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/report/conformance"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(t *testing.T) conformance.Store {
		db := pgtest.New(t, "reports", reportsdb.Migrations)
		return struct {
			*reportsdb.Store
			report.Queue
		}{reportsdb.New(db.App), reportsdb.NewQueue(db.System)}
	})
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "reports", reportsdb.Migrations))
}

// The reconciler sees which runs are due, and nothing that a tenant wrote.
func TestSystemRoleReadsNoContent(t *testing.T) {
	t.Parallel()
	world := pgtest.New(t, "reports", reportsdb.Migrations)
	db := world.System
	for _, sql := range []string{
		"select title from runs", "select * from runs", "update runs set status = 'failed'", "delete from runs where title = 'T'",
		"insert into runs (tenant_id) values ('" + uuid.NewString() + "')", "update runs set tenant_id = '" + uuid.NewString() + "'",
	} {
		if err := db.System(t.Context(), func(b *pgx.Batch) { b.Queue(sql) }); err == nil {
			t.Errorf("%s: succeeds", sql)
		}
	}
	if err := db.System(t.Context(), func(b *pgx.Batch) { b.Queue("select tenant_id, id from runs") }); err != nil {
		t.Error(err)
	}
	live, over := uuid.New(), uuid.New()
	for id, status := range map[uuid.UUID]string{live: "running", over: "failed"} {
		world.Exec(t, `insert into runs (tenant_id, id, report, format, title, filter_status, status, version, created_at, created_by, updated_at, due_at, finished_at)
			values ($1, $1, 'tasks', 'pdf', 'T', '', $2, 1, now(), 'x', now(), case $2 when 'running' then now() end, case $2 when 'failed' then now() end)`, id, status)
	}
	if err := db.System(t.Context(), func(b *pgx.Batch) { b.Queue("delete from runs") }); err != nil {
		t.Error(err)
	}
	var left uuid.UUID
	if world.Scan(t, &left, "select id from runs"); left != live {
		t.Errorf("%s is left of all runs, want the one that is not over", left)
	}
}

// Even with SQL of its own the service's role cannot reach another tenant's runs.
func TestRoleIsHeldByPostgreSQL(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "reports", reportsdb.Migrations).App
	a, b := uuid.New(), uuid.New()
	insert := `insert into runs (tenant_id, id, report, format, title, filter_status, status, version, created_at, created_by, updated_at, due_at)
		values ($1, $2, 'tasks', 'pdf', 'T', '', 'pending', 1, now(), 'x', now(), now())`
	if err := db.Tenant(t.Context(), a, func(q *pgx.Batch) { q.Queue(insert, a, uuid.New()) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Tenant(t.Context(), b, func(q *pgx.Batch) { q.Queue(insert, a, uuid.New()) }); err == nil {
		t.Error("a run was put into another tenant")
	}
	for _, sql := range []string{"update runs set title = 'stolen'", "select 1 from runs"} {
		var n int64
		err := db.Tenant(t.Context(), b, func(q *pgx.Batch) {
			q.Queue(sql).Query(func(rows pgx.Rows) error {
				rows.Close()
				n = rows.CommandTag().RowsAffected()
				return rows.Err()
			})
		})
		if err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v, want none", sql, n, err)
		}
	}
}
