package authzdb

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
)

const selectVersion = `select coalesce((select version from policies where tenant_id = $1), 0)`

// Version implements access.Store.
func (s *Store) Version(ctx context.Context, tenant identity.TenantID) (v int64, err error) {
	err = s.db.Tenant(ctx, tenant, func(b *pgx.Batch) {
		b.Queue(selectVersion, tenant).QueryRow(func(row pgx.Row) error { return row.Scan(&v) })
	})
	return v, err
}

// selectVersions is for the system role, which may see the versions of all
// tenants and nothing else of their policies.
const selectVersions = `select tenant_id, version from policies where tenant_id = any($1)`

// Versions implements access.Store.
func (s *Store) Versions(ctx context.Context, tenants []identity.TenantID) (map[identity.TenantID]int64, error) {
	found := make(map[identity.TenantID]int64, len(tenants))
	err := s.system.System(ctx, func(b *pgx.Batch) {
		b.Queue(selectVersions, tenants).Query(func(rows pgx.Rows) error {
			var tenant identity.TenantID
			var version int64
			_, err := pgx.ForEachRow(rows, []any{&tenant, &version}, func() error {
				found[tenant] = version
				return nil
			})
			return err
		})
	})
	return found, err
}

// Listen calls changed for each policy that changes, with its new version,
// until ctx ends. What happens while its connection to url is lost is not heard of.
func Listen(ctx context.Context, url string, changed func(tenant identity.TenantID, version int64)) {
	postgres.Listen(ctx, url, Channel, func(payload string) {
		id, number, _ := strings.Cut(payload, " ")
		tenant, err := uuid.Parse(id)
		version, err2 := strconv.ParseInt(number, 10, 64)
		if err := errors.Join(err, err2); err != nil {
			slog.Error("a notification of a changed policy is malformed", "error", err)
			return
		}
		changed(tenant, version)
	})
}
