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

var _ login.Grants = (*Store)(nil)

// enabled is a condition on a family f, or what else has a client and a person.
const enabled = ` exists (select from credentials c where c.tenant_id = $1 and c.user_id = f.user_id and c.enabled)
	and exists (select from clients c where c.tenant_id = $1 and c.id = f.client_id and c.enabled)
	and not exists (select from suspended_tenants t where t.tenant_id = $1)`

// living is a condition on a family f.
const living = ` f.revoked_at is null and f.expires_at > now() and` + enabled

// ofClient is a condition on what was found by its key, and no way to find it:
// of a client that came after the last ANALYZE PostgreSQL takes it that there is
// next to nothing, and would read all that is the client's, for one. No index
// serves it, unlike f.client_id = $3.
const ofClient = `f.client_id is not distinct from $3`

// beginFamily stores the family and the first refresh token that "used" gives.
const beginFamily = `, family as (
		insert into token_families (tenant_id, id, client_id, user_id, session_id, scopes, audience, expires_at)
		select $1, family_id, client_id, user_id, session_id, $4::text[], $5::text[], $6::timestamptz from used returning id),
	refresh as (
		insert into refresh_tokens (tenant_id, hash, family_id, expires_at) select $1, $7::bytea, id, $8::timestamptz from family where $7::bytea is not null)`

// exchange is one change: a code gives tokens once, and one that comes again
// ends what it gave. An offline family, and the code that must stay for its sake,
// are no session's.
var exchange = `with used as (
		update authorization_codes f set used_at = now(), session_id = case when $9 then null else f.session_id end where f.tenant_id = $1 and f.hash = $2 and ` + ofClient + ` and f.used_at is null and f.expires_at > now()
			and` + enabled + ` returning f.client_id, f.user_id, f.family_id, f.session_id)` + beginFamily + `,
	replayed as (
		update token_families set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = (
			select family_id from authorization_codes f where tenant_id = $1 and hash = $2 and ` + ofClient + ` and used_at is not null) returning id, user_id, revoked_at = now() as ended),
	changed as (select user_id from replayed where ended)` + noteEnded("replayed")

const exchanged = `
	select exists (select from used) as done, exists (select from replayed) as replayed`

// Exchange implements login.Grants.
func (s *Store) Exchange(ctx context.Context, tenant identity.TenantID, e login.Exchange) (bool, error) {
	sql, args := auditedOf(tenant, e.Replayed, exchange, append([]any{tenant, e.Code, e.ClientID}, familyArgs(e)...)...)
	for range 2 { // who was second to another sees it with the second look
		got, err := one[struct{ Done, Replayed bool }](ctx, s.app, tenant, sql+exchanged, args...)
		if err != nil || got.Done || got.Replayed {
			return got.Done, err
		}
	}
	return false, nil
}

func familyArgs(e login.Exchange) []any {
	return []any{e.Scopes, some(e.Audience), e.FamilyExpires, e.Refresh, e.RefreshExpires, e.Offline}
}

const familyColumns = `f.id, f.client_id, f.user_id, f.scopes, f.audience, f.expires_at`

// refresh finds the token of the client, puts the successor in its place if all
// is well. Of many at once one finds it unused; the rest, which waited for its
// row, are told to look again. A replay ends the family by another statement,
// as it is rare and this one is not.
var refresh = `with found as (
		select ` + familyColumns + `, r.used_at, r.expires_at <= now() as stale,` + living + ` as living,
			r.used_at is not null and (r.used_at <= now() - $7::interval
				or exists (select from refresh_tokens s where s.tenant_id = $1 and s.hash = $4 and s.used_at is not null)) as replayed, f.scopes @> $8::text[] and (f.audience = '{}' or f.audience @> $9::text[]) as narrow
		from refresh_tokens r join token_families f on f.tenant_id = $1 and f.id = r.family_id where r.tenant_id = $1 and r.hash = $2 and ` + ofClient + `),
	used as (
		update refresh_tokens r set used_at = now() from found where r.tenant_id = $1 and r.hash = $2 and r.used_at is null and found.living and found.narrow and not found.stale
		returning r.family_id),
	successor as (
		insert into refresh_tokens (tenant_id, hash, family_id, expires_at) select $1, $4::bytea, found.id, least($5::timestamptz, found.expires_at) from used, found)
	select id, client_id, user_id, scopes, audience, expires_at, case
		when exists (select from used) then 'rotated'
		when not living or used_at is null and stale then 'refused'
		when replayed then 'replayed'
		when not narrow then 'too_wide'
		when used_at is not null then 'repeated'
		else $6 end as outcome
	from found`

const raced login.Outcome = "raced"

// Refresh implements login.Grants.
func (s *Store) Refresh(ctx context.Context, tenant identity.TenantID, r login.Rotation) (login.Family, login.Outcome, error) {
	var row struct {
		login.Family
		Outcome login.Outcome
	}
	var found bool
	for row.Outcome = raced; row.Outcome == raced; {
		err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
			postgres.One(b, &row, &found, refresh, tenant, r.Hash, r.ClientID, r.Successor, r.Expires, raced, r.Grace, some(r.Scopes), some(r.Audience))
		})
		if err != nil || !found {
			return login.Family{}, login.Refused, err
		}
	}
	if row.Outcome == login.Replayed {
		return row.Family, row.Outcome, s.RevokeFamily(ctx, tenant, row.ID, r.Replayed)
	}
	return row.Family, row.Outcome, nil
}

const selectRefresh = `select ` + familyColumns + `, r.expires_at as token_expires_at
	from refresh_tokens r join token_families f on f.tenant_id = $1 and f.id = r.family_id where r.tenant_id = $1 and r.hash = $2
	and r.used_at is null and r.expires_at > now() and` + living

// RefreshToken implements login.Grants.
func (s *Store) RefreshToken(ctx context.Context, tenant identity.TenantID, hash []byte) (login.Family, time.Time, error) {
	got, err := one[struct {
		login.Family
		TokenExpiresAt time.Time
	}](ctx, s.app, tenant, selectRefresh, tenant, hash)
	return got.Family, got.TokenExpiresAt, err
}

var revokeRefresh = `with ended as (update token_families f set revoked_at = coalesce(f.revoked_at, now()) from refresh_tokens r
	where r.tenant_id = $1 and r.hash = $2 and f.tenant_id = $1 and f.id = r.family_id and ` + ofClient + ` returning f.id, f.user_id, f.revoked_at = now() as ended),
	changed as (select user_id from ended where ended.ended)` + noteEnded("ended")

// RevokeRefresh implements login.Grants.
func (s *Store) RevokeRefresh(ctx context.Context, tenant identity.TenantID, client string, hash []byte, e login.Event) (bool, error) {
	sql, args := auditedOf(tenant, e, revokeRefresh, tenant, hash, client)
	n, err := s.exec(ctx, tenant, sql+` select 1 from ended`, args...)
	return n > 0, err
}

const (
	notRevoked        = `not exists (select from revoked_tokens where tenant_id = $1 and jti = $2)`
	selectLivingAlone = `select 1 where ` + notRevoked
	selectLiving      = `select 1 from token_families f join credentials c on c.tenant_id = $1 and c.user_id = f.user_id and c.enabled
		where f.tenant_id = $1 and f.id = $3 and f.revoked_at is null and f.expires_at > now() and ` + notRevoked
)

// Living implements login.Grants.
func (s *Store) Living(ctx context.Context, tenant identity.TenantID, family uuid.UUID, jti string) (bool, error) {
	sql, args := selectLiving, []any{tenant, jti, family}
	if family == uuid.Nil {
		sql, args = selectLivingAlone, args[:2]
	}
	n, err := s.exec(ctx, tenant, sql, args...)
	return n > 0, err
}

func some(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}
