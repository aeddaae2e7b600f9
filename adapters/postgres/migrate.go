package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"

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
	// goose takes no lock where nothing is pending, and two grants at once collide.
	_, err = db.ExecContext(ctx, fmt.Sprintf(`do $$ declare r name; begin
		perform pg_advisory_xact_lock(8236502);
		for r in select rolname from pg_roles where rolname in (select replace(current_user, '_owner', s) from (values ('_app'), ('_system')) v(s))
		loop execute format('grant select on %s to %%I', r); end loop; end $$`, versionTable))
	return err
}

// Folder returns the migrations that a store has compiled in.
func Folder(embedded fs.FS) fs.FS {
	migrations, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the name is valid
	}
	return migrations
}

const versionTable = "goose_db_version"

// Verify reports whether this connection may serve: its role is neither
// superuser nor exempt from row security, owns nothing, and the schema has
// every migration that this binary knows. A service refuses to start otherwise.
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
	return db.verifySchema(ctx, migrations)
}

// verifySchema asks for each migration: two branches land theirs in either
// order, so the newest tells nothing of the rest.
func (db *DB) verifySchema(ctx context.Context, migrations fs.FS) error {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil || len(names) == 0 {
		return fmt.Errorf("no migrations: %w", err)
	}
	var applied []int64
	if err := db.pool.QueryRow(ctx, "select array_agg(version_id) from "+versionTable+" where is_applied").Scan(&applied); err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return err
		}
		if !slices.Contains(applied, version) {
			return fmt.Errorf("the schema lacks %s, which this binary needs: run migrate first", name)
		}
	}
	return nil
}
