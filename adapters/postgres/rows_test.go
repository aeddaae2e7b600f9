package postgres_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
)

// everything has each kind of column that is decoded in place.
type everything struct {
	ID        uuid.UUID
	ParentID  *uuid.UUID
	Title     string
	Note      *string
	Number    int64
	Estimate  *int64
	Done      bool
	CreatedAt time.Time
	DueAt     *time.Time
	Labels    []string
	Assignees []uuid.UUID
}

const selectEverything = `select id, parent_id, title, note, number, estimate, done, created_at, due_at, labels, assignees from (values
	(uuid '0199a1b2-c3d4-7e5f-8a6b-000000000001', null::uuid, '', null::text, 0::bigint, null::bigint, false, timestamptz '2026-01-31 12:00:00.000001+02', null::timestamptz, '{}'::text[], '{}'::uuid[]),
	(uuid '0199a1b2-c3d4-7e5f-8a6b-000000000002', uuid '00000000-0000-0000-0000-000000000000', 'Größe 桌子 🪑', 'a', -9223372036854775808, 9223372036854775807, true,
		'1969-12-31 23:59:59.999999Z', '0001-01-01 00:00:00Z', array['', 'a,b', '"', '家具'], array[uuid '0199a1b2-c3d4-7e5f-8a6b-000000000009', uuid '0199a1b2-c3d4-7e5f-8a6b-000000000001']),
	('0199a1b2-c3d4-7e5f-8a6b-000000000003', '0199a1b2-c3d4-7e5f-8a6b-000000000001', repeat('x', 100000), '', 1, 0, true, '9999-12-31 23:59:59Z', '2026-02-28 17:00:00Z', null, null))
	v (id, parent_id, title, note, number, estimate, done, created_at, due_at, labels, assignees) order by title collate "C"`

func TestRowsAreReadAsPgxReadsThem(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations)
	var got []everything
	err := db.App.Tenant(t.Context(), uuid.New(), func(b *pgx.Batch) {
		postgres.Many(b, &got, selectEverything)
		b.Queue(selectEverything).Query(func(rows pgx.Rows) error {
			want, err := pgx.CollectRows(rows, pgx.RowToStructByName[everything])
			if len(want) != 3 || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRowsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations)
	for name, sql := range map[string]string{
		"NULL for a value": "select null::uuid as id, 'a' as body", "a column too many": "select gen_random_uuid() as id, 'a' as body, 1 as more",
		"a column too few": "select gen_random_uuid() as id", "another type": "select 1 as id, 'a' as body",
	} {
		var got []note
		if err := db.App.Tenant(t.Context(), uuid.New(), func(b *pgx.Batch) { postgres.Many(b, &got, sql) }); err == nil {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
}
