package authdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// Consented implements login.Consents.
func (s *Store) Consented(ctx context.Context, tenant identity.TenantID, user identity.UserID, client string) ([]string, error) {
	var row struct{ Scopes []string }
	var found bool
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.One(b, &row, &found, `select scopes from consents where tenant_id = $1 and user_id = $2 and client_id = $3`, tenant, user, client)
	})
	return row.Scopes, err
}

const consent = `with changed as (insert into consents as c (tenant_id, user_id, client_id, scopes, at) values ($1, $2, $3, $4, $5)
	on conflict (tenant_id, user_id, client_id) do update set scopes = (select array_agg(distinct s) from unnest(c.scopes || excluded.scopes) s), at = excluded.at returning user_id)`

// Consent implements login.Consents.
func (s *Store) Consent(ctx context.Context, tenant identity.TenantID, user identity.UserID, client string, scopes []string, e login.Event) error {
	_, err := s.change(ctx, tenant, e, consent, tenant, user, client, some(scopes), e.At)
	return err
}
