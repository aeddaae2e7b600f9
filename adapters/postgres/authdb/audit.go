package authdb

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// audited adds to a change, given as a WITH clause in which "changed" holds the
// rows found, the entry of it in the tenant's audit trail: there is the one
// with the other, or neither. The entry's row lock makes changes of one tenant
// wait for one another until they commit, so in a batch it comes last.
func audited(tenant identity.TenantID, e login.Event, with string, args ...any) (string, []any) {
	return auditedAs(`$%d::text`, tenant, e, with, args...)
}

// auditedOf is audited where the change itself finds whom it concerns: the
// user_id in "changed".
func auditedOf(tenant identity.TenantID, e login.Event, with string, args ...any) (string, []any) {
	e.Subject = "user:{user}"
	return auditedAs(`replace($%d::text, 'user:{user}', 'user:' || (select user_id from changed limit 1))`, tenant, e, with, args...)
}

func auditedAs(event string, tenant identity.TenantID, e login.Event, with string, args ...any) (string, []any) {
	e.Sequence = 0
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and a time
	}
	t, ev := len(args)+1, fmt.Sprintf(event, len(args)+2)
	return with + fmt.Sprintf(`, head as (insert into audit_heads as h (tenant_id, sequence, hash)
			select $%[1]d::uuid, 1, sha256(uuid_send($%[1]d::uuid) || int8send(1) || convert_to(%[2]s, 'UTF8')) from changed limit 1
			on conflict (tenant_id) do update set sequence = h.sequence + 1, hash = sha256(h.hash || int8send(h.sequence + 1) || convert_to(%[2]s, 'UTF8'))
			returning sequence, hash),
		entry as (insert into audit_events (tenant_id, sequence, event, hash) select $%[1]d::uuid, sequence, %[2]s::json, hash from head)`, t, ev),
		append(args, tenant, string(text))
}

// queueEvent adds a change with its entry to a batch.
func queueEvent(b *pgx.Batch, tenant identity.TenantID, e login.Event, with string, args ...any) {
	sql, args := audited(tenant, e, with, args...)
	b.Queue(sql+` select 1 from changed`, args...)
}

// nothing is the change of an entry that tells of none.
const nothing = `with changed as (select)`

// change runs a change with its entry and reports whether it found its row.
func (s *Store) change(ctx context.Context, tenant identity.TenantID, e login.Event, with string, args ...any) (bool, error) {
	sql, args := audited(tenant, e, with, args...)
	n, err := s.exec(ctx, tenant, sql+` select 1 from changed`, args...)
	return n > 0, err
}

// Record adds an entry that tells of no change.
func (s *Store) Record(ctx context.Context, tenant identity.TenantID, e login.Event) error {
	_, err := s.change(ctx, tenant, e, nothing)
	return err
}

type entry struct {
	Sequence int64
	Event    json.RawMessage
	Hash     []byte
}

const selectEntries = `select sequence, event, hash from audit_events where tenant_id = $1 and sequence > $2 order by sequence limit $3`

// entries returns a tenant's, after a sequence, as db's role sees them.
func entries(ctx context.Context, db *postgres.DB, tenant identity.TenantID, after int64, limit int) (rows []entry, err error) {
	err = db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, selectEntries, tenant, after, limit) })
	return rows, err
}

// Audit lists a tenant's audit trail, oldest first; After.ID ends in the
// sequence of the entry before.
func (s *Store) Audit(ctx context.Context, who identity.Caller, r page.Request) (page.Result[login.Event], error) {
	rows, err := entries(ctx, s.app, who.Tenant, int64(binary.BigEndian.Uint64(r.After.ID[8:])), r.Limit+1)
	if err != nil {
		return page.Result[login.Event]{}, err
	}
	events := make([]login.Event, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row.Event, &events[i]); err != nil {
			return page.Result[login.Event]{}, err
		}
		events[i].Sequence = row.Sequence
	}
	return page.Cut(events, r.Limit, func(e login.Event) (k page.Key) {
		binary.BigEndian.PutUint64(k.ID[8:], uint64(e.Sequence))
		return k
	}), nil
}
