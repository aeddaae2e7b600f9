package authdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const setPassword = `update credentials set password_hash = $4, updated_at = now() where tenant_id = $1 and user_id = $2 and password_hash = $3`

// SetPassword implements login.Passwords.
func (s *Store) SetPassword(ctx context.Context, tenant identity.TenantID, user identity.UserID, was, hash string, but uuid.UUID, e login.Event) error {
	return s.found(ctx, tenant, user, but, e, setPassword, tenant, user, was, hash)
}

// found runs a change of a credential, after which nothing that the person's
// logins gave is good but for one session, if it finds its row.
func (s *Store) found(ctx context.Context, tenant identity.TenantID, user identity.UserID, but uuid.UUID, e login.Event, sql string, args ...any) error {
	return s.then(ctx, tenant, func(b *pgx.Batch) {
		b.Queue(`delete from mailed_links where tenant_id = $1 and user_id = $2 and purpose = 'reset'`, tenant, user)
		queueEnd(b, tenant, user, but)
		queueEvent(b, tenant, e, nothing)
	}, sql, args...)
}

// then runs a change and, in the same transaction, what follows from it. It
// returns fault.NotFound, and nothing follows, when the change finds no row.
func (s *Store) then(ctx context.Context, tenant identity.TenantID, queue func(b *pgx.Batch), sql string, args ...any) error {
	return s.app.Tx(ctx, tenant, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = notFound()
		}
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		queue(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

// Rehash implements login.Passwords.
func (s *Store) Rehash(ctx context.Context, tenant identity.TenantID, user identity.UserID, was, hash string) error {
	_, err := s.exec(ctx, tenant, setPassword, tenant, user, was, hash)
	return err
}

const (
	mostLinks = `(select count(*) from mailed_links l where l.tenant_id = $1 and l.user_id = c.user_id and l.purpose = $4 and l.created_at > now() - interval '1 hour') < 3`
	askLink   = `insert into mailed_links (tenant_id, id, user_id, purpose, due_at, expires_at)
		select $1, $3, c.user_id, $4, now(), now() + $5::interval from credentials c where c.tenant_id = $1 and c.enabled and `
	askReset = `with changed as (` + askLink + `c.email = $2 and ` + mostLinks + ` returning user_id)`
)

// AskReset implements login.Links.
func (s *Store) AskReset(ctx context.Context, tenant identity.TenantID, email string, id uuid.UUID, e login.Event, asked login.Failure) error {
	return s.counted(ctx, tenant, []login.Failure{asked}, func(b *pgx.Batch) {
		queueEvent(b, tenant, e, askReset, tenant, email, id, login.ResetLink, login.LinkLife)
	})
}

// AskVerification implements login.Links.
func (s *Store) AskVerification(ctx context.Context, who identity.Caller, id uuid.UUID) error {
	_, err := postgres.Write(ctx, s.app, who, true, func(b *pgx.Batch) {
		b.Queue(askLink+`c.user_id = $2 and `+mostLinks, who.Tenant, who.User, id, login.VerificationLink, login.LinkLife)
	})
	return err
}

// mailAgain is when a link that was taken, and not mailed, is taken again: later
// than a mail server is waited for, or two would mail it.
const mailAgain = 30 * time.Second

const takeLinks = `update mailed_links set due_at = now() + $1::interval where (tenant_id, id) in (
		select tenant_id, id from mailed_links where due_at <= now() and expires_at > now() order by due_at limit 1 for update skip locked)
	returning tenant_id as tenant, id, user_id as "user", purpose`

// DueLinks implements login.Links.
func (s *Store) DueLinks(ctx context.Context) (due []login.DueLink, err error) {
	err = s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &due, takeLinks, mailAgain) })
	return due, err
}

const mailing = `with link as (update mailed_links set hash = $3 where tenant_id = $1 and id = $2 and expires_at > now() returning user_id)
	select ` + credentialColumns + ` from credentials where tenant_id = $1 and user_id = (select user_id from link) and enabled`

// Mailing implements login.Links.
func (s *Store) Mailing(ctx context.Context, l login.DueLink, hash []byte) (login.Credential, error) {
	c, err := one[credential](ctx, s.app, l.Tenant, mailing, l.Tenant, l.ID, hash)
	return c.domain(), err
}

// Mailed implements login.Links.
func (s *Store) Mailed(ctx context.Context, l login.DueLink) error {
	_, err := s.exec(ctx, l.Tenant, `update mailed_links set due_at = null where tenant_id = $1 and id = $2`, l.Tenant, l.ID)
	return err
}

const linkWorks = `select l.user_id from mailed_links l where l.tenant_id = $1 and l.hash = $2 and l.purpose = $3 and l.expires_at > now()`

// Link implements login.Links.
func (s *Store) Link(ctx context.Context, tenant identity.TenantID, purpose string, hash []byte) (login.Credential, error) {
	c, err := one[credential](ctx, s.app, tenant, `select `+credentialColumns+` from credentials where tenant_id = $1 and enabled and user_id = (`+linkWorks+`)`, tenant, hash, purpose)
	return c.domain(), err
}

const reset = `with used as (delete from mailed_links where tenant_id = $1 and hash = $2 and purpose = 'reset' and user_id = $3 and expires_at > now() returning user_id)
	update credentials c set password_hash = $4, email_verified = true, updated_at = now() from used where c.tenant_id = $1 and c.user_id = used.user_id and c.enabled`

// Reset implements login.Links.
func (s *Store) Reset(ctx context.Context, tenant identity.TenantID, link []byte, user identity.UserID, hash string, e login.Event) error {
	return s.found(ctx, tenant, user, uuid.Nil, e, reset, tenant, link, user, hash)
}

const verify = `with used as (delete from mailed_links where tenant_id = $1 and hash = $2 and purpose = 'verification' and user_id = $3 and expires_at > now() returning user_id),
	changed as (update credentials c set email_verified = true from used where c.tenant_id = $1 and c.user_id = used.user_id returning c.user_id)`

// Verify implements login.Links.
func (s *Store) Verify(ctx context.Context, tenant identity.TenantID, link []byte, user identity.UserID, e login.Event) error {
	found, err := s.change(ctx, tenant, e, verify, tenant, link, user)
	if err == nil && !found {
		err = notFound()
	}
	return err
}
