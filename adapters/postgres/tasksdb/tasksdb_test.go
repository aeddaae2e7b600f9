package tasksdb_test

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/task/conformance"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(t *testing.T) task.Store {
		return tasksdb.New(pgtest.New(t, "tasks", tasksdb.Migrations).App)
	})
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "tasks", tasksdb.Migrations))
}

// Of two workers that look at once each gets other imports, and what was taken
// is due again only when nothing was heard for a while.
func TestImportIsTakenOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	s, q := tasksdb.New(db.App), tasksdb.NewImportQueue(db.System)
	who, at := identity.Caller{Tenant: uuid.New(), User: uuid.New()}, time.Now().UTC()
	p, err := s.AddProject(t.Context(), who, task.Project{ID: uuid.New(), Name: "P", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: at, UpdatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	im := task.Import{ID: uuid.New(), ProjectID: p.ID, Status: task.ImportPending, RowsTotal: 1, Version: 1, CreatedAt: at, UpdatedAt: at}
	if _, err := s.AddImport(t.Context(), who, im, []byte("title\nA\n")); err != nil {
		t.Fatal(err)
	}
	for after, want := range []int{1, 0} {
		got, err := q.TakeImports(t.Context(), at.Add(time.Duration(after)*time.Second))
		if err != nil || len(got) != want || want == 1 && got[0] != (task.ImportID{TenantID: who.Tenant, ID: im.ID}) {
			t.Errorf("the worker that looks after %d s gets %v, %v, want %d", after, got, err, want)
		}
	}
	if got, err := q.TakeImports(t.Context(), at.Add(task.ImportAgain+time.Second)); err != nil || len(got) != 1 {
		t.Errorf("later it is due again: %v, %v", got, err)
	}
	if err := db.System.System(t.Context(), func(b *pgx.Batch) { b.Queue("select file from task_imports") }); err == nil {
		t.Error("the system role reads files")
	}
}

// A tenant that came after the last ANALYZE is read through the primary key too.
func TestNewTenantsPlanIsThePrimaryKey(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	fill := func(tenant uuid.UUID, n int) {
		db.Exec(t, `with p as (insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at)
				values ($1, gen_random_uuid(), 'AA', 'A', '', '[]', 1, now(), 'x', now()) returning id)
			insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
			select $1, gen_random_uuid(), p.id, n, 'AA-' || n, 'T', '', 'open', 'low', '{}', '{}', n::text, 1, now(), 'x', now() from p, generate_series(1, $2::int) n`, tenant, n)
	}
	fill(uuid.New(), 20_000)
	db.Exec(t, "analyze tasks")
	tenant := uuid.New()
	fill(tenant, 5_000)
	var plan []string
	err := db.App.Tenant(t.Context(), tenant, func(b *pgx.Batch) {
		b.Queue("explain select title from tasks where tenant_id = '" + tenant.String() + "' and id = '" + uuid.NewString() + "' and deleted_at is null").Query(func(rows pgx.Rows) (err error) {
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "tasks_pkey") {
		t.Errorf("%v, %s", err, strings.Join(plan, "\n"))
	}
}

// Even with SQL of its own the service's role cannot reach another tenant's rows.
func TestRoleIsHeldByPostgreSQL(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations).App
	a, b, project := uuid.New(), uuid.New(), uuid.New()
	err := db.Tenant(t.Context(), a, func(q *pgx.Batch) {
		q.Queue("insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at) values ($1, $2, 'AA', 'A', '', '[]', 1, now(), 'x', now())", a, project)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"update projects set name = 'stolen'", "delete from projects", "select 1 from projects",
	} {
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
	for _, sql := range []string{
		"insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at) values ('" +
			b.String() + "', gen_random_uuid(), '" + project.String() + "', 1, 'AA-1', 'T', '', 'open', 'low', '{}', '{}', '1', 1, now(), 'x', now())",
		"insert into projects (tenant_id, id, key, name, description, statuses, version, created_at, created_by, updated_at) values ('" + a.String() +
			"', gen_random_uuid(), 'BB', 'B', '', '[]', 1, now(), 'x', now())",
		"copy projects from stdin", "truncate projects", "alter table projects disable row level security", "set role tasks_owner",
	} {
		if err := db.Tenant(t.Context(), b, func(q *pgx.Batch) { q.Queue(sql) }); err == nil {
			t.Errorf("%s: succeeds", sql)
		}
	}
}

// The purge drops what is old enough, of every tenant, with what belongs to it.
func TestTrashIsPurged(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	store, trash, now := tasksdb.New(db.App), tasksdb.NewTrash(db.System), time.Now().UTC().Truncate(time.Microsecond)
	for i, age := range []time.Duration{0, time.Hour, task.Retention + time.Hour, task.Retention + time.Minute} {
		who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
		p, err := store.AddProject(t.Context(), who, task.Project{ID: uuid.New(), Name: "P", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			t.Fatal(err)
		}
		made, err := store.Add(t.Context(), who, task.Task{ID: uuid.New(), ProjectID: p.ID, Title: "T", Priority: "low", Assignees: []uuid.UUID{}, Labels: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 { // not in the trash at all
			continue
		}
		if _, err := store.Delete(t.Context(), who, task.ItemDelete{ID: made.ID, Version: 1}, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{2, 0} {
		if n, err := trash.PurgeTrash(t.Context(), now.Add(-task.Retention)); err != nil || n != want {
			t.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	db.Exec(t, "do $$ begin assert (select count(*) from tasks) = 2 and (select count(*) from task_changes) = 3 and (select count(*) from task_words) = 2; end $$")
}

// A deleted project with many tasks is gone at once, and is dropped part by part;
// others stay.
func TestDeletedProjectIsDropped(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	store, now, ctx := tasksdb.New(db.App), time.Now().UTC().Truncate(time.Microsecond), t.Context()
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	project := func(key string) task.Project {
		p, err := store.AddProject(ctx, who, task.Project{ID: uuid.New(), Key: key, Name: "P", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			t.Fatal(err)
		}
		db.Exec(t, `insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
			select $1, gen_random_uuid(), $2, n, $3 || '-' || n, 'Tea', '', 'open', 'low', '{}', '{}', n::text, 1, now(), 'x', now() from generate_series(1, 1500) n`, who.Tenant, p.ID, key)
		return p
	}
	gone, kept := project("GONE"), project("KEPT")
	im := task.Import{ID: uuid.New(), ProjectID: gone.ID, Status: task.ImportPending, RowsTotal: 1, Version: 1, CreatedAt: now, UpdatedAt: now}
	if _, err := store.AddImport(ctx, who, im, []byte("title\nA\n")); err != nil {
		t.Fatal(err)
	}
	member := task.Member{UserID: uuid.New(), AddedAt: now}
	if err := store.AddMember(ctx, who, gone.ID, member); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteProject(ctx, who, gone.ID, 1); err != nil {
		t.Fatal(err)
	}
	_, read := store.Project(ctx, who, gone.ID)
	_, add := store.Add(ctx, who, task.Task{ID: uuid.New(), ProjectID: gone.ID, Title: "T", Priority: "low", Assignees: []uuid.UUID{}, Labels: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now})
	im.ID = uuid.New()
	_, file := store.AddImport(ctx, who, im, []byte("title\nA\n"))
	_, members := store.Members(ctx, who, gone.ID, page.Request{Limit: 1})
	var some uuid.UUID
	db.Scan(t, &some, "select id from tasks where project_id = $1 limit 1", gone.ID)
	_, comment := store.AddComment(ctx, who, task.Comment{ID: uuid.New(), TaskID: some, Body: "x", Author: "x", CreatedAt: now})
	for what, err := range map[string]error{"reading it": read, "a comment in it": comment, "a task in it": add, "an import into it": file, "its members": members,
		"a member of it": store.AddMember(ctx, who, gone.ID, member), "deleting it again": store.DeleteProject(ctx, who, gone.ID, 1)} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	if all, err := store.Projects(ctx, who, nil, page.Request{Limit: 2}); err != nil || len(all.Items) != 1 || all.Items[0].ID != kept.ID {
		t.Errorf("the projects are %+v, %v, want the one that is kept", all.Items, err)
	}
	if err := tasksdb.NewTrash(db.System).DropProjects(ctx); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, `do $$ begin assert (select count(*) from tasks) = 1500 and (select count(*) from task_words) = 1500 and (select count(*) from projects) = 1
		and (select count(*) from task_imports) + (select count(*) from project_members) = 0; end $$`)
	project("GONE")
}

// Who changes or deletes a project has their turn among many who make tasks in it.
func TestProjectIsNotKeptFromItsOwners(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	store, now, ctx := tasksdb.New(db.App), time.Now().UTC().Truncate(time.Microsecond), t.Context()
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	p, err := store.AddProject(ctx, who, task.Project{ID: uuid.New(), Key: "BUSY", Name: "P", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now, UpdatedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	making, stop := context.WithCancel(ctx)
	defer stop()
	var makers sync.WaitGroup
	for range 16 {
		replica, err := postgres.Open(ctx, db.AppURL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(replica.Close)
		makers.Go(func() {
			for store := tasksdb.New(replica); ; {
				writes := make([]task.Write, 100)
				for i := range writes {
					writes[i] = task.Write{At: now, Add: &task.Task{ID: uuid.New(), ProjectID: p.ID, Title: "T", Priority: "low", Assignees: []uuid.UUID{}, Labels: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now}}
				}
				out, err := store.Bulk(making, who, writes, false)
				if err != nil || out[0].Fault != nil { // the project is gone
					return
				}
			}
		})
	}
	time.Sleep(time.Second)
	p.Version, p.Name = 2, "Q"
	if _, err := store.ChangeProject(ctx, who, p); err != nil {
		t.Errorf("changed: %v", err)
	}
	if err := store.DeleteProject(ctx, who, p.ID, 2); err != nil {
		t.Errorf("deleted: %v", err)
	}
	stop()
	makers.Wait()
}

// What was a part of a task that is dropped is told so, as a version of its own.
func TestPurgeFreesTheParts(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	store, now := tasksdb.New(db.App), time.Now().UTC().Truncate(time.Microsecond)
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	p, err := store.AddProject(t.Context(), who, task.Project{ID: uuid.New(), Name: "P", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now, UpdatedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	var made []task.Task
	for i := range 3 { // the first has two parts, of which one is dropped with it
		d := task.Task{ID: uuid.New(), ProjectID: p.ID, Title: "T", Priority: "low", Assignees: []uuid.UUID{}, Labels: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now}
		if i > 0 {
			d.ParentID = &made[0].ID
		}
		x, err := store.Add(t.Context(), who, d)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, x)
	}
	for _, x := range made[:2] {
		if _, err := store.Delete(t.Context(), who, task.ItemDelete{ID: x.ID, Version: 1}, now.Add(-task.Retention-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := tasksdb.NewTrash(db.System).PurgeTrash(t.Context(), now.Add(-task.Retention)); err != nil || n != 2 {
		t.Fatalf("purged %d, %v, want 2", n, err)
	}
	left, err := store.Task(t.Context(), who, made[2].ID)
	if err != nil || left.ParentID != nil || left.Version != 2 || !left.UpdatedAt.After(now) {
		t.Errorf("what is left is %+v, %v, want a second version without a parent", left, err)
	}
	history, err := store.History(t.Context(), who, left.ID, page.Request{Limit: 9})
	if err != nil || len(history.Items) != 2 || history.Items[1].Actor != "schedule:purge-trash" || string(history.Items[1].Fields[0].Before) != `"`+made[0].ID.String()+`"` {
		t.Errorf("its history is %+v, %v", history.Items, err)
	}
	for _, sql := range []string{"select title from tasks", "update tasks set title = 'x'", "select fields from task_changes"} {
		if err := db.System.System(t.Context(), func(b *pgx.Batch) { b.Queue(sql) }); err == nil {
			t.Errorf("the system role does %s", sql)
		}
	}
}

// What was kept before projects had keys is still there, under keys of its own.
func TestOlderRowsAreMigrated(t *testing.T) {
	t.Parallel()
	first, err := fs.ReadFile(tasksdb.Migrations, "00001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := pgtest.New(t, "tasks", fstest.MapFS{"00001_init.sql": {Data: first}})
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	project, one, two := uuid.New(), uuid.New(), uuid.New()
	db.Exec(t, "insert into projects values ($1, $2, 'Old', '', 1, now(), 'x', now())", who.Tenant, project)
	for i, id := range []uuid.UUID{one, two} {
		db.Exec(t, "insert into tasks values ($1, $2, $3, 'T 設計', '', 'in_progress', 'low', $4, null, 1, now() + $5 * interval '1 s', 'x', now())", who.Tenant, id, project, who.User, i)
	}
	for _, field := range []string{"title", "status"} {
		db.Exec(t, "insert into task_changes values ($1, gen_random_uuid(), $2, $3, '', 'T', 'x', 'r', '2026-01-01')", who.Tenant, one, field)
	}
	if err := postgres.Migrate(t.Context(), db.MigratorURL, tasksdb.Migrations); err != nil {
		t.Fatal(err)
	}
	store := tasksdb.New(db.App)
	got, err := store.Task(t.Context(), who, two)
	if err != nil || got.Key != "P10-2" || got.Number != 2 || len(got.Assignees) != 1 || got.Assignees[0] != who.User || got.Rank != task.FirstRank(2) {
		t.Errorf("the second task is %+v, %v", got, err)
	}
	history, err := store.History(t.Context(), who, one, page.Request{Limit: 9})
	if err != nil || len(history.Items) != 1 || len(history.Items[0].Fields) != 2 || string(history.Items[0].Fields[0].After) != `"T"` {
		t.Errorf("the history is %+v, %v", history.Items, err)
	}
	for _, word := range []string{"t", "計"} {
		q, err := task.Filter{Search: word}.Query(who, time.Now())
		if found, err2 := store.Tasks(t.Context(), who, q, page.Request{Limit: 9}); err != nil || err2 != nil || len(found.Items) != 2 {
			t.Errorf("a search for %s finds %+v, %v, %v", word, found.Items, err, err2)
		}
	}
	made, err := store.Add(t.Context(), who, task.Task{ID: uuid.New(), ProjectID: project, Title: "New", Priority: "low", Assignees: []uuid.UUID{}, Labels: []string{}, Version: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()})
	if err != nil || made.Key != "P10-3" || made.Status != task.Open {
		t.Errorf("the third task is %+v, %v", made, err)
	}
}
