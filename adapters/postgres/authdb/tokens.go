package authdb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// Code is an authorization code: Request is what was authorized.
type Code struct {
	Hash      []byte
	ClientID  string
	UserID    uuid.UUID
	FamilyID  uuid.UUID
	Request   json.RawMessage
	ExpiresAt time.Time
	Used      bool
}

// AddCode stores a code.
func (s *Store) AddCode(ctx context.Context, tenant identity.TenantID, c Code) error {
	_, err := s.exec(ctx, tenant, `insert into authorization_codes (tenant_id, hash, client_id, user_id, family_id, request, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		tenant, c.Hash, c.ClientID, c.UserID, c.FamilyID, c.Request, c.ExpiresAt)
	return err
}

const selectCode = `select hash, client_id, user_id, family_id, request, expires_at, used_at is not null as used
	from authorization_codes where tenant_id = $1 and hash = $2 and (expires_at > now() or used_at is not null)`

// Code returns a code that has not expired, or one that was used, or fault.NotFound.
func (s *Store) Code(ctx context.Context, tenant identity.TenantID, hash []byte) (Code, error) {
	return one[Code](ctx, s.app, tenant, selectCode, tenant, hash)
}

// useCode begins the family of the tokens that the code gives, as one change
// with the code's end: a code gives tokens once.
const useCode = `with used as (update authorization_codes set used_at = now() where tenant_id = $1 and hash = $2 and used_at is null returning client_id, user_id, family_id)
	insert into token_families (tenant_id, id, client_id, user_id, scopes, expires_at) select $1, family_id, client_id, user_id, $3, $4 from used`

// UseCode ends a code and begins its family. It returns fault.NotFound when
// the code was used before.
func (s *Store) UseCode(ctx context.Context, tenant identity.TenantID, hash []byte, scopes []string, familyExpires time.Time) error {
	n, err := s.exec(ctx, tenant, useCode, tenant, hash, scopes, familyExpires)
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// Family is what one authorization gave.
type Family struct {
	ID        uuid.UUID
	ClientID  string
	UserID    uuid.UUID
	Scopes    []string
	ExpiresAt time.Time
	Living    bool // not revoked, not expired, and its person and its client are enabled
}

const familyColumns = `f.id, f.client_id, f.user_id, f.scopes, f.expires_at, f.revoked_at is null and f.expires_at > now()
	and exists (select from credentials c where c.tenant_id = $1 and c.user_id = f.user_id and enabled)
	and exists (select from clients c where c.tenant_id = $1 and c.id = f.client_id and enabled) as living`

// Family returns a family, or fault.NotFound.
func (s *Store) Family(ctx context.Context, tenant identity.TenantID, id uuid.UUID) (Family, error) {
	return one[Family](ctx, s.app, tenant, `select `+familyColumns+` from token_families f where f.tenant_id = $1 and f.id = $2`, tenant, id)
}

// RevokeFamily ends a family with all of its tokens.
func (s *Store) RevokeFamily(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	_, err := s.exec(ctx, tenant, `update token_families set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2`, tenant, id)
	return err
}

// Refresh is a refresh token with its family.
type Refresh struct {
	Family
	TokenExpiresAt time.Time
	UsedAt         *time.Time
}

const selectRefresh = `select ` + familyColumns + `, r.expires_at as token_expires_at, r.used_at
	from refresh_tokens r join token_families f on f.tenant_id = $1 and f.id = r.family_id where r.tenant_id = $1 and r.hash = $2`

// Refresh returns a refresh token, or fault.NotFound.
func (s *Store) Refresh(ctx context.Context, tenant identity.TenantID, hash []byte) (Refresh, error) {
	return one[Refresh](ctx, s.app, tenant, selectRefresh, tenant, hash)
}

// AddRefresh stores the first refresh token of a family.
func (s *Store) AddRefresh(ctx context.Context, tenant identity.TenantID, hash []byte, family uuid.UUID, expires time.Time) error {
	_, err := s.exec(ctx, tenant, `insert into refresh_tokens (tenant_id, hash, family_id, expires_at) values ($1, $2, $3, $4)`, tenant, hash, family, expires)
	return err
}

// rotate takes a token's place only where it is unused and its family lives:
// of many at once, one does.
const rotate = `with used as (update refresh_tokens r set used_at = now() where r.tenant_id = $1 and r.hash = $2 and r.used_at is null and r.expires_at > now()
		and exists (select from token_families f where f.tenant_id = $1 and f.id = r.family_id and f.revoked_at is null and f.expires_at > now()) returning family_id)
	insert into refresh_tokens (tenant_id, hash, family_id, expires_at) select $1, $3, family_id, $4 from used`

// Rotate puts successor in the place of hash and reports whether it did: false
// when the token was used before, or lives no longer.
func (s *Store) Rotate(ctx context.Context, tenant identity.TenantID, hash, successor []byte, expires time.Time) (bool, error) {
	n, err := s.exec(ctx, tenant, rotate, tenant, hash, successor, expires)
	return n > 0, err
}

// RevokeToken notes that one access token is revoked until it expires.
func (s *Store) RevokeToken(ctx context.Context, tenant identity.TenantID, jti string, expires time.Time) error {
	_, err := s.exec(ctx, tenant, `insert into revoked_tokens (tenant_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing`, tenant, jti, expires)
	return err
}

// Revoked reports whether an access token was revoked by itself.
func (s *Store) Revoked(ctx context.Context, tenant identity.TenantID, jti string) (bool, error) {
	n, err := s.exec(ctx, tenant, `select 1 from revoked_tokens where tenant_id = $1 and jti = $2`, tenant, jti)
	return n > 0, err
}
