package authzdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/access"
)

const (
	lockDeclared   = `select 1 from registered_permissions where name = any ($1::text[]) order by name for update`
	selectOthers   = `select count(*) from registered_permissions where name = any ($1::text[]) and service <> $2`
	insertDeclared = `insert into registered_permissions (name, service, description, least)
		select n, $1, d, l from unnest($2::text[], $3::text[], $4::text[]) x (n, d, l)
		on conflict (name) do update set description = excluded.description, least = excluded.least
		where registered_permissions.service = excluded.service
		and (registered_permissions.description, registered_permissions.least) <> (excluded.description, excluded.least)`
	selectDeclared = `select name, description, least from registered_permissions order by name collate "C"`
	selectBehind   = `select tenant_id from policies p where version > 0 and exists (select from registered_permissions r
		where not exists (select from permissions d where d.tenant_id = p.tenant_id and d.name = r.name and d.builtin)) limit $1`
)

// Declare implements access.Registry.
func (s *Store) Declare(ctx context.Context, service string, all []access.Declared) (news bool, err error) {
	var names, descriptions, least []string
	for _, d := range all {
		names, descriptions, least = append(names, string(d.Name)), append(descriptions, d.Description), append(least, d.Least)
	}
	err = s.system.SystemTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockDeclared, names); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, insertDeclared, service, names, descriptions, least)
		if err != nil {
			return err
		}
		news = done.RowsAffected() > 0
		var others int
		if err := tx.QueryRow(ctx, selectOthers, names, service).Scan(&others); err != nil {
			return err
		}
		if others > 0 {
			return access.ErrDeclared()
		}
		return nil
	})
	return news, err
}

// Declared implements access.Registry.
func (s *Store) Declared(ctx context.Context) (all []access.Declared, err error) {
	err = s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &all, selectDeclared) })
	return all, err
}

// Behind implements access.Registry.
func (s *Store) Behind(ctx context.Context, limit int) (behind []uuid.UUID, err error) {
	err = s.system.System(ctx, func(b *pgx.Batch) {
		b.Queue(selectBehind, limit).Query(func(rows pgx.Rows) error {
			behind, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			return err
		})
	})
	return behind, err
}
