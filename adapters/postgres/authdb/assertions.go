package authdb

import (
	"context"
	"time"

	"bailiwick.dev/domain/identity"
)

// UseAssertion notes that a client has proved itself with the assertion whose
// jti has this hash, and reports whether it was the first time.
func (s *Store) UseAssertion(ctx context.Context, tenant identity.TenantID, client string, hash []byte, expires time.Time) (bool, error) {
	n, err := s.exec(ctx, tenant, `insert into client_assertions (tenant_id, client_id, hash, expires_at) values ($1, $2, $3, $4) on conflict do nothing`, tenant, client, hash, expires)
	return n > 0, err
}
