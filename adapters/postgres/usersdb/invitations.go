package usersdb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
)

// insertInvitation adds nothing where the address is somebody's, or an open
// invitation's, already, or was invited too often.
const insertInvitation = `with changed as (insert into invitations (tenant_id, id, email, name, role, status, invited_by, created_at, expires_at, due_at, role_id)
	select $1, $2, $3::text, $4, $5, $6, $7, $8::timestamptz, $9, $8, $10
	where not exists (select from users where tenant_id = $1 and email = $3)
	and not exists (select from invitations where tenant_id = $1 and email = $3 and status = 'pending' and expires_at > $8)
	and (select count(*) from invitations where tenant_id = $1 and email = $3 and created_at > $8::timestamptz - $11::interval) < $12 returning id)`

const oldestInvitation = `select created_at from invitations where tenant_id = $1 and email = $2 and created_at > $3::timestamptz - $4::interval
	order by created_at desc offset $5 limit 1`

// Invite implements tenancy.Store.
func (s *Store) Invite(ctx context.Context, who identity.Caller, i tenancy.Invitation) (tenancy.Invitation, error) {
	got, found, err := postgres.Change(ctx, s.db.Behind(lockAddress, who.Tenant.String()+i.Email), who, i, insertInvitation,
		who.Tenant, i.ID, i.Email, i.Name, i.Role, i.Status, i.InvitedBy, i.CreatedAt, i.ExpiresAt, i.RoleID, tenancy.MailSpan, tenancy.MaxMails)
	if err != nil || found {
		return got, err
	}
	wait, err := s.wait(ctx, who.Tenant, i.CreatedAt, oldestInvitation, who.Tenant, i.Email, i.CreatedAt, tenancy.MailSpan, tenancy.MaxMails-1)
	switch {
	case err != nil:
	case wait > 0:
		err = tenancy.ErrTooManyInvitations(wait)
	default:
		err = fault.New(fault.Conflict, "email_taken", "a person, or an open invitation, has this address")
	}
	return got, err
}

const (
	invitationColumns = `id, email, name, role, coalesce(role_id, '00000000-0000-0000-0000-000000000000') as role_id, status, invited_by, created_at, expires_at`
	selectInvitation  = `select ` + invitationColumns + ` from invitations where tenant_id = $1 and id = $2`
	selectInvitations = `select ` + invitationColumns + ` from invitations where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`
)

// Invitation implements tenancy.Store.
func (s *Store) Invitation(ctx context.Context, who identity.Caller, id uuid.UUID) (tenancy.Invitation, error) {
	return one[tenancy.Invitation](ctx, s.db, who.Tenant, selectInvitation, who.Tenant, id)
}

// Invitations implements tenancy.Store.
func (s *Store) Invitations(ctx context.Context, who identity.Caller, r page.Request) (page.Result[tenancy.Invitation], error) {
	rows, err := many[tenancy.Invitation](ctx, s.db, who.Tenant, selectInvitations, who.Tenant, r.After.At, r.After.ID, r.Limit+1)
	return page.Cut(rows, r.Limit, func(i tenancy.Invitation) page.Key { return page.Key{At: i.CreatedAt, ID: i.ID} }), err
}

const withdraw = `with changed as (update invitations set status = 'withdrawn', due_at = $3::timestamptz + $4::interval
	where tenant_id = $1 and id = $2 and status in ('pending', 'withdrawn') returning id)`

// Withdraw implements tenancy.Store.
func (s *Store) Withdraw(ctx context.Context, who identity.Caller, id uuid.UUID, at time.Time) error {
	_, found, err := postgres.Change(ctx, s.db, who, true, withdraw, who.Tenant, id, at, tenancy.Grace)
	if err == nil && !found {
		if _, err = s.Invitation(ctx, who, id); err == nil {
			err = tenancy.ErrAccepted
		}
	}
	return err
}

const accept = `with changed as (update invitations set status = 'accepted', due_at = $5
		where tenant_id = $1 and id = $2 and status = 'pending' and expires_at > $5 and attempt = $7 returning id),
	person as (insert into users (tenant_id, id, email, name, status, created_at) select $1, id, $3, $4, $6, $5 from changed)`

// Accept implements tenancy.Store.
func (s *Store) Accept(ctx context.Context, who identity.Caller, attempt int64, u tenancy.User) (tenancy.User, error) {
	got, found, err := postgres.Change(ctx, s.db, who, u, accept, who.Tenant, u.ID, u.Email, u.Name, u.CreatedAt, u.Status, attempt)
	if postgres.Violates(err, "users_tenant_id_email_key") {
		return u, fault.New(fault.Conflict, "email_taken", "a person has this address")
	}
	if err == nil && !found {
		err = s.refusal(ctx, tenancy.Link{Tenant: who.Tenant, Invitation: u.ID}, u.CreatedAt)
	}
	return got, err
}

// Accepted implements tenancy.Store.
func (s *Store) Accepted(ctx context.Context, who identity.Caller) (tenancy.User, bool, error) {
	return postgres.Replay[tenancy.User](ctx, s.db, who)
}

const settled = `update invitations set due_at = case when $3 = 'pending' then expires_at + $4::interval end
	where tenant_id = $1 and id = $2 and status = case when $3 = 'expired' then 'pending' else $3 end`

// Settled implements tenancy.Store.
func (s *Store) Settled(ctx context.Context, tenant identity.TenantID, id uuid.UUID, status string) error {
	return s.exec(ctx, tenant, settled, tenant, id, status, tenancy.Grace)
}
