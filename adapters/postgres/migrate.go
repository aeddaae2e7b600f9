package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	_ "github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrate brings the schema at url, a migrator's, to the newest of the
// migrations. Several replicas may call it at once: one works, the others wait.
func Migrate(ctx context.Context, url string, migrations fs.FS) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // two branches land theirs in either order
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`do $$ declare r name; begin
		for r in select rolname from pg_roles where rolname in (select replace(current_user, '_owner', s) from (values ('_app'), ('_system')) v(s))
		loop execute format('grant select on %s to %%I', r); end loop; end $$`, versionTable))
	return err
}

const versionTable = "goose_db_version"

// Verify reports whether this connection may serve: its role is neither
// superuser nor exempt from row security, owns nothing, and the schema is the
// one that this binary was built for. A service refuses to start otherwise.
func (db *DB) Verify(ctx context.Context, migrations fs.FS) error {
	var strong bool
	var owned int64
	err := db.pool.QueryRow(ctx, `select r.rolsuper or r.rolbypassrls, (select count(*) from pg_class c where pg_has_role(r.oid, c.relowner, 'member'))
		from pg_roles r where r.rolname = current_user`).Scan(&strong, &owned)
	if err != nil {
		return translate(err)
	}
	if strong || owned > 0 {
		return errors.New("the database role of a service must own nothing and be subject to row security")
	}
	return db.verifyVersion(ctx, migrations)
}

func (db *DB) verifyVersion(ctx context.Context, migrations fs.FS) error {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil || len(names) == 0 {
		return fmt.Errorf("no migrations: %w", err)
	}
	want, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		return err
	}
	var got int64
	if err := db.pool.QueryRow(ctx, "select coalesce(max(version_id), 0) from "+versionTable).Scan(&got); err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	if got < want {
		return fmt.Errorf("the schema is at version %d, this binary needs %d: run migrate first", got, want)
	}
	return nil
}
