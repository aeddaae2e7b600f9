package authdb

import (
	"context"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const (
	insertCode = `with answered as (delete from pushed_requests where tenant_id = $1 and hash = $9 returning hash)
		insert into authorization_codes (tenant_id, hash, client_id, user_id, family_id, request, expires_at, session_id)
		select $1, $2, $3, $4, $5, $6, $7, $8 where $9::bytea is null or exists (select from answered)`
	selectCode = `select hash, client_id, user_id, family_id, coalesce(session_id, '00000000-0000-0000-0000-000000000000') as session_id, request, expires_at, used_at is not null as used, null::bytea as pushed
		from authorization_codes where tenant_id = $1 and hash = $2 and (expires_at > now() or used_at is not null)`
	insertRequest = `insert into pushed_requests (tenant_id, hash, client_id, request, expires_at, network) select $1, $2, $3, $4, $5, $6
		where $6 = '' or (select count(*) from pushed_requests where tenant_id = $1 and client_id = $3 and network = $6 and expires_at > now()) < $7`
	selectRequest = `select hash, client_id, request, expires_at, network from pushed_requests where tenant_id = $1 and hash = $2 and expires_at > now()`
)

// AddCode implements login.Grants.
func (s *Store) AddCode(ctx context.Context, tenant identity.TenantID, c login.Code) error {
	session := uuid.NullUUID{UUID: c.SessionID, Valid: c.SessionID != uuid.Nil}
	n, err := s.exec(ctx, tenant, insertCode, tenant, c.Hash, c.ClientID, c.UserID, c.FamilyID, c.Request, c.ExpiresAt, session, c.Pushed)
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// Code implements login.Grants.
func (s *Store) Code(ctx context.Context, tenant identity.TenantID, hash []byte) (login.Code, error) {
	return one[login.Code](ctx, s.app, tenant, selectCode, tenant, hash)
}

// AddRequest implements login.Grants.
func (s *Store) AddRequest(ctx context.Context, tenant identity.TenantID, p login.PushedRequest) error {
	n, err := s.exec(ctx, tenant, insertRequest, tenant, p.Hash, p.ClientID, p.Request, p.ExpiresAt, p.Network, login.MostRequests)
	if err == nil && n == 0 {
		err = login.ErrTooManyRequests
	}
	return err
}

// Request implements login.Grants.
func (s *Store) Request(ctx context.Context, tenant identity.TenantID, hash []byte) (login.PushedRequest, error) {
	return one[login.PushedRequest](ctx, s.app, tenant, selectRequest, tenant, hash)
}
