package tasksdb

import (
	"context"
	"math/rand/v2"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const projectColumns = `id, key, name, description, statuses, archived_at, version, created_at, created_by, updated_at`

const (
	insertProject = `with changed as (insert into projects (tenant_id, ` + projectColumns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		returning ` + projectColumns + `),
	counter as (insert into project_counters (tenant_id, project_id, last) select $1, id, 0 from changed)`
	uniqueKey   = "projects_key"
	triesOfAKey = 100
)

// AddProject implements task.Store.
func (s *Store) AddProject(ctx context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	asked, base := p.Key, task.KeyOf(p.Name)
	for n := 1; ; n++ {
		if p.Key = asked; asked == "" {
			p.Key = base
			switch { // OPS, OPS2, OPS3, and where there are many, some other
			case n > 3:
				p.Key += strconv.Itoa(rand.IntN(100_000))
			case n > 1:
				p.Key += strconv.Itoa(n)
			}
		}
		got, _, err := postgres.Returning[task.Project](ctx, s.db, who, insertProject, projectColumns, who.Tenant, p.ID, p.Key, p.Name, p.Description,
			p.Statuses, p.ArchivedAt, p.Version, p.CreatedAt, p.CreatedBy, p.UpdatedAt)
		if !postgres.Violates(err, uniqueKey) {
			return got, err
		}
		if asked != "" || n == triesOfAKey {
			return got, errKeyTaken
		}
	}
}

var errKeyTaken = &fault.Error{Kind: fault.Conflict, Code: "key_taken", Message: "another project has this key",
	Fields: []fault.Field{{Pointer: "/key", Code: "key_taken", Message: "choose another"}}}

const selectProject = `select ` + projectColumns + ` from projects where tenant_id = $1 and id = $2 and deleted_at is null`

// Project implements task.Store.
func (s *Store) Project(ctx context.Context, who identity.Caller, id uuid.UUID) (task.Project, error) {
	return one[task.Project](ctx, s.db, who, selectProject, who.Tenant, id)
}

const (
	projectsAfter  = `select ` + projectColumns + ` from projects where tenant_id = $1 and (created_at, id) > ($2, $3) and deleted_at is null`
	oldestFirst    = ` order by created_at, id limit $4`
	selectProjects = projectsAfter + oldestFirst
	selectThese    = projectsAfter + ` and id = any ($5)` + oldestFirst
)

// Projects implements task.Store.
func (s *Store) Projects(ctx context.Context, who identity.Caller, only []uuid.UUID, r page.Request) (page.Result[task.Project], error) {
	var rows []task.Project
	sql, args := selectProjects, []any{who.Tenant, r.After.At, r.After.ID, r.Limit + 1}
	if only != nil {
		sql, args = selectThese, append(args, only)
	}
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, args...) })
	return page.Cut(rows, r.Limit, func(p task.Project) page.Key { return page.Key{At: p.CreatedAt, ID: p.ID} }), err
}

const (
	// queueForProject waits for those who share a project. Locks on rows are shared
	// with whoever comes meanwhile, so that among many imports their turn never ends;
	// here who comes later waits behind.
	queueForProject = `select pg_advisory_xact_lock(uuid_hash_extended($1, 0))`
	// lockProject waits for the tasks that are about to have one of its statuses.
	lockProject = `select from projects where tenant_id = $1 and id = $2 for no key update`
)

// updateProject leaves a project as it is while a task has a status that it
// would lose.
const updateProject = `with changed as (update projects set name = $4, description = $5, statuses = $6, archived_at = $7, version = version + 1, updated_at = $8
	where tenant_id = $1 and id = $2 and version = $3 and deleted_at is null and (statuses = $6 or not exists (
		select from tasks t where t.tenant_id = $1 and t.project_id = $2 and not $6 @> jsonb_build_array(jsonb_build_object('name', t.status))))
	returning id)`

// ChangeProject implements task.Store.
func (s *Store) ChangeProject(ctx context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	db := s.db.Behind(queueForProject, p.ID).Behind(lockProject, who.Tenant, p.ID)
	got, found, err := postgres.Change(ctx, db, who, p, updateProject, who.Tenant, p.ID, p.Version-1, p.Name, p.Description, p.Statuses, p.ArchivedAt, p.UpdatedAt)
	if err != nil || found {
		return got, err
	}
	now, err := s.Project(ctx, who, p.ID)
	if err == nil && now.Version != p.Version-1 {
		err = task.Stale()
	}
	if err == nil {
		err = task.ErrStatusInUse()
	}
	return now, err
}

// deleteProject waits for the tasks that are about to be in it. One in which there
// is little is gone with that; of another its mark says so, until Trash has dropped it.
const deleteProject = `with size as (select (select count(*) from (select from tasks where tenant_id = $1 and project_id = $2 limit 1001) t) <= 1000
		and (select coalesce(sum(rows_refused), 0) from task_imports where tenant_id = $1 and project_id = $2) <= 10000 as small),
	dropped as (delete from projects using size where small and tenant_id = $1 and id = $2 and version = $3 and deleted_at is null returning id),
	marked as (update projects set deleted_at = now(), archived_at = coalesce(archived_at, now()) from size
		where not small and tenant_id = $1 and id = $2 and version = $3 and deleted_at is null returning id),
	changed as (select id from dropped union all select id from marked)`

// DeleteProject implements task.Store.
func (s *Store) DeleteProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	_, found, err := postgres.Change(ctx, s.db.Behind(queueForProject, id), who, true, deleteProject, who.Tenant, id, version)
	if err == nil && !found {
		if _, err = s.Project(ctx, who, id); err == nil {
			err = task.Stale()
		}
	}
	return err
}

const insertMember = `with member as (insert into project_members (tenant_id, project_id, user_id, added_at, added_by)
		select $1, id, $3, $4, $5 from projects where tenant_id = $1 and id = $2 and deleted_at is null on conflict (tenant_id, project_id, user_id) do nothing),
	changed as (select id from projects where tenant_id = $1 and id = $2 and deleted_at is null)`

// AddMember implements task.Store.
func (s *Store) AddMember(ctx context.Context, who identity.Caller, project uuid.UUID, m task.Member) error {
	_, found, err := postgres.Change(ctx, s.db, who, true, insertMember, who.Tenant, project, m.UserID, m.AddedAt, m.AddedBy)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

const deleteMember = `with gone as (delete from project_members where tenant_id = $1 and project_id = $2 and user_id = $3),
	changed as (select id from projects where tenant_id = $1 and id = $2 and deleted_at is null)`

// RemoveMember implements task.Store.
func (s *Store) RemoveMember(ctx context.Context, who identity.Caller, project, user uuid.UUID) error {
	_, found, err := postgres.Change(ctx, s.db, who, true, deleteMember, who.Tenant, project, user)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

const selectMembers = `select user_id, added_at, added_by from project_members
	where tenant_id = $1 and project_id = $2 and (added_at, user_id) > ($3, $4) order by added_at, user_id limit $5`

// Members implements task.Store.
func (s *Store) Members(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[task.Member], error) {
	var rows []task.Member
	var projects int64
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &projects, selectProject, who.Tenant, project)
		postgres.Many(b, &rows, selectMembers, who.Tenant, project, r.After.At, r.After.ID, r.Limit+1)
	})
	if err == nil && projects == 0 {
		err = notFound()
	}
	return page.Cut(rows, r.Limit, func(m task.Member) page.Key { return page.Key{At: m.AddedAt, ID: m.UserID} }), err
}

func one[T any](ctx context.Context, db *postgres.DB, who identity.Caller, sql string, args ...any) (T, error) {
	var v T
	var found bool
	err := db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.One(b, &v, &found, sql, args...) })
	if err == nil && !found {
		err = notFound()
	}
	return v, err
}

func notFound() error { return fault.New(fault.NotFound, "not_found", "there is no such thing") }
