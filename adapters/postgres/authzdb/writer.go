package authzdb

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/domain/access"
)

const (
	putPermission = `insert into permissions (tenant_id, id, name, description, builtin, created_at, version) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (tenant_id, id) do update set description = excluded.description, builtin = excluded.builtin, version = excluded.version`
	dropPermission = `delete from permissions where tenant_id = $1 and id = $2`
	// A new name is shown by the roles that inherit from this one and by those who
	// have it, which are new versions for it.
	putRole = `with renamed as (select from roles where tenant_id = $1 and id = $2 and name <> $3),
			heirs as (update roles set version = version + 1, updated_at = $7
				where tenant_id = $1 and exists (select from renamed) and id in (select role_id from role_parents where tenant_id = $1 and parent_id = $2)),
			given as (update assignments set version = version + 1 where tenant_id = $1 and exists (select from renamed) and role_id = $2)
		insert into roles (tenant_id, id, name, description, version, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (tenant_id, id) do update set name = excluded.name, description = excluded.description, version = excluded.version, updated_at = excluded.updated_at`
	takePermissions = `delete from role_permissions where tenant_id = $1 and role_id = $2 and permission <> all ($3::text[])`
	givePermissions = `insert into role_permissions (tenant_id, role_id, permission) select $1, $2, p from unnest($3::text[]) p on conflict do nothing`
	takeParents     = `delete from role_parents where tenant_id = $1 and role_id = $2 and parent_id not in (select id from roles where tenant_id = $1 and name = any ($3::text[]))`
	giveParents     = `insert into role_parents (tenant_id, role_id, parent_id) select $1, $2, id from roles where tenant_id = $1 and name = any ($3::text[]) on conflict do nothing`
	dropRole        = `delete from roles where tenant_id = $1 and id = $2`
	putAssignment   = `insert into assignments (tenant_id, id, subject_kind, subject_id, role_id, created_at, project_id, until, version)
		select $1, $2, $3, $4, id, $6, $7, $8, $9 from roles where tenant_id = $1 and name = $5 on conflict (tenant_id, id) do update set until = excluded.until, version = excluded.version`
	dropAssignment = `delete from assignments where tenant_id = $1 and id = $2`
)

// writer implements access.Writer.
type writer struct {
	tenant uuid.UUID
	batch  pgx.Batch
}

// PutPermission implements access.Writer.
func (w *writer) PutPermission(d access.PermissionDefinition) {
	w.batch.Queue(putPermission, w.tenant, d.ID, d.Name, d.Description, d.Builtin, d.CreatedAt, d.Version)
}

// DropPermission implements access.Writer.
func (w *writer) DropPermission(d access.PermissionDefinition) {
	w.batch.Queue(dropPermission, w.tenant, d.ID)
}

// PutRole implements access.Writer.
func (w *writer) PutRole(r access.Role) {
	held := make([]string, len(r.Permissions))
	for i, p := range r.Permissions {
		held[i] = string(p)
	}
	w.batch.Queue(putRole, w.tenant, r.ID, r.Name, r.Description, r.Version, r.CreatedAt, r.UpdatedAt)
	w.batch.Queue(takePermissions, w.tenant, r.ID, held)
	w.batch.Queue(givePermissions, w.tenant, r.ID, held)
	w.batch.Queue(takeParents, w.tenant, r.ID, r.Parents)
	w.batch.Queue(giveParents, w.tenant, r.ID, r.Parents)
}

// DropRole implements access.Writer.
func (w *writer) DropRole(r access.Role) { w.batch.Queue(dropRole, w.tenant, r.ID) }

// PutAssignment implements access.Writer.
func (w *writer) PutAssignment(a access.Assignment) {
	w.batch.Queue(putAssignment, w.tenant, a.ID, a.SubjectKind, a.SubjectID, a.Role, a.CreatedAt, a.ProjectID, a.Until, a.Version)
}

// DropAssignment implements access.Writer.
func (w *writer) DropAssignment(a access.Assignment) {
	w.batch.Queue(dropAssignment, w.tenant, a.ID)
}
