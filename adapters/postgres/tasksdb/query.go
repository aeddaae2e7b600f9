package tasksdb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/filter"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// columns are those of task.Fields.
var columns = map[string]string{
	"key": "key", "number": "number", "project": "project_id", "parent": "parent_id", "title": "title", "status": "status", "priority": "priority",
	"assignee": "assignees", "label": "labels", "start": "start_at", "due": "due_at", "estimate": "estimate_minutes", "created": "created_at", "updated": "updated_at",
}

// query is a statement under construction; values only ever become arguments.
type query struct {
	sql  strings.Builder
	args []any
	// created and id are the columns by which a list is ordered if nothing is said.
	created, id string
}

const (
	// byWord finds tasks by one of the words that are asked for.
	byWord = " join task_words w on w.tenant_id = t.tenant_id and w.task_id = t.id"
	// rarest is that one of the words which the fewest tasks have, as far as a
	// thousand tell.
	rarest = `(select a.word from unnest(%[2]s) a (word)
		order by (select count(*) from (select from task_words c where c.tenant_id = %[1]s and c.word = a.word limit 1000) x), a.word limit 1)`
)

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// chosen begins a statement on the tasks that tq chooses.
func chosen(who identity.Caller, tq task.Query, sel string) *query {
	q := &query{created: "t.created_at", id: "t.id"}
	tenant := q.arg(who.Tenant)
	if len(tq.Words) > 0 {
		sel += byWord
	}
	q.sql.WriteString("select " + sel + " where t.tenant_id = " + tenant)
	if tq.Trash {
		q.sql.WriteString(" and t.deleted_at is not null")
	} else {
		q.sql.WriteString(" and t.deleted_at is null")
	}
	if tq.ProjectID != uuid.Nil {
		q.sql.WriteString(" and t.project_id = " + q.arg(tq.ProjectID))
	}
	if len(tq.Words) > 0 {
		q.created, q.id = "w.created_at", "w.task_id"
		q.words(tenant, tq.Words)
	}
	if tq.Where != nil {
		q.sql.WriteString(" and ")
		q.where(tq.Where)
	}
	return q
}

// words adds what chooses by words: the rarest by which they are found, and the
// comparison of all.
func (q *query) words(tenant string, words []string) {
	spaced, parts := split(words)
	all, same := "", ""
	if len(spaced) > 0 {
		text := q.arg(strings.Join(spaced, " "))
		all, same = "task_words_of(to_tsvector('simple', "+text+"))", " and t.search @@ plainto_tsquery('simple', "+text+")"
	}
	if len(parts) > 0 {
		all = strings.TrimPrefix(all+" || array(select hashtextextended(g, 0) from unnest("+q.arg(grams(parts))+"::text[]) g)", " || ")
	}
	for _, part := range parts {
		same += " and position(lower(" + q.arg(part) + ") in lower(t.title || ' ' || t.description)) > 0"
	}
	q.sql.WriteString(" and w.tenant_id = " + tenant + " and w.word = " + fmt.Sprintf(rarest, tenant, all) + same)
}

func (q *query) where(e filter.Expr) {
	switch e := e.(type) {
	case filter.And:
		q.pair(e.Left, " and ", e.Right)
	case filter.Or:
		q.pair(e.Left, " or ", e.Right)
	case filter.Not:
		q.sql.WriteString("not ")
		q.pair(e.X, "", nil)
	case filter.Compare:
		q.sql.WriteString(q.compare(e))
	}
}

func (q *query) pair(left filter.Expr, op string, right filter.Expr) {
	q.sql.WriteByte('(')
	q.where(left)
	q.sql.WriteString(op)
	q.where(right)
	q.sql.WriteByte(')')
}

// compare is true or false, never null: what is empty satisfies no comparison.
func (q *query) compare(c filter.Compare) string {
	column := "t." + columns[c.Field.Name]
	sql := ""
	switch {
	case c.Op == filter.Empty && c.Field.Many:
		return "cardinality(" + column + ") = 0"
	case c.Op == filter.Empty:
		return column + " is null"
	case c.Op == filter.Contains:
		return "position(lower(" + q.arg(c.Values[0]) + ") in lower(" + column + ")) > 0"
	case c.Field.Many:
		return column + " && " + q.arg(typed(c.Values))
	case c.Op == filter.In:
		sql = column + " = any(" + q.arg(typed(c.Values)) + ")"
	default:
		sql = column + " " + string(c.Op) + " " + q.arg(c.Values[0])
	}
	if c.Field.Nullable {
		sql = "coalesce(" + sql + ", false)"
	}
	return sql
}

// typed makes an array of one type, which PostgreSQL can tell.
func typed(values []any) any {
	if _, ok := values[0].(uuid.UUID); ok {
		return slice[uuid.UUID](values)
	}
	if _, ok := values[0].(string); ok {
		return slice[string](values)
	}
	return values
}

func slice[T any](values []any) (all []T) {
	for _, v := range values {
		all = append(all, v.(T))
	}
	return all
}

// sortExpr is what a list is sorted by, and its type. What is empty sorts as
// the last value there is, in either direction.
func sortExpr(o task.Order) (expr, typ string) {
	last := map[bool]string{false: "infinity", true: "-infinity"}[o.Descending]
	switch o.Field {
	case "due", "start":
		return "coalesce(t." + columns[o.Field] + ", '" + last + "')", "timestamptz"
	case "created", "updated":
		return "t." + columns[o.Field], "timestamptz"
	case "estimate":
		return "coalesce(t.estimate_minutes, " + map[bool]string{false: "9223372036854775807", true: "-1"}[o.Descending] + ")", "bigint"
	case "number":
		return "t.number", "bigint"
	case "priority":
		return "array_position('{" + strings.Join(task.Priorities, ",") + "}', t.priority) - 1", "int"
	case "rank":
		return "t.rank", "text"
	}
	return "t." + columns[o.Field] + ` collate "C"`, "text"
}

// sortArg is a value of a cursor as sortExpr shows it.
func sortArg(o task.Order, value string) string {
	if value == "" {
		switch o.Field {
		case "due", "start":
			return map[bool]string{false: "infinity", true: "-infinity"}[o.Descending]
		case "estimate":
			return map[bool]string{false: "9223372036854775807", true: "-1"}[o.Descending]
		}
	}
	return value
}

// order adds what comes after a key, and the order. Where all fields ascend, a
// row is compared, for which an index can serve.
func (q *query) order(sort []task.Order, r page.Request) {
	if len(sort) == 0 {
		fmt.Fprintf(&q.sql, " and (%[1]s, %[2]s) > (%[3]s, %[4]s) order by %[1]s, %[2]s", q.created, q.id, q.arg(r.After.At), q.arg(r.After.ID))
	} else {
		if r.After != (page.Key{}) {
			q.sql.WriteString(" and " + q.after(sort, strings.Split(r.After.Sort, "\x00"), r.After.ID))
		}
		q.sql.WriteString(" order by ")
		for _, o := range sort {
			expr, _ := sortExpr(o)
			q.sql.WriteString(expr + map[bool]string{false: "", true: " desc"}[o.Descending] + ", ")
		}
		q.sql.WriteString("t.id")
	}
	// As an argument PostgreSQL would not know it when it weighs the generic plan
	// of a large table, and would plan each time: as long as the page itself takes.
	q.sql.WriteString(" limit " + strconv.Itoa(r.Limit+1))
}

func (q *query) after(sort []task.Order, values []string, id uuid.UUID) string {
	exprs, args := make([]string, len(sort)), make([]string, len(sort))
	for i, o := range sort {
		var typ string
		exprs[i], typ = sortExpr(o)
		args[i] = q.arg(sortArg(o, values[min(i, len(values)-1)])) + "::text::" + typ
	}
	last := q.arg(id)
	if !slices.ContainsFunc(sort, func(o task.Order) bool { return o.Descending }) {
		return "(" + strings.Join(exprs, ", ") + ", t.id) > (" + strings.Join(args, ", ") + ", " + last + ")"
	}
	cond := "t.id > " + last
	for i := len(sort) - 1; i >= 0; i-- {
		beyond := map[bool]string{false: " > ", true: " < "}[sort[i].Descending]
		cond = "(" + exprs[i] + beyond + args[i] + " or " + exprs[i] + " = " + args[i] + " and " + cond + ")"
	}
	return cond
}

// Tasks implements task.Store.
func (s *Store) Tasks(ctx context.Context, who identity.Caller, tq task.Query, r page.Request) (page.Result[task.Task], error) {
	q := chosen(who, tq, ofTask+" from tasks t")
	q.order(tq.Sort, r)
	var rows []task.Task
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, q.sql.String(), q.args...) })
	return page.Cut(rows, r.Limit, func(t task.Task) page.Key { return t.Place(tq.Sort) }), err
}

var groups = map[string]string{
	"status": "t.status as value from tasks t", "priority": "t.priority as value from tasks t", "project": "t.project_id::text as value from tasks t",
	"assignee": "u.value::text from tasks t left join lateral unnest(t.assignees) u (value) on true",
	"label":    "u.value from tasks t left join lateral unnest(t.labels) u (value) on true",
}

const maxGroups = 1000

// Counts implements task.Store.
func (s *Store) Counts(ctx context.Context, who identity.Caller, tq task.Query, by string) (rows []task.Count, err error) {
	q := chosen(who, tq, groups[by])
	sql := "select value, count(*) from (" + q.sql.String() + ") x group by value order by count(*) desc, value limit " + q.arg(maxGroups)
	err = s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, q.args...) })
	return rows, err
}

// exportsWait is how long an export waits for another to end.
const exportsWait = 5 * time.Second

// Export implements task.Store. Rows are read as they are yielded, so that no
// more than a few are held.
func (s *Store) Export(ctx context.Context, who identity.Caller, tq task.Query, yield func(*task.Task) error) error {
	wait, stop := context.WithTimeout(ctx, exportsWait)
	defer stop()
	if s.exports.Acquire(wait, 1) != nil {
		return &fault.Error{Kind: fault.Unavailable, Code: "busy", Message: "too many exports are being read; try again in a moment", RetryAfter: exportsWait}
	}
	defer s.exports.Release(1)
	q := chosen(who, tq, ofTask+" from tasks t")
	return s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		b.Queue("select set_config('statement_timeout', '1h', true)") // a client may read slowly
		postgres.Each(b, yield, q.sql.String(), q.args...)
	})
}
