package authzdb

import (
	"context"
	"time"

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
	selectRoles = `select ` + roleColumns + ` from roles where tenant_id = $1 and (created_at, id) > ($2, $3)
	and ($5 = '' or name = $5)
	and ($6 = '' or exists (select from role_parents rp join roles p on p.tenant_id = $1 and p.id = rp.parent_id where rp.tenant_id = $1 and rp.role_id = roles.id and p.name = $6))
	and ($7 = '' or exists (select from role_permissions rp where rp.tenant_id = $1 and rp.role_id = roles.id and rp.permission = $7))
	order by created_at, id limit $4`
	selectRole = `select ` + roleColumns + ` from roles where tenant_id = $1 and id = $2`
)

// Roles implements access.Store.
func (s *Store) Roles(ctx context.Context, who identity.Caller, f access.RoleFilter, r page.Request) (page.Result[access.Role], error) {
	rows, err := many[access.Role](ctx, s.db, who, selectRoles, who.Tenant, r.After.At, r.After.ID, r.Limit+1, f.Name, f.Parent, f.Permission)
	return page.Cut(rows, r.Limit, func(x access.Role) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// Role implements access.Store.
func (s *Store) Role(ctx context.Context, who identity.Caller, id uuid.UUID) (access.Role, error) {
	return one[access.Role](ctx, s.db, who, access.ErrNoRole(), selectRole, who.Tenant, id)
}

const (
	definitionColumns = `select id, name, description, builtin, version, created_at from permissions where tenant_id = $1`
	selectDefinitions = definitionColumns + ` and (created_at, id) > ($2, $3)
	and ($5 = '' or name = $5) and ($6 = '' or split_part(name, ':', 1) = $6) and ($7 = '' or builtin = ($7 = 'platform'))
	and ($8::uuid is null or exists (select from role_permissions rp where rp.tenant_id = $1 and rp.role_id = $8 and rp.permission = name))
	order by created_at, id limit $4`
	selectDefinition = definitionColumns + ` and id = $2`
)

// Definitions implements access.Store.
func (s *Store) Definitions(ctx context.Context, who identity.Caller, f access.PermissionFilter, r page.Request) (page.Result[access.PermissionDefinition], error) {
	role := uuid.NullUUID{UUID: f.Role(), Valid: f.Role() != uuid.Nil}
	rows, err := many[access.PermissionDefinition](ctx, s.db, who, selectDefinitions, who.Tenant, r.After.At, r.After.ID, r.Limit+1, f.Name, f.Resource, f.Origin, role)
	return page.Cut(rows, r.Limit, func(x access.PermissionDefinition) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// Definition implements access.Store.
func (s *Store) Definition(ctx context.Context, who identity.Caller, id uuid.UUID) (access.PermissionDefinition, error) {
	return one[access.PermissionDefinition](ctx, s.db, who, access.ErrNoPermission(), selectDefinition, who.Tenant, id)
}

const selectChanges = `select version, at, by, action, before, after from policy_changes
	where tenant_id = $1 and version > $2 order by version limit $3`

// untilImport counts changes up to the first that is an import, and with it.
const untilImport = `select coalesce(min(n) filter (where action = '` + access.PolicyImported + `'), $3) as n from (
	select action, row_number() over (order by version) n from policy_changes where tenant_id = $1 and version > $2 order by version limit $3) c`

// Changes implements access.Store. A page ends with an import, which holds two
// whole policies: a hundred would be more than there is memory for.
func (s *Store) Changes(ctx context.Context, who identity.Caller, since int64, r page.Request) (page.Result[access.Change], error) {
	since = access.Since(since, r)
	most, err := one[struct{ N int }](ctx, s.db, who, nil, untilImport, who.Tenant, since, r.Limit)
	if err != nil {
		return page.Result[access.Change]{}, err
	}
	r.Limit = most.N
	rows, err := many[access.Change](ctx, s.db, who, selectChanges, who.Tenant, since, r.Limit+1)
	return page.Cut(rows, r.Limit, access.Change.Key), err
}

const selectHolders = assignmentPage + ` and r.name = any ($5) and (project_id is null or project_id = $6) and (until is null or until > $7)
	order by a.created_at, a.id limit $4`

// Holders implements access.Store.
func (s *Store) Holders(ctx context.Context, who identity.Caller, roles []string, project uuid.UUID, at time.Time, r page.Request) (page.Result[access.Assignment], error) {
	rows, err := many[access.Assignment](ctx, s.db, who, selectHolders, who.Tenant, r.After.At, r.After.ID, r.Limit+1, roles, project, at)
	return page.Cut(rows, r.Limit, func(x access.Assignment) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

const (
	assignmentColumns = `select a.id, subject_kind, subject_id, r.name as role, project_id, until, a.version, a.created_at
	from assignments a join roles r on r.tenant_id = $1 and r.id = a.role_id where a.tenant_id = $1`
	assignmentPage    = assignmentColumns + ` and (a.created_at, a.id) > ($2, $3)`
	selectAssignment  = assignmentColumns + ` and a.id = $2`
	selectAssignments = assignmentPage + `
	and ($5 = '' or subject_kind = $5) and ($6 = '' or subject_id = $6) and ($7 = '' or r.name = $7)
	and ($8 = '' or project_id = nullif($8, '')::uuid)
	order by a.created_at, a.id limit $4`
)

// Assignment implements access.Store.
func (s *Store) Assignment(ctx context.Context, who identity.Caller, id uuid.UUID) (access.Assignment, error) {
	return one[access.Assignment](ctx, s.db, who, access.ErrNoAssignment(), selectAssignment, who.Tenant, id)
}

// Assignments implements access.Store.
func (s *Store) Assignments(ctx context.Context, who identity.Caller, f access.AssignmentFilter, r page.Request) (page.Result[access.Assignment], error) {
	rows, err := many[access.Assignment](ctx, s.db, who, selectAssignments, who.Tenant, r.After.At, r.After.ID, r.Limit+1, f.SubjectKind, f.SubjectID, f.Role, f.ProjectID)
	return page.Cut(rows, r.Limit, func(x access.Assignment) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

func one[T any](ctx context.Context, db *postgres.DB, who identity.Caller, none error, sql string, args ...any) (row T, err error) {
	rows, err := many[T](ctx, db, who, sql, args...)
	if err == nil && len(rows) == 0 {
		err = none
	}
	if err != nil {
		return row, err
	}
	return rows[0], nil
}

func many[T any](ctx context.Context, db *postgres.DB, who identity.Caller, sql string, args ...any) (rows []T, err error) {
	err = db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, sql, args...) })
	return rows, err
}
