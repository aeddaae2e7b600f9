package tasksdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const projectColumns = `id, name, description, version, created_at, created_by, updated_at`

const insertProject = `insert into projects (tenant_id, ` + projectColumns + `) values ($1, $2, $3, $4, $5, $6, $7, $8)`

// AddProject implements task.Store.
func (s *Store) AddProject(ctx context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	return postgres.Write(ctx, s.db, who, p, func(b *pgx.Batch) {
		b.Queue(insertProject, who.Tenant, p.ID, p.Name, p.Description, p.Version, p.CreatedAt, p.CreatedBy, p.UpdatedAt)
	})
}

const selectProject = `select ` + projectColumns + ` from projects where tenant_id = $1 and id = $2`

// Project implements task.Store.
func (s *Store) Project(ctx context.Context, who identity.Caller, id uuid.UUID) (task.Project, error) {
	return one[task.Project](ctx, s.db, who, selectProject, who.Tenant, id)
}

const selectProjects = `select ` + projectColumns + ` from projects
	where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`

// Projects implements task.Store.
func (s *Store) Projects(ctx context.Context, who identity.Caller, r page.Request) (page.Result[task.Project], error) {
	var rows []task.Project
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Many(b, &rows, selectProjects, who.Tenant, r.After.At, r.After.ID, r.Limit+1)
	})
	return page.Cut(rows, r.Limit, func(p task.Project) page.Key { return page.Key{At: p.CreatedAt, ID: p.ID} }), err
}

const updateProject = `with changed as (update projects set name = $4, description = $5, version = version + 1, updated_at = $6
	where tenant_id = $1 and id = $2 and version = $3 returning id)`

// ChangeProject implements task.Store.
func (s *Store) ChangeProject(ctx context.Context, who identity.Caller, p task.Project) (task.Project, error) {
	got, found, err := postgres.Change(ctx, s.db, who, p, updateProject, who.Tenant, p.ID, p.Version-1, p.Name, p.Description, p.UpdatedAt)
	if err == nil && !found {
		err = s.missing(ctx, who, selectProject, p.ID)
	}
	return got, err
}

const deleteProject = `with changed as (delete from projects where tenant_id = $1 and id = $2 and version = $3 returning id)`

// DeleteProject implements task.Store.
func (s *Store) DeleteProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	_, found, err := postgres.Change(ctx, s.db, who, true, deleteProject, who.Tenant, id, version)
	if err == nil && !found {
		err = s.missing(ctx, who, selectProject, id)
	}
	return err
}

// missing says why a change found no row: there is none, or it has another version.
func (s *Store) missing(ctx context.Context, who identity.Caller, query string, id uuid.UUID) error {
	var n int64
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Affected(b, &n, query, who.Tenant, id) })
	if err == nil && n == 0 {
		return notFound()
	}
	if err == nil {
		return task.Stale()
	}
	return err
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
