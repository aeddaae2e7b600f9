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

const selectConsents = `select k.client_id, c.name, k.scopes, k.at from consents k join clients c on c.tenant_id = $1 and c.id = k.client_id
	where k.tenant_id = $1 and k.user_id = $2 order by c.name, k.client_id`

// Consents implements login.Consents.
func (s *Store) Consents(ctx context.Context, who identity.Caller) (all []login.Consent, err error) {
	err = s.app.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &all, selectConsents, who.Tenant, who.User) })
	return all, err
}

const (
	withdraw   = `delete from consents where tenant_id = $1 and user_id = $2 and client_id = $3`
	endCodesOf = `delete from authorization_codes where tenant_id = $1 and user_id = $2 and client_id = $3 and used_at is null`
)

var endFamiliesOfClient = `with ended as (update token_families set revoked_at = now() where tenant_id = $1 and user_id = $2 and client_id = $3 and revoked_at is null returning id)` + noteEnded("ended") + ` select`

// Withdraw implements login.Consents. Codes come before families: whatever was
// exchanged a moment ago is then seen as a family.
func (s *Store) Withdraw(ctx context.Context, who identity.Caller, client string, e login.Event) error {
	return s.then(ctx, who.Tenant, func(b *pgx.Batch) {
		b.Queue(endCodesOf, who.Tenant, who.User, client)
		b.Queue(endFamiliesOfClient, who.Tenant, who.User, client)
		queueEvent(b, who.Tenant, e, nothing)
	}, withdraw, who.Tenant, who.User, client)
}
