package authdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// putCredential changes nothing where a closed credential would replace one that
// was ever open, whose attempt is null, or a later attempt's: it is a late answer
// to a link that was used, or is overtaken.
const putCredential = `with changed as (insert into credentials as c (tenant_id, user_id, email, name, password_hash, enabled, email_verified, attempt, organisation)
		values ($1, $2, $3, $4, $5, $6, $7, case when not $6 then $8::bigint end, $9)
	on conflict (tenant_id, user_id) do update set email = excluded.email, name = excluded.name, password_hash = excluded.password_hash,
		enabled = excluded.enabled, email_verified = excluded.email_verified, attempt = excluded.attempt, organisation = excluded.organisation, updated_at = now()
		where excluded.enabled or not c.enabled and c.attempt <= excluded.attempt returning user_id)`

// PutCredential implements login.Store.
func (s *Store) PutCredential(ctx context.Context, tenant identity.TenantID, c login.Credential, e login.Event) error {
	put, args := audited(tenant, e, putCredential, tenant, c.User, c.Email, c.Name, c.Hash, c.Enabled, c.EmailVerified, c.Attempt, c.Organisation)
	err := s.app.Tx(ctx, tenant, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, put+" select 1 from changed", args...)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		b := &pgx.Batch{}
		queueEnd(b, tenant, c.User, uuid.Nil)
		return tx.SendBatch(ctx, b).Close()
	})
	if postgres.Violates(err, "credentials_tenant_id_email_key") {
		return fault.New(fault.Conflict, "email_taken", "another person of the tenant has this address")
	}
	return err
}

// queueEnding ends what a person's logins gave, but for the session but, and notes e.
func queueEnding(b *pgx.Batch, tenant identity.TenantID, user identity.UserID, but uuid.UUID, e login.Event) {
	queueEnd(b, tenant, user, but)
	queueEvent(b, tenant, e, `with changed as (`+someone+`)`, tenant, user)
}

const (
	someone = `select from credentials where tenant_id = $1 and user_id = $2`
	enable  = `with changed as (update credentials set enabled = true, attempt = null where tenant_id = $1 and user_id = $2 and not enabled returning user_id)`
	disable = `with changed as (update credentials set enabled = false where tenant_id = $1 and user_id = $2 and enabled returning user_id)`
)

// EnableCredential implements login.Store.
func (s *Store) EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	var n int64
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &n, someone, tenant, user)
		queueEvent(b, tenant, e, enable, tenant, user)
	})
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// DisableCredential implements login.Store.
func (s *Store) DisableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	var n int64
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &n, someone, tenant, user)
		queueEvent(b, tenant, e, disable, tenant, user) // first: a login that is under way waits for it, or is seen by what follows
		queueEnd(b, tenant, user, uuid.Nil)
	})
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// DropCredential implements login.Store.
func (s *Store) DropCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	return s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		b.Queue(someone+` for update`, tenant, user) // first, as a login does
		queueEnd(b, tenant, user, uuid.Nil)
		queueEvent(b, tenant, e, `with changed as (delete from credentials where tenant_id = $1 and user_id = $2 returning user_id)`, tenant, user)
	})
}

var suspend = `with changed as (insert into suspended_tenants (tenant_id, at) values ($1, $2) on conflict do nothing returning tenant_id),
	revoked as (` + revocationInto + `select $1, '', $2::timestamptz + ` + memory + `, $2::timestamptz + ` + revocationLife + ` from changed` + onceMore + `)`

// SuspendTenant implements login.Store.
func (s *Store) SuspendTenant(ctx context.Context, tenant identity.TenantID, e login.Event) error {
	_, err := s.change(ctx, tenant, e, suspend, tenant, e.At)
	return err
}

// ResumeTenant implements login.Store.
func (s *Store) ResumeTenant(ctx context.Context, tenant identity.TenantID, e login.Event) error {
	_, err := s.change(ctx, tenant, e, `with changed as (delete from suspended_tenants where tenant_id = $1 returning tenant_id)`, tenant)
	return err
}

type credential struct {
	UserID                    uuid.UUID
	Email, Name, Organisation string
	PasswordHash              string
	Enabled                   bool
	EmailVerified             bool
}

func (c credential) domain() login.Credential {
	return login.Credential{User: c.UserID, Email: c.Email, Name: c.Name, Organisation: c.Organisation, Hash: c.PasswordHash, Enabled: c.Enabled, EmailVerified: c.EmailVerified}
}

const credentialColumns = `user_id, email, name, organisation, password_hash, enabled, email_verified`

// Credential returns a person's, or fault.NotFound.
func (s *Store) Credential(ctx context.Context, tenant identity.TenantID, user identity.UserID) (login.Credential, error) {
	c, err := one[credential](ctx, s.app, tenant, `select `+credentialColumns+` from credentials where tenant_id = $1 and user_id = $2`, tenant, user)
	return c.domain(), err
}
