// Package authzdb keeps the authz service's rows in PostgreSQL.
package authzdb

import (
	"context"
	"embed"
	"encoding/json"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = postgres.Folder(embedded)

// Store implements access.Store.
type Store struct {
	db, system *postgres.DB
	turns      sync.Map // of each tenant that makes a change, the channel that is closed when it is made
	// What holds a connection for long leaves others to whoever is quick: places
	// for all changes, and for those of whole policies.
	changes, replacements *semaphore.Weighted
}

var _ access.Store = (*Store)(nil)

// New returns the store in a database, to which app and system are connected as
// authz_app and authz_system.
func New(app, system *postgres.DB) *Store {
	places := func(spare int) *semaphore.Weighted {
		return semaphore.NewWeighted(int64(max(1, app.Connections()-spare)))
	}
	return &Store{db: app, system: system, changes: places(1), replacements: places(2)}
}

// selectSnapshot is one statement, and so sees one moment.
const selectSnapshot = `select json_build_object(
	'version', coalesce((select version from policies where tenant_id = $1), 0),
	'permissions', coalesce((select json_agg(p order by p.created_at, p.id) from (
		select id, name, description, builtin, version, created_at from permissions where tenant_id = $1) p), '[]'),
	'roles', coalesce((select json_agg(r order by r.created_at, r.id) from (
		select id, name, description, version, created_at, updated_at, coalesce((select json_agg(permission order by permission collate "C")
			from role_permissions rp where rp.tenant_id = $1 and rp.role_id = roles.id), '[]') permissions,
			coalesce((select json_agg(p.name order by p.name collate "C") from role_parents rp join roles p on p.tenant_id = $1 and p.id = rp.parent_id
			where rp.tenant_id = $1 and rp.role_id = roles.id), '[]') parents
		from roles where tenant_id = $1) r), '[]'),
	'assignments', coalesce((select json_agg(a order by a.created_at, a.id) from (
		select a.id, subject_kind, subject_id, r.name as role, project_id, until, a.version, a.created_at
		from assignments a join roles r on r.tenant_id = $1 and r.id = a.role_id where a.tenant_id = $1) a), '[]'))`

// Snapshot implements access.Store.
func (s *Store) Snapshot(ctx context.Context, tenant identity.TenantID) (snap access.Snapshot, err error) {
	var raw []byte
	err = s.db.Tenant(ctx, tenant, func(b *pgx.Batch) {
		b.Queue(selectSnapshot, tenant).QueryRow(func(row pgx.Row) error { return row.Scan(&raw) })
	})
	if err != nil {
		return snap, err
	}
	return decode(raw)
}

func decode(raw []byte) (snap access.Snapshot, err error) {
	if err = json.Unmarshal(raw, &snap); err != nil {
		return snap, err
	}
	for i := range snap.Permissions {
		snap.Permissions[i].CreatedAt = snap.Permissions[i].CreatedAt.UTC()
	}
	for i := range snap.Roles {
		snap.Roles[i].CreatedAt, snap.Roles[i].UpdatedAt = snap.Roles[i].CreatedAt.UTC(), snap.Roles[i].UpdatedAt.UTC()
	}
	for i := range snap.Assignments {
		utc(&snap.Assignments[i])
	}
	return snap, nil
}

func utc(a *access.Assignment) {
	a.CreatedAt = a.CreatedAt.UTC()
	if a.Until != nil {
		until := a.Until.UTC()
		a.Until = &until
	}
}

// Erase implements access.Store.
func (s *Store) Erase(ctx context.Context, tenant uuid.UUID) error {
	return s.db.Tenant(ctx, tenant, func(b *pgx.Batch) {
		for _, table := range []string{"assignments", "role_parents", "role_permissions", "roles", "permissions", "policy_changes", "policies"} {
			b.Queue("delete from "+table+" where tenant_id = $1", tenant)
		}
		b.Queue(wakeErased, tenant)
	})
}
