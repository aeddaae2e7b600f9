package authdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// insertSession waits for a change of the password that is under way, and adds
// nothing where the hash is no longer the one that was compared, or where so
// many guesses failed meanwhile that none may be tried: else a crowd of guesses
// at once, all compared before the first is counted, would be one guess.
const insertSession = `with person as (select user_id from credentials where tenant_id = $1 and user_id = $4 and password_hash = $9 and enabled
		and not exists (select from login_failures where tenant_id = $1 and key = any ($10) and blocked_until > now()) for share),
	changed as (insert into login_sessions (tenant_id, hash, id, user_id, authenticated_at, expires_at, network, user_agent, used_at)
		select $1, $2, $3, user_id, $5, $6, $7, $8, $5 from person returning id),
	forgiven as (delete from login_failures where tenant_id = $1 and key = $11 and exists (select from changed))
	select 1 from changed`

const insertedSession = `with changed as (select from login_sessions where tenant_id = $1 and id = $2)`

// takePlace puts a session that was added in another one's place. Who adds a code
// to that one, or exchanges it, is waited for, and so what they gave moves too.
var takePlace = []string{
	`select from login_sessions where tenant_id = $1 and user_id = $2 and id = $3 and ` + added + ` for update`,
	`update authorization_codes set session_id = $4 where tenant_id = $1 and user_id = $2 and session_id = $3 and ` + added,
	`update token_families set session_id = $4 where tenant_id = $1 and user_id = $2 and session_id = $3 and ` + added,
	`delete from login_sessions where tenant_id = $1 and user_id = $2 and id = $3 and ` + added,
}

const added = `exists (select from login_sessions where tenant_id = $1 and id = $4)`

// LoggedIn implements login.Sessions.
func (s *Store) LoggedIn(ctx context.Context, tenant identity.TenantID, secret []byte, at login.Session, hash string, keys [][]byte, e login.Event) error {
	var n int64
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &n, insertSession, tenant, secret, at.ID, at.UserID, at.AuthenticatedAt, at.ExpiresAt, at.Network, at.UserAgent, hash, keys, keys[0])
		if at.Replaces != uuid.Nil {
			for _, sql := range takePlace {
				b.Queue(sql, tenant, at.UserID, at.Replaces, at.ID)
			}
		}
		queueEvent(b, tenant, e, insertedSession, tenant, at.ID)
	})
	if err == nil && n == 0 {
		err = notFound()
	}
	return err
}

// sessionIdle is login.SessionIdle.
var sessionIdle = fmt.Sprintf(`interval '%d seconds'`, login.SessionIdle/time.Second)

var (
	sessionColumns = `id, user_id, authenticated_at, expires_at, network, user_agent, used_at <= now() - ` + sessionIdle + ` as idle, '00000000-0000-0000-0000-000000000000'::uuid as replaces`
	selectSession  = `with used as (update login_sessions set used_at = now() where tenant_id = $1 and hash = $2 and used_at > now() - ` + sessionIdle + ` and used_at < now() - interval '1 minute')
		select ` + sessionColumns + ` from login_sessions s where tenant_id = $1 and hash = $2 and expires_at > now()
		and exists (select from credentials c where c.tenant_id = $1 and c.user_id = s.user_id and enabled)`
	selectSessions = `select ` + sessionColumns + ` from login_sessions where tenant_id = $1 and user_id = $2 and expires_at > now()
		and (authenticated_at, id) > ($3, $4) order by authenticated_at, id limit $5`
)

// Session implements login.Sessions.
func (s *Store) Session(ctx context.Context, tenant identity.TenantID, hash []byte) (login.Session, error) {
	return one[login.Session](ctx, s.app, tenant, selectSession, tenant, hash)
}

// Sessions implements login.Sessions.
func (s *Store) Sessions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[login.Session], error) {
	var rows []login.Session
	err := s.app.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Many(b, &rows, selectSessions, who.Tenant, who.User, r.After.At, r.After.ID, r.Limit+1)
	})
	return page.Cut(rows, r.Limit, func(s login.Session) page.Key { return page.Key{At: s.AuthenticatedAt, ID: s.ID} }), err
}

var selectNewestSessions = `select ` + sessionColumns + ` from login_sessions where tenant_id = $1 and user_id = $2 and expires_at > now()
	and (authenticated_at, id) < (coalesce($3::timestamptz, 'infinity'), $4) order by authenticated_at desc, id desc limit $5`

// NewestSessions is Sessions the other way round.
func (s *Store) NewestSessions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[login.Session], error) {
	var rows []login.Session
	var before *time.Time
	if r.After != (page.Key{}) {
		before = &r.After.At
	}
	err := s.app.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Many(b, &rows, selectNewestSessions, who.Tenant, who.User, before, r.After.ID, r.Limit+1)
	})
	return page.Cut(rows, r.Limit, func(s login.Session) page.Key { return page.Key{At: s.AuthenticatedAt, ID: s.ID} }), err
}

var endFamiliesOf = `with ended as (update token_families set revoked_at = now() where tenant_id = $1 and session_id = $2 and revoked_at is null returning id)` + noteEnded("ended") + ` select`

// EndSession implements login.Sessions. The session goes first, and with it its
// codes: whatever was exchanged a moment ago is then seen as a family.
func (s *Store) EndSession(ctx context.Context, who identity.Caller, id uuid.UUID, e login.Event) error {
	_, err := postgres.Once(ctx, s.app, who, func(tx pgx.Tx) (bool, error) {
		tag, err := tx.Exec(ctx, `delete from login_sessions where tenant_id = $1 and user_id = $2 and id = $3`, who.Tenant, who.User, id)
		if err == nil && tag.RowsAffected() == 0 {
			err = notFound()
		}
		if err != nil {
			return false, err
		}
		b := &pgx.Batch{}
		b.Queue(endFamiliesOf, who.Tenant, id)
		queueEvent(b, who.Tenant, e, nothing)
		return true, tx.SendBatch(ctx, b).Close()
	})
	return err
}

var endExpired = `with changed as (update token_families f set revoked_at = now() from token_families h where h.tenant_id = $1 and h.id = $2
		and f.tenant_id = $1 and f.session_id = h.session_id and f.revoked_at is null
		and not exists (select from login_sessions where tenant_id = $1 and id = h.session_id and expires_at > now()) returning f.id, f.user_id)` + noteEnded("changed")

// EndExpired implements login.Sessions.
func (s *Store) EndExpired(ctx context.Context, tenant identity.TenantID, family uuid.UUID, e login.Event) error {
	sql, args := auditedOf(tenant, e, endExpired, tenant, family)
	_, err := s.exec(ctx, tenant, sql+` select`, args...)
	return err
}

// EndSessions implements login.Sessions.
func (s *Store) EndSessions(ctx context.Context, who identity.Caller, but uuid.UUID, e login.Event) error {
	_, err := postgres.Write(ctx, s.app, who, true, func(b *pgx.Batch) { queueEnding(b, who.Tenant, who.User, but, e) })
	return err
}

// Attempt returns the credential with an address, the zero one if there is
// none, and until when one of the keys may not try.
func (s *Store) Attempt(ctx context.Context, tenant identity.TenantID, email string, keys ...[]byte) (login.Credential, time.Time, error) {
	var c credential
	var found, blocked bool
	var until struct{ Until time.Time }
	err := s.app.Tenant(ctx, tenant, func(b *pgx.Batch) {
		postgres.One(b, &c, &found, `select `+credentialColumns+` from credentials where tenant_id = $1 and email = $2`, tenant, email)
		postgres.One(b, &until, &blocked, `select coalesce(max(blocked_until), '-infinity') as until from login_failures where tenant_id = $1 and key = any ($2) and expires_at > now() and blocked_until > now()
			having max(blocked_until) is not null`, tenant, keys)
	})
	return c.domain(), until.Until, err
}

const insertFailure = `insert into login_failures as f (tenant_id, key, failures, blocked_until, expires_at) values ($1, $2, 1, now(), now() + interval '1 day')
	on conflict (tenant_id, key) do update set failures = case when f.expires_at > now() then f.failures else 0 end + 1, expires_at = now() + interval '1 day'
	returning failures`

// Failed counts a failure of each key and blocks it for as long as its delay says.
func (s *Store) Failed(ctx context.Context, tenant identity.TenantID, e login.Event, failed ...login.Failure) error {
	return s.counted(ctx, tenant, failed, func(b *pgx.Batch) { queueEvent(b, tenant, e, nothing) })
}

// counted counts a failure of each key, blocks it, and does what queue queues.
func (s *Store) counted(ctx context.Context, tenant identity.TenantID, failed []login.Failure, queue func(b *pgx.Batch)) error {
	return s.app.Tx(ctx, tenant, func(tx pgx.Tx) error {
		counts := make([]int, len(failed))
		count, block := &pgx.Batch{}, &pgx.Batch{}
		for i, f := range failed {
			count.Queue(insertFailure, tenant, f.Key).QueryRow(func(row pgx.Row) error { return row.Scan(&counts[i]) })
		}
		if err := tx.SendBatch(ctx, count).Close(); err != nil {
			return err
		}
		for i, f := range failed {
			block.Queue(`update login_failures set blocked_until = now() + $3::interval where tenant_id = $1 and key = $2`, tenant, f.Key, f.Delay(counts[i]))
		}
		queue(block)
		return tx.SendBatch(ctx, block).Close()
	})
}
