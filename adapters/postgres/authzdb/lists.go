package authzdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

const (
	roleColumns = `id, name, description, version, created_at, updated_at,
	(select coalesce(array_agg(permission order by permission collate "C"), '{}') from role_permissions p where p.tenant_id = $1 and p.role_id = roles.id) permissions,
	(select coalesce(array_agg(p.name order by p.name collate "C"), '{}') from role_parents rp join roles p on p.tenant_id = $1 and p.id = rp.parent_id
		where rp.tenant_id = $1 and rp.role_id = roles.id) parents`
	selectRoles = `select ` + roleColumns + ` from roles where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`
	selectRole  = `select ` + roleColumns + ` from roles where tenant_id = $1 and id = $2`
)

// Roles implements access.Store.
func (s *Store) Roles(ctx context.Context, who identity.Caller, r page.Request) (page.Result[access.Role], error) {
	rows, err := many[access.Role](ctx, s.db, who, selectRoles, who.Tenant, r.After.At, r.After.ID, r.Limit+1)
	return page.Cut(rows, r.Limit, func(x access.Role) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// Role implements access.Store.
func (s *Store) Role(ctx context.Context, who identity.Caller, id uuid.UUID) (access.Role, error) {
	rows, err := many[access.Role](ctx, s.db, who, selectRole, who.Tenant, id)
	if err == nil && len(rows) == 0 {
		err = access.ErrNoRole()
	}
	if err != nil {
		return access.Role{}, err
	}
	return rows[0], nil
}

const selectDefinitions = `select id, name, description, builtin, created_at from permissions
	where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`

// Definitions implements access.Store.
func (s *Store) Definitions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[access.PermissionDefinition], error) {
	rows, err := many[access.PermissionDefinition](ctx, s.db, who, selectDefinitions, who.Tenant, r.After.At, r.After.ID, r.Limit+1)
	return page.Cut(rows, r.Limit, func(x access.PermissionDefinition) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

const selectAssignments = `select a.id, subject_kind, subject_id, r.name as role, project_id, until, a.created_at
	from assignments a join roles r on r.tenant_id = $1 and r.id = a.role_id
	where a.tenant_id = $1 and (a.created_at, a.id) > ($2, $3)
	and ($5 = '' or subject_kind = $5) and ($6 = '' or subject_id = $6) and ($7 = '' or r.name = $7)
	and ($8 = '' or project_id = nullif($8, '')::uuid)
	order by a.created_at, a.id limit $4`

// Assignments implements access.Store.
func (s *Store) Assignments(ctx context.Context, who identity.Caller, f access.AssignmentFilter, r page.Request) (page.Result[access.Assignment], error) {
	rows, err := many[access.Assignment](ctx, s.db, who, selectAssignments, who.Tenant, r.After.At, r.After.ID, r.Limit+1, f.SubjectKind, f.SubjectID, f.Role, f.ProjectID)
	return page.Cut(rows, r.Limit, func(x access.Assignment) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

func many[T any](ctx context.Context, db *postgres.DB, who identity.Caller, sql string, args ...any) (rows []T, err error) {
	err = db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, args...) })
	return rows, err
}
