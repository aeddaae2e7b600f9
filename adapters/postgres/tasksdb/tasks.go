package tasksdb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

const (
	taskColumns = `id, project_id, number, key, title, description, status, priority, assignees, labels, start_at, due_at, estimate_minutes,
	parent_id, rank, version, created_at, created_by, updated_at, deleted_at`
	ofTask = `t.id, t.project_id, t.number, t.key, t.title, t.description, t.status, t.priority, t.assignees, t.labels, t.start_at, t.due_at, t.estimate_minutes,
	t.parent_id, t.rank, t.version, t.created_at, t.created_by, t.updated_at, t.deleted_at`
)

// insertTask finds no row to insert where task.Project.Place would refuse. The
// counter's row is held until this one statement is committed; the project's is
// shared, so that it loses no status that a task is about to have. Who is to
// change the project is not passed by: see queueForProject.
const insertTask = `with place as (
		select p.key, coalesce(nullif($6, ''), p.statuses->0->>'name') as status from projects p
		where p.tenant_id = $1 and p.id = $3 and p.archived_at is null and ($6 = '' or p.statuses @> jsonb_build_array(jsonb_build_object('name', $6::text)))
			and ($13::uuid is null or exists (select from tasks t where t.tenant_id = $1 and t.id = $13 and t.project_id = $3 and t.deleted_at is null))
			and (select true from pg_advisory_xact_lock_shared(uuid_hash_extended($3, 0)))
		for share of p),
	counted as (
		update project_counters c set last = c.last + 1 from place where c.tenant_id = $1 and c.project_id = $3 returning c.last as number, place.key, place.status),
	changed as (
		insert into tasks (tenant_id, ` + taskColumns + `)
		select $1, $2, $3, number, key || '-' || number, $4, $5, status, $7, $8, $9, $10, $11, $12, $13, lpad(number::text, 10, '0') || 'V', $14, $15, $16, $15, null from counted
		returning ` + taskColumns + `),
	history as (
		insert into task_changes (tenant_id, task_id, version, at, actor, request_id, fields)
		select $1, id, version, created_at, created_by, $17, $18::jsonb || jsonb_build_array(jsonb_build_object('field', 'status', 'before', null, 'after', status)) from changed)`

func addArgs(who identity.Caller, t task.Task) ([]any, error) {
	given := t.Fields()
	delete(given, "status") // it may be the project's to say
	fields, err := task.Changes(nil, given)
	return []any{who.Tenant, t.ID, t.ProjectID, t.Title, t.Description, t.Status, t.Priority, t.Assignees, t.Labels, t.StartAt, t.DueAt,
		t.EstimateMinutes, t.ParentID, t.Version, t.CreatedAt, t.CreatedBy, who.Request.ID, fields}, err
}

// Add implements task.Store.
func (s *Store) Add(ctx context.Context, who identity.Caller, t task.Task) (task.Task, error) {
	args, err := addArgs(who, t)
	if err != nil {
		return t, err
	}
	got, found, err := postgres.Returning[task.Task](ctx, s.db, who, insertTask, taskColumns, args...)
	if err == nil && !found {
		err = s.outside(ctx, who).whyNotAdded(t)
	}
	return got, err
}

// look finds out why a statement found no row, within a transaction or not.
type look struct {
	task    func(id uuid.UUID) (task.Task, error)
	project func(id uuid.UUID) (task.Project, error)
}

func (s *Store) outside(ctx context.Context, who identity.Caller) look {
	return look{
		func(id uuid.UUID) (task.Task, error) {
			return one[task.Task](ctx, s.db, who, selectAnyTask, who.Tenant, id)
		},
		func(id uuid.UUID) (task.Project, error) { return s.Project(ctx, who, id) },
	}
}

func (l look) whyNotAdded(t task.Task) error {
	p, err := l.project(t.ProjectID)
	if err == nil {
		_, err = p.Place(t, 1)
	}
	if err == nil {
		err = task.ErrParent()
	}
	return err
}

const selectTask = `select ` + taskColumns + ` from tasks where tenant_id = $1 and id = $2 and deleted_at is null`

// Task implements task.Store.
func (s *Store) Task(ctx context.Context, who identity.Caller, id uuid.UUID) (task.Task, error) {
	return one[task.Task](ctx, s.db, who, selectTask, who.Tenant, id)
}

const selectPlaces = `select id, project_id from tasks where tenant_id = $1 and id = any ($2)`

// Places implements task.Store.
func (s *Store) Places(ctx context.Context, who identity.Caller, tasks []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	at := make(map[uuid.UUID]uuid.UUID, len(tasks))
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		b.Queue(selectPlaces, who.Tenant, tasks).Query(func(rows pgx.Rows) error {
			var id, project uuid.UUID
			_, err := pgx.ForEachRow(rows, []any{&id, &project}, func() error {
				at[id] = project
				return nil
			})
			return err
		})
	})
	return at, err
}

// updateTask lays the patch, a JSON object by column, over the version named
// and writes its history, in one statement; where nothing differs, the version
// stays. It finds no row where task.Patch.Apply would refuse. What is compared
// and changed is read as o; t is the row that is locked, so its version must be
// asked for again.
const updateTask = `with recursive above (id) as (
		select ($4::jsonb->>'parent_id')::uuid
		union select t.parent_id from tasks t join above on above.id = t.id where t.tenant_id = $1 and t.parent_id is not null),
	changed as (
		update tasks t set title = n.title, description = n.description, status = n.status, priority = n.priority, assignees = n.assignees,
			labels = n.labels, start_at = n.start_at, due_at = n.due_at, estimate_minutes = n.estimate_minutes, parent_id = n.parent_id,
			version = t.version + case when n is distinct from o then 1 else 0 end, updated_at = case when n is distinct from o then $5 else t.updated_at end
		from tasks o join projects p on p.tenant_id = o.tenant_id and p.id = o.project_id cross join lateral jsonb_populate_record(o, $4) n
		where o.tenant_id = $1 and o.id = $2 and o.version = $3 and t.tenant_id = $1 and t.id = $2 and t.version = $3 and t.deleted_at is null
			and p.archived_at is null
			and (n.status = o.status or exists (select from jsonb_array_elements(p.statuses) s where s->>'name' = o.status and s->'next' ? n.status))
			and p.statuses @> jsonb_build_array(jsonb_build_object('name', n.status))
			and (n.start_at <= n.due_at) is not false
			and (not $4 ? 'parent_id' or n.parent_id is null or not exists (select from above where id = $2)
				and exists (select from tasks u where u.tenant_id = $1 and u.id = n.parent_id and u.project_id = o.project_id and u.deleted_at is null))
		returning ` + ofTask + `, (
			select coalesce(jsonb_agg(jsonb_build_object('field', k, 'before', b.j->k, 'after', a.j->k) order by k), '[]')
			from (select to_jsonb(o) as j) b, (select to_jsonb(n) as j) a, jsonb_object_keys($4) k where b.j->k <> a.j->k) as fields),
	` + history

// history writes the entry of a version out of changed, if anything differs; $5
// is when, $6 who, $7 the request.
const history = `history as (
		insert into task_changes (tenant_id, task_id, version, at, actor, request_id, fields)
		select $1, id, version, $5, $6, $7, fields from changed where fields <> '[]')`

func changeArgs(who identity.Caller, c task.ItemChange, at time.Time) ([]any, error) {
	patch, err := json.Marshal(c.Patch.Fields())
	return []any{who.Tenant, c.ID, c.Version, patch, at, who.Subject(), who.Request.ID}, err
}

const (
	// passNobody waits behind who is to change a task's project.
	passNobody = `select pg_advisory_xact_lock_shared(uuid_hash_extended(project_id, 0)) from tasks where tenant_id = $1 and id = $2`
	// shareProject keeps a task's project as it is.
	shareProject = `select from projects where tenant_id = $1 and id = (select project_id from tasks where tenant_id = $1 and id = $2) for share`
)

// locks are what a change waits for before it looks at what it must fit: the
// project's statuses, and the tasks above.
func locks(p task.Patch) (all []string) {
	if p.Status.Set {
		all = append(all, passNobody, shareProject)
	}
	if p.ParentID.Set && !p.ParentID.Null {
		all = append(all, lockOrder)
	}
	return all
}

// Change implements task.Store.
func (s *Store) Change(ctx context.Context, who identity.Caller, c task.ItemChange, at time.Time) (task.Task, error) {
	args, err := changeArgs(who, c, at)
	if err != nil {
		return task.Task{}, err
	}
	db := s.db
	for _, lock := range locks(c.Patch) {
		db = db.Behind(lock, who.Tenant, c.ID)
	}
	got, found, err := postgres.Returning[task.Task](ctx, db, who, updateTask, taskColumns, args...)
	if err == nil && !found {
		err = s.outside(ctx, who).whyNotChanged(c, at)
	}
	return got, err
}

func (l look) whyNotChanged(c task.ItemChange, at time.Time) error {
	t, err := l.task(c.ID)
	switch {
	case err != nil:
		return err
	case t.DeletedAt != nil:
		return notFound()
	case t.Version != c.Version:
		return task.Stale()
	}
	p, err := l.project(t.ProjectID)
	if err == nil {
		_, err = c.Patch.Apply(t, p, at)
	}
	if err == nil && c.Patch.ParentID.Set {
		err = task.ErrParent()
	}
	if err == nil { // it was possible a moment later
		err = task.Stale()
	}
	return err
}

const (
	trashTask = `with changed as (
		update tasks t set deleted_at = $4, version = t.version + 1, updated_at = $5 from tasks o join projects p on p.tenant_id = o.tenant_id and p.id = o.project_id
		where o.tenant_id = $1 and o.id = $2 and t.tenant_id = $1 and t.id = $2 and t.version = $3 and (t.deleted_at is null) = ($4::timestamptz is not null)
			and p.archived_at is null
		returning ` + ofTask + `, jsonb_build_array(jsonb_build_object('field', 'deleted_at', 'before', o.deleted_at, 'after', t.deleted_at)) as fields),
	` + history
	selectAnyTask = `select ` + taskColumns + ` from tasks where tenant_id = $1 and id = $2`
)

func trashArgs(who identity.Caller, d task.ItemDelete, deleted *time.Time, at time.Time) []any {
	return []any{who.Tenant, d.ID, d.Version, deleted, at, who.Subject(), who.Request.ID}
}

// Delete implements task.Store.
func (s *Store) Delete(ctx context.Context, who identity.Caller, d task.ItemDelete, at time.Time) (task.Task, error) {
	got, found, err := postgres.Returning[task.Task](ctx, s.db, who, trashTask, taskColumns, trashArgs(who, d, &at, at)...)
	if err == nil && !found {
		err = s.outside(ctx, who).whyNotTrashed(d, false)
	}
	return got, err
}

// Restore implements task.Store.
func (s *Store) Restore(ctx context.Context, who identity.Caller, d task.ItemDelete, at time.Time) (task.Task, error) {
	got, found, err := postgres.Returning[task.Task](ctx, s.db, who, trashTask, taskColumns, trashArgs(who, d, nil, at)...)
	if err == nil && !found {
		err = s.outside(ctx, who).whyNotTrashed(d, true)
	}
	return got, err
}

func (l look) whyNotTrashed(d task.ItemDelete, inTrash bool) error {
	t, err := l.task(d.ID)
	switch {
	case err != nil:
		return err
	case (t.DeletedAt != nil) != inTrash:
		return notFound()
	case t.Version != d.Version:
		return task.Stale()
	}
	p, err := l.project(t.ProjectID)
	if err == nil && p.ArchivedAt != nil {
		return task.ErrArchived()
	}
	if err == nil { // it was possible a moment later
		err = task.Stale()
	}
	return err
}
