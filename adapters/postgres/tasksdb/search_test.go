package tasksdb

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// A search reads the tasks that have its rarest word, or a page of them, and
// never all that the tenant has.
func TestSearchReadsFewTasks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", Migrations)
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	for _, tenant := range []uuid.UUID{who.Tenant, uuid.New()} {
		db.Exec(t, `with p as (insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at)
				values ($1, gen_random_uuid(), 'AA', 'A', '', '[]', 1, now(), 'x', now()) returning id)
			insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
			select $1, gen_random_uuid(), p.id, n, 'AA-' || n, 'Common ' || n, case when n % 2000 = 0 then 'rare' else 'often' end, 'open', 'low', '{}', '{}', n::text, 1,
				now() + n * interval '1 s', 'x', now() from p, generate_series(1, 10000) n`, tenant)
	}
	db.Exec(t, "analyze tasks")
	db.Exec(t, "analyze task_words")
	for words, want := range map[string]struct{ found, read int }{"common rare": {5, 5}, "rare": {5, 5}, "common": {51, 60}, "common often": {51, 60}, "4321 common": {1, 1}, "nowhere common": {0, 0}, "--": {0, 0}} {
		q, err := task.Filter{Search: words}.Query(who, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s := chosen(who, q, ofTask+" from tasks t")
		s.order(q.Sort, page.Request{Limit: 50})
		if found, read := explain(t, db, who, s); found != want.found || read > want.read {
			t.Errorf("%q finds %d tasks and reads %d, want %d and at most %d", words, found, read, want.found, want.read)
		}
	}
}

// explain runs a query and returns how many rows it found, and how many of tasks it read.
func explain(t *testing.T, db pgtest.Database, who identity.Caller, q *query) (found, read int) {
	t.Helper()
	type node struct {
		Relation string  `json:"Relation Name"`
		Rows     float64 `json:"Actual Rows"`
		Loops    float64 `json:"Actual Loops"`
		Removed  float64 `json:"Rows Removed by Filter"`
		Plans    []json.RawMessage
	}
	var text []byte
	err := db.App.Tenant(t.Context(), who.Tenant, func(b *pgx.Batch) {
		b.Queue("explain (analyze, format json) "+q.sql.String(), q.args...).QueryRow(func(row pgx.Row) error { return row.Scan(&text) })
	})
	if err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan json.RawMessage }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	for left := []json.RawMessage{plans[0].Plan}; len(left) > 0; left = left[1:] {
		var n node
		if err := json.Unmarshal(left[0], &n); err != nil {
			t.Fatal(err)
		}
		if len(left[0]) == len(plans[0].Plan) {
			found = int(n.Rows)
		}
		if n.Relation == "tasks" {
			read += int((n.Rows + n.Removed) * n.Loops)
		}
		left = append(left, n.Plans...)
	}
	if read > 100 {
		t.Logf("%s", text)
	}
	return found, read
}
