package authdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// remember locks the session: what ends it at this moment either comes first, or
// sees the device.
const remember = `with person as (select user_id from login_sessions where tenant_id = $1 and id = $2 for share),
	forgotten as (delete from known_devices d using person p where d.tenant_id = $1 and d.user_id = p.user_id and (d.hash = $4 or d.hash in (
		select hash from known_devices k where k.tenant_id = $1 and k.user_id = p.user_id order by expires_at desc offset $6)))
	insert into known_devices (tenant_id, hash, user_id, expires_at) select $1, $3, user_id, now() + $5::interval from person`

// Remember implements login.Devices.
func (s *Store) Remember(ctx context.Context, tenant identity.TenantID, session uuid.UUID, device, was []byte) error {
	_, err := s.exec(ctx, tenant, remember, tenant, session, device, was, login.DeviceLife, login.MostDevices-1)
	return err
}

// Device implements login.Devices.
func (s *Store) Device(ctx context.Context, tenant identity.TenantID, email string, of [][]byte) ([]byte, error) {
	var d struct{ Hash []byte }
	var found bool
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.One(b, &d, &found, `select d.hash from known_devices d join credentials c using (tenant_id, user_id)
			where d.tenant_id = $1 and c.email = $2 and d.hash = any ($3) and d.expires_at > now() limit 1`, tenant, email, of)
	})
	return d.Hash, err
}
