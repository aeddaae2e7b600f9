package usersdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
)

const insertTenant = `insert into tenants (tenant_id, slug, name, status, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing`

// AddTenant implements tenancy.Store.
func (s *Store) AddTenant(ctx context.Context, t tenancy.Tenant) error {
	return s.exec(ctx, t.ID, insertTenant, t.ID, t.Slug, t.Name, t.Status, t.CreatedAt)
}

const insertOwner = `insert into users (tenant_id, id, email, name, status, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id, id) do nothing`

// AddOwner implements tenancy.Store.
func (s *Store) AddOwner(ctx context.Context, tenant identity.TenantID, u tenancy.User) error {
	return s.exec(ctx, tenant, insertOwner, tenant, u.ID, u.Email, u.Name, u.Status, u.CreatedAt)
}

const (
	deleteTenant = `delete from tenants where tenant_id = $1 and status = 'provisioning'`
	deleteOwner  = `delete from users where tenant_id = $1 and id = $2 and exists (select from tenants where tenant_id = $1 and status = 'provisioning')`
)

// RemoveTenant implements tenancy.Store.
func (s *Store) RemoveTenant(ctx context.Context, tenant identity.TenantID) error {
	return s.exec(ctx, tenant, deleteTenant, tenant)
}

// RemoveOwner implements tenancy.Store.
func (s *Store) RemoveOwner(ctx context.Context, tenant identity.TenantID, user identity.UserID) error {
	return s.exec(ctx, tenant, deleteOwner, tenant, user)
}

const (
	activateTenant       = `update tenants set status = 'active' where tenant_id = $1 and status = 'provisioning'`
	activateRegistration = `update registrations set status = 'active', due_at = null,
			steps = steps || jsonb_build_object('activate', jsonb_build_object('state', 'done', 'at', $2::timestamptz))
		where tenant_id = $1 and status = 'provisioning'`
)

// Activate implements tenancy.Store.
func (s *Store) Activate(ctx context.Context, tenant identity.TenantID, at time.Time) error {
	return s.db.Tenant(ctx, tenant, func(b *pgx.Batch) {
		b.Queue(activateTenant, tenant)
		b.Queue(activateRegistration, tenant, at)
	})
}

const selectTenant = `select tenant_id as id, slug, name, status, created_at from tenants where tenant_id = $1`

// Tenant implements tenancy.Store.
func (s *Store) Tenant(ctx context.Context, who identity.Caller) (tenancy.Tenant, error) {
	return one[tenancy.Tenant](ctx, s.db, who.Tenant, selectTenant, who.Tenant)
}

const (
	userColumns = `id, email, name, status, created_at`
	selectUser  = `select ` + userColumns + ` from users where tenant_id = $1 and id = $2`
	selectUsers = `select ` + userColumns + ` from users where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`
)

// User implements tenancy.Store.
func (s *Store) User(ctx context.Context, who identity.Caller, id identity.UserID) (tenancy.User, error) {
	return one[tenancy.User](ctx, s.db, who.Tenant, selectUser, who.Tenant, id)
}

const setUserStatus = `with changed as (update users set status = $3 where tenant_id = $1 and id = $2 returning ` + userColumns + `)`

// SetUserStatus implements tenancy.Store.
func (s *Store) SetUserStatus(ctx context.Context, who identity.Caller, id identity.UserID, status string) (tenancy.User, error) {
	u, found, err := postgres.Returning[tenancy.User](ctx, s.db, who, setUserStatus, userColumns, who.Tenant, id, status)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "not_found", "there is no such thing")
	}
	return u, err
}

// SetTenantStatus implements tenancy.Store.
func (s *Store) SetTenantStatus(ctx context.Context, tenant identity.TenantID, status string) error {
	var n int64
	err := s.db.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &n, `update tenants set status = $2 where tenant_id = $1 and status in ('active', 'suspended')`, tenant, status)
	})
	if err == nil && n == 0 {
		err = tenancy.ErrNotActive
	}
	return err
}

// Users implements tenancy.Store.
func (s *Store) Users(ctx context.Context, who identity.Caller, r page.Request) (page.Result[tenancy.User], error) {
	rows, err := many[tenancy.User](ctx, s.db, who.Tenant, selectUsers, who.Tenant, r.After.At, r.After.ID, r.Limit+1)
	return page.Cut(rows, r.Limit, func(u tenancy.User) page.Key { return page.Key{At: u.CreatedAt, ID: u.ID} }), err
}
