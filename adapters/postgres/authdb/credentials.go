package authdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const putCredential = `insert into credentials (tenant_id, user_id, email, name, password_hash, enabled) values ($1, $2, $3, $4, $5, $6)
	on conflict (tenant_id, user_id) do update set email = excluded.email, name = excluded.name, password_hash = excluded.password_hash,
		enabled = excluded.enabled, updated_at = now()`

// PutCredential implements login.Store.
func (s *Store) PutCredential(ctx context.Context, tenant identity.TenantID, c login.Credential, e login.Event) error {
	err := s.ending(ctx, tenant, c.User, uuid.Nil, e, func(b *pgx.Batch) {
		b.Queue(putCredential, tenant, c.User, c.Email, c.Name, c.Hash, c.Enabled)
	})
	if postgres.Violates(err, "credentials_tenant_id_email_key") {
		return fault.New(fault.Conflict, "email_taken", "another person of the tenant has this address")
	}
	return err
}

// ending runs a change of a credential after which nothing that the person's
// logins gave is good, but for one session. The change comes first: a login
// that is under way waits for it, or is seen by what follows.
func (s *Store) ending(ctx context.Context, tenant identity.TenantID, user identity.UserID, but uuid.UUID, e login.Event, queue func(b *pgx.Batch)) error {
	return s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		queue(b)
		queueEnd(b, tenant, user, but, e.At)
		queueEvent(b, tenant, e, `with changed as (select from credentials where tenant_id = $1 and user_id = $2)`, tenant, user)
	})
}

const setEnabled = `with changed as (update credentials set enabled = $3 where tenant_id = $1 and user_id = $2 returning user_id)`

// EnableCredential implements login.Store.
func (s *Store) EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	found, err := s.change(ctx, tenant, e, setEnabled, tenant, user, true)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

// DisableCredential implements login.Store.
func (s *Store) DisableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	var n int64
	err := s.ending(ctx, tenant, user, uuid.Nil, e, func(b *pgx.Batch) { postgres.Affected(b, &n, setEnabled+` select 1 from changed`, tenant, user, false) })
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// DropCredential implements login.Store.
func (s *Store) DropCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	return s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		queueEnd(b, tenant, user, uuid.Nil, e.At)
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
	UserID       uuid.UUID
	Email, Name  string
	PasswordHash string
	Enabled      bool
}

func (c credential) domain() login.Credential {
	return login.Credential{User: c.UserID, Email: c.Email, Name: c.Name, Hash: c.PasswordHash, Enabled: c.Enabled}
}

const credentialColumns = `user_id, email, name, password_hash, enabled`

// Credential returns a person's, or fault.NotFound.
func (s *Store) Credential(ctx context.Context, tenant identity.TenantID, user identity.UserID) (login.Credential, error) {
	c, err := one[credential](ctx, s.app, tenant, `select `+credentialColumns+` from credentials where tenant_id = $1 and user_id = $2`, tenant, user)
	return c.domain(), err
}

// Attempt returns the credential with an address, the zero one if there is
// none, and until when key may not try.
func (s *Store) Attempt(ctx context.Context, tenant identity.TenantID, email string, key []byte) (login.Credential, time.Time, error) {
	var c credential
	var found, blocked bool
	var until struct{ BlockedUntil time.Time }
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.One(b, &c, &found, `select `+credentialColumns+` from credentials where tenant_id = $1 and email = $2`, tenant, email)
		postgres.One(b, &until, &blocked, `select blocked_until from login_failures where tenant_id = $1 and key = $2 and expires_at > now()`, tenant, key)
	})
	return c.domain(), until.BlockedUntil, err
}

const insertFailure = `insert into login_failures as f (tenant_id, key, failures, blocked_until, expires_at) values ($1, $2, 1, now(), now() + interval '1 day')
	on conflict (tenant_id, key) do update set failures = case when f.expires_at > now() then f.failures else 0 end + 1, expires_at = now() + interval '1 day'
	returning failures`

// Failed counts a failure of key and blocks it as long as login.Delay says.
func (s *Store) Failed(ctx context.Context, tenant identity.TenantID, key []byte) error {
	return s.app.Tx(ctx, tenant, func(tx pgx.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, insertFailure, tenant, key).Scan(&n); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update login_failures set blocked_until = $3 where tenant_id = $1 and key = $2`, tenant, key, time.Now().Add(login.Delay(n)))
		return err
	})
}

// Session is a person's login in one browser.
type Session struct {
	ID              uuid.UUID
	UserID          uuid.UUID
	AuthenticatedAt time.Time
	ExpiresAt       time.Time
	Network         string
	UserAgent       string
}

// insertSession waits for a change of the password that is under way, and adds
// nothing where the hash is no longer the one that was compared.
const insertSession = `with person as (select user_id from credentials where tenant_id = $1 and user_id = $4 and password_hash = $9 and enabled for share),
	changed as (insert into login_sessions (tenant_id, hash, id, user_id, authenticated_at, expires_at, network, user_agent)
		select $1, $2, $3, user_id, $5, $6, $7, $8 from person returning id),
	forgiven as (delete from login_failures where tenant_id = $1 and key = $10)`

// LoggedIn stores a session and forgets the failures of key. It returns
// fault.NotFound when the credential is no longer the one with hash.
func (s *Store) LoggedIn(ctx context.Context, tenant identity.TenantID, secret []byte, at Session, hash string, key []byte) error {
	e := login.EventOf(identity.Caller{User: at.UserID}, login.LoginSucceeded, "")
	e.Network = at.Network
	found, err := s.change(ctx, tenant, e, insertSession, tenant, secret, at.ID, at.UserID, at.AuthenticatedAt, at.ExpiresAt, at.Network, at.UserAgent, hash, key)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

const selectSession = `select id, user_id, authenticated_at, expires_at, network, user_agent from login_sessions s where tenant_id = $1 and hash = $2 and expires_at > now()
	and exists (select from credentials c where c.tenant_id = $1 and c.user_id = s.user_id and enabled)`

// Session returns a living session of a person who may log in, or fault.NotFound.
func (s *Store) Session(ctx context.Context, tenant identity.TenantID, hash []byte) (Session, error) {
	return one[Session](ctx, s.app, tenant, selectSession, tenant, hash)
}

// EndSession removes a session, if it is there.
func (s *Store) EndSession(ctx context.Context, tenant identity.TenantID, hash []byte) error {
	_, err := s.exec(ctx, tenant, `delete from login_sessions where tenant_id = $1 and hash = $2`, tenant, hash)
	return err
}
