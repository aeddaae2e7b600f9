package tasksdb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

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
		seed(t, db, tenant, 10000)
	}
	db.Exec(t, "analyze tasks")
	db.Exec(t, "analyze task_words")
	for words, want := range map[string]struct{ found, read int }{"common rare": {5, 5}, "rare": {5, 5}, "common": {51, 60}, "common often": {51, 60}, "4321 common": {1, 1}, "nowhere common": {0, 0}, "--": {0, 0}, "書類": {51, 60}, "設計": {5, 5}, "書類 rare": {5, 5}, "計書 common": {5, 5}, "書設": {0, 0}} {
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

// What is asked for in pairs of characters is what was kept in them.
func TestPostgreSQLKnowsWhatIsWrittenWithoutSpaces(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", Migrations)
	var known []int32
	db.Scan(t, &known, "select array_agg(n order by n) from generate_series(1, 1114111) n where n not between 55296 and 57343 and task_words_of('', chr(n)) <> '{}'")
	i := 0
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if isUnspaced(r) {
			if i >= len(known) || known[i] != r {
				t.Fatalf("%U is known to one of both", r)
			}
			i++
		}
	}
	if i != len(known) {
		t.Errorf("PostgreSQL knows %d, we %d", len(known), i)
	}
}

// A page is planned once, whatever the tenant: it must not be read whole and
// sorted because it was small then.
func TestFirstPageReadsNoMoreOfFewTasks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", Migrations)
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	for i := range 10 {
		tenant := uuid.New()
		if i == 0 {
			tenant = who.Tenant
		}
		seed(t, db, tenant, 1000)
	}
	db.Exec(t, "analyze tasks")
	q, err := task.Filter{}.Query(who, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := chosen(who, q, ofTask+" from tasks t")
	s.order(q.Sort, page.Request{Limit: 50})
	var values []string
	for _, a := range s.args {
		if at, ok := a.(time.Time); ok {
			a = at.Format(time.RFC3339Nano)
		}
		values = append(values, fmt.Sprintf("'%v'", a))
	}
	if found, read := explained(t, db, who, "set local plan_cache_mode = force_generic_plan", "prepare page as "+s.sql.String(),
		"explain (analyze, format json) execute page ("+strings.Join(values, ", ")+")"); found != 51 || read > 60 {
		t.Errorf("the first page finds %d tasks and reads %d", found, read)
	}
}

// seed makes a project with n tasks, of which every 2,000th is rare.
func seed(t *testing.T, db pgtest.Database, tenant uuid.UUID, n int) {
	t.Helper()
	db.Exec(t, `with p as (insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at)
			values ($1, gen_random_uuid(), 'AA', 'A', '', '[]', 1, now(), 'x', now()) returning id)
		insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
		select $1, gen_random_uuid(), p.id, n, 'AA-' || n, 'Common ' || n, case when n % 2000 = 0 then 'rare 設計書類' else 'often 書類' end, 'open', 'low', '{}', '{}', n::text, 1,
			now() + n * interval '1 s', 'x', now() from p, generate_series(1, $2) n`, tenant, n)
}

// explain runs a query and returns how many rows it found, and how many of tasks it read.
func explain(t *testing.T, db pgtest.Database, who identity.Caller, q *query) (found, read int) {
	t.Helper()
	var text []byte
	err := db.App.Tenant(t.Context(), who.Tenant, func(b *pgx.Batch) {
		b.Queue("explain (analyze, format json) "+q.sql.String(), q.args...).QueryRow(func(row pgx.Row) error { return row.Scan(&text) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return counted(t, text)
}

// explained is explain for statements of which the last explains.
func explained(t *testing.T, db pgtest.Database, who identity.Caller, statements ...string) (found, read int) {
	t.Helper()
	var text []byte
	if err := db.App.Tx(t.Context(), who.Tenant, func(tx pgx.Tx) (err error) {
		for _, s := range statements[:len(statements)-1] {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return tx.QueryRow(t.Context(), statements[len(statements)-1], pgx.QueryExecModeSimpleProtocol).Scan(&text)
	}); err != nil {
		t.Fatal(err)
	}
	return counted(t, text)
}

func counted(t *testing.T, text []byte) (found, read int) {
	t.Helper()
	type node struct {
		Relation string  `json:"Relation Name"`
		Rows     float64 `json:"Actual Rows"`
		Loops    float64 `json:"Actual Loops"`
		Removed  float64 `json:"Rows Removed by Filter"`
		Plans    []json.RawMessage
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
