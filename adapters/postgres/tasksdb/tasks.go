package tasksdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const taskColumns = `id, project_id, title, description, status, priority, assignee_id, due_at, version, created_at, created_by, updated_at`

const insertTask = `insert into tasks (tenant_id, ` + taskColumns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// Add implements task.Store.
func (s *Store) Add(ctx context.Context, who identity.Caller, t task.Task) (task.Task, error) {
	return postgres.Write(ctx, s.db, who, t, func(b *pgx.Batch) {
		b.Queue(insertTask, who.Tenant, t.ID, t.ProjectID, t.Title, t.Description, t.Status, t.Priority,
			t.AssigneeID, t.DueAt, t.Version, t.CreatedAt, t.CreatedBy, t.UpdatedAt)
		b.Queue(insertChanges, changeArgs(who, task.Changes(task.Task{}, t, who))...)
	})
}

const selectTask = `select ` + taskColumns + ` from tasks where tenant_id = $1 and id = $2`

// Task implements task.Store.
func (s *Store) Task(ctx context.Context, who identity.Caller, id uuid.UUID) (task.Task, error) {
	return one[task.Task](ctx, s.db, who, selectTask, who.Tenant, id)
}

const (
	selectTasks = `select ` + taskColumns + ` from tasks
	where tenant_id = $1 and (created_at, id) > ($2, $3) and ($5 = '' or status = $5)
	order by created_at, id limit $4`
	selectTasksOfProject = `select ` + taskColumns + ` from tasks
	where tenant_id = $1 and project_id = $6 and (created_at, id) > ($2, $3) and ($5 = '' or status = $5)
	order by created_at, id limit $4`
)

// Tasks implements task.Store.
func (s *Store) Tasks(ctx context.Context, who identity.Caller, f task.Filter, r page.Request) (page.Result[task.Task], error) {
	sql, args := selectTasks, []any{who.Tenant, r.After.At, r.After.ID, r.Limit + 1, f.Status}
	if f.ProjectID != uuid.Nil {
		sql, args = selectTasksOfProject, append(args, f.ProjectID)
	}
	var rows []task.Task
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, args...) })
	return page.Cut(rows, r.Limit, func(t task.Task) page.Key { return page.Key{At: t.CreatedAt, ID: t.ID} }), err
}

// updateTask changes the row and its history in one statement, so that the
// history depends on the row's having had the version named.
const updateTask = `with changed as (
		update tasks set title = $4, description = $5, status = $6, priority = $7, assignee_id = $8, due_at = $9,
			version = version + 1, updated_at = $10
		where tenant_id = $1 and id = $2 and version = $3 returning id),
	history as (
		insert into task_changes (tenant_id, id, task_id, field, before, after, actor, request_id, at)
		select $1, c.id, t.id, c.field, c.before, c.after, $15, $16, $10
		from changed t, unnest($11::uuid[], $12::text[], $13::text[], $14::text[]) c (id, field, before, after))`

// Change implements task.Store.
func (s *Store) Change(ctx context.Context, who identity.Caller, t task.Task, changes []task.Change) (task.Task, error) {
	c := columns(changes)
	got, found, err := postgres.Change(ctx, s.db, who, t, updateTask, who.Tenant, t.ID, t.Version-1, t.Title, t.Description,
		t.Status, t.Priority, t.AssigneeID, t.DueAt, t.UpdatedAt, c.ids, c.fields, c.before, c.after, who.Subject(), who.Request.ID)
	if err == nil && !found {
		err = s.missing(ctx, who, selectTask, t.ID)
	}
	return got, err
}

const deleteTask = `with changed as (delete from tasks where tenant_id = $1 and id = $2 and version = $3 returning id)`

// Delete implements task.Store.
func (s *Store) Delete(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	_, found, err := postgres.Change(ctx, s.db, who, true, deleteTask, who.Tenant, id, version)
	if err == nil && !found {
		err = s.missing(ctx, who, selectTask, id)
	}
	return err
}

const insertChanges = `insert into task_changes (tenant_id, id, task_id, field, before, after, actor, request_id, at)
	select $1, c.id, $2, c.field, c.before, c.after, $3, $4, $5
	from unnest($6::uuid[], $7::text[], $8::text[], $9::text[]) c (id, field, before, after)`

func changeArgs(who identity.Caller, changes []task.Change) []any {
	c := columns(changes)
	return []any{who.Tenant, changes[0].TaskID, who.Subject(), who.Request.ID, changes[0].At, c.ids, c.fields, c.before, c.after}
}

type changeColumns struct {
	ids                   []uuid.UUID
	fields, before, after []string
}

func columns(changes []task.Change) (c changeColumns) {
	c = changeColumns{[]uuid.UUID{}, []string{}, []string{}, []string{}} // an empty array is no null
	for _, x := range changes {
		c.ids, c.fields = append(c.ids, x.ID), append(c.fields, x.Field)
		c.before, c.after = append(c.before, x.Before), append(c.after, x.After)
	}
	return c
}
