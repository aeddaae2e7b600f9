package authdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const (
	revocationInto = `insert into revocations (tenant_id, subject, at, expires_at) `
	onceMore       = ` on conflict (tenant_id, subject) do update set at = excluded.at, expires_at = excluded.expires_at, xid = excluded.xid`
	// memory is longer than a replica gives tokens to a client, or a tenant's, that
	// it has not heard of anew: those of this while are revoked as well.
	memory = `interval '2 seconds'`
)

// revocationLife is login.RevocationLife.
var revocationLife = fmt.Sprintf(`interval '%d seconds'`, login.RevocationLife/time.Second)

// noteEnded is a WITH query that ends the access tokens of families which
// another one, from, has ended.
func noteEnded(from string) string {
	return `, noted as (` + revocationInto + `select $1, 'family:' || id, now(), now() + ` + revocationLife + ` from ` + from + onceMore + `)`
}

var (
	revokeFamily = `with changed as (update token_families set revoked_at = now() where tenant_id = $1 and id = $2 and revoked_at is null returning id, user_id)` + noteEnded("changed")
	revokeToken  = `with changed as (insert into revoked_tokens (tenant_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing returning jti),
		noted as (` + revocationInto + `values ($1, 'token:' || $2, now(), now() + ` + revocationLife + `)` + onceMore + `)`
)

// RevokeFamily implements login.Grants.
func (s *Store) RevokeFamily(ctx context.Context, tenant identity.TenantID, id uuid.UUID, e login.Event) error {
	sql, args := auditedOf(tenant, e, revokeFamily, tenant, id)
	_, err := s.exec(ctx, tenant, sql+` select`, args...)
	return err
}

// RevokeToken implements login.Grants.
func (s *Store) RevokeToken(ctx context.Context, tenant identity.TenantID, jti string, expires time.Time, e login.Event) error {
	_, err := s.change(ctx, tenant, e, revokeToken, tenant, jti, expires)
	return err
}

// queueRevocation ends the access tokens of a subject from before at.
func queueRevocation(b *pgx.Batch, tenant identity.TenantID, subject string, at time.Time) {
	b.Queue(revocationInto+`values ($1, $2, $3, $3::timestamptz + `+revocationLife+`)`+onceMore, tenant, subject, at)
}

const (
	endSessions = `delete from login_sessions where tenant_id = $1 and user_id = $2 and id <> $3`
	endDevices  = `delete from known_devices where tenant_id = $1 and user_id = $2`
	endCodes    = `delete from authorization_codes where tenant_id = $1 and user_id = $2 and used_at is null`
	endFamilies = `update token_families set revoked_at = $3 where tenant_id = $1 and user_id = $2 and revoked_at is null`
)

// TokensEnded returns until when all access tokens of a tenant are revoked; nil: none is.
func (s *Store) TokensEnded(ctx context.Context, tenant identity.TenantID) (*time.Time, error) {
	var rows []struct{ Ended *time.Time }
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.Many(b, &rows, `select max(at) as ended from revocations where tenant_id = $1 and subject = ''`, tenant)
	})
	if err != nil {
		return nil, err
	}
	return rows[0].Ended, nil
}

// queueEnd ends all that a person's logins gave: sessions but the one named,
// known devices, codes, refresh and access tokens. Codes come before families: whatever was
// exchanged a moment ago is then seen as a family. It ends what began until now,
// and not until it was asked for: a password may have been hashed meanwhile.
func queueEnd(b *pgx.Batch, tenant identity.TenantID, user identity.UserID, but uuid.UUID) {
	at := time.Now()
	b.Queue(endSessions, tenant, user, but)
	b.Queue(endDevices, tenant, user)
	b.Queue(endCodes, tenant, user)
	b.Queue(endFamilies, tenant, user, at)
	queueRevocation(b, tenant, "user:"+user.String(), at)
}

// selectRevocations goes back to the beginning when it is asked for what lies
// ahead: the database is another one then.
const selectRevocations = `with seen as (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid)
	select r.tenant_id as tenant, r.subject, r.at, r.expires_at, seen.xid as next from seen
	left join revocations r on r.xid >= case when $1 > seen.xid then 0 else $1::bigint end and r.expires_at > now()`

// Revocations returns those that have become visible since the ones before were
// read; some may come again.
func (s *Store) Revocations(ctx context.Context, since int64) (identity.Revocations, error) {
	var rows []struct {
		Tenant        *uuid.UUID
		Subject       *string
		At, ExpiresAt *time.Time
		Next          int64
	}
	err := s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &rows, selectRevocations, since) })
	out := identity.Revocations{Items: []identity.Revocation{}}
	for _, r := range rows {
		out.Next = r.Next
		if r.Tenant != nil {
			out.Items = append(out.Items, identity.Revocation{Tenant: *r.Tenant, Subject: *r.Subject, At: *r.At, ExpiresAt: *r.ExpiresAt})
		}
	}
	return out, err
}
