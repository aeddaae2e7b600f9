package usersdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

const (
	lockAddress        = `select pg_advisory_xact_lock(hashtextextended($1, 0))` // so that no two count at once
	insertRegistration = `with changed as (insert into registrations (tenant_id, slug, organisation, owner_id, owner_name, email, redirect_uris, first_client, status, created_at, expires_at, due_at)
		select $1, $2, $3, $4, $5, $6::text, $7, $8, $9, $10::timestamptz, $11, $10
		where (select count(*) from unanswered_registrations where address = $14 and created_at > $10::timestamptz - $12::interval) < $13
		returning tenant_id, slug, email, created_at),
	slug as (insert into slugs (slug, tenant_id) select slug, tenant_id from changed),
	unanswered as (insert into unanswered_registrations (tenant_id, address, created_at) select tenant_id, $14, created_at from changed)`
	// oldestUnanswered is the first that counts no more.
	oldestUnanswered = `select created_at from unanswered_registrations where address = $1 and created_at > $2::timestamptz - $3::interval
		order by created_at desc offset $4 limit 1`
)

// Register implements tenancy.Store.
func (s *Store) Register(ctx context.Context, who identity.Caller, r tenancy.Registration) (tenancy.Registration, error) {
	address := mailbox(r.Email)
	got, found, err := postgres.Change(ctx, s.db.Behind(lockAddress, hex.EncodeToString(address)), who, r, insertRegistration, r.ID, r.Slug, r.Organisation, r.OwnerID, r.OwnerName, r.Email,
		r.RedirectURIs, r.FirstClient, r.Status, r.CreatedAt, r.ExpiresAt, tenancy.MailSpan, tenancy.MaxMails, address)
	switch {
	case postgres.Violates(err, "slugs_pkey"):
		err = tenancy.ErrSlugTaken
	case err == nil && !found:
		var wait time.Duration
		if wait, err = s.wait(ctx, who.Tenant, r.CreatedAt, oldestUnanswered, address, r.CreatedAt, tenancy.MailSpan, tenancy.MaxMails-1); err == nil {
			err = tenancy.ErrTooManyRegistrations(wait)
		}
	}
	return got, err
}

var domains = idna.New(idna.MapForLookup(), idna.StrictDomainName(false))

// mailbox is the same for all spellings of one mailbox's address: mail goes to
// ａｃｍｅ.example as to acme.example (UTS 46), and a name of n letters has 2^n such.
func mailbox(email string) []byte {
	at := strings.LastIndexByte(email, '@') + 1
	domain, _ := domains.ToASCII(email[at:]) // what is no name stays as it is, nearly
	sum := sha256.Sum256([]byte(norm.NFC.String(email[:at]) + domain))
	return sum[:]
}

// wait returns how long after at the mail counts whose time sql asks for, or zero
// where there is none.
func (s *Store) wait(ctx context.Context, tenant identity.TenantID, at time.Time, sql string, args ...any) (time.Duration, error) {
	var oldest struct{ CreatedAt time.Time }
	var found bool
	err := s.db.Tenant(ctx, tenant, func(b *pgx.Batch) { postgres.One(b, &oldest, &found, sql, args...) })
	if err != nil || !found {
		return 0, err
	}
	return oldest.CreatedAt.Add(tenancy.MailSpan).Sub(at), nil
}

// registration is a row.
type registration struct {
	TenantID, OwnerID, FirstClient       uuid.UUID
	Slug, Organisation, OwnerName, Email string
	RedirectURIs                         []string `db:"redirect_uris"`
	Status                               tenancy.Status
	Steps                                map[tenancy.StepName]step
	Failure                              *tenancy.Failure
	CreatedAt, ExpiresAt                 time.Time
}

type step struct {
	State tenancy.State `json:"state"`
	At    *time.Time    `json:"at"`
}

func (r registration) domain() tenancy.Registration {
	out := tenancy.Registration{
		ID: r.TenantID, TenantID: r.TenantID, Slug: r.Slug, Status: r.Status, Failure: r.Failure, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
		Organisation: r.Organisation, OwnerName: r.OwnerName, Email: r.Email, RedirectURIs: r.RedirectURIs, OwnerID: r.OwnerID, FirstClient: r.FirstClient,
	}
	for name, s := range r.Steps {
		out.Steps = append(out.Steps, tenancy.Step{Name: name, State: s.State, At: s.At})
	}
	return out
}

const selectRegistration = `select tenant_id, owner_id, first_client, slug, organisation, owner_name, email, redirect_uris, status, steps, failure, created_at, expires_at
	from registrations where tenant_id = $1`

// Registration implements tenancy.Store.
func (s *Store) Registration(ctx context.Context, id identity.TenantID) (tenancy.Registration, error) {
	r, err := one[registration](ctx, s.db, id, selectRegistration, id)
	return r.domain(), err
}

const verify = `with changed as (update registrations set verified_at = $2, due_at = $2, status = 'provisioning',
		steps = steps || jsonb_build_object('verification', jsonb_build_object('state', 'done', 'at', $2::timestamptz))
	where tenant_id = $1 and verified_at is null and status in ('pending', 'awaiting_verification') and expires_at > $2 and attempt = $3 returning tenant_id),
	answered as (delete from unanswered_registrations u using changed c where u.tenant_id = c.tenant_id)`

// Verify implements tenancy.Store.
func (s *Store) Verify(ctx context.Context, who identity.Caller, attempt int64, at time.Time) (tenancy.Registration, error) {
	r, err := s.Registration(ctx, who.Tenant)
	if err != nil {
		return r, err
	}
	r.Status = tenancy.StatusProvisioning
	r.Steps = append(r.Steps, tenancy.Step{Name: tenancy.Verification, State: tenancy.StepDone, At: &at})
	got, found, err := postgres.Change(ctx, s.db, who, r, verify, who.Tenant, at, attempt)
	if err == nil && !found {
		err = s.refusal(ctx, tenancy.Link{Tenant: who.Tenant}, at)
	}
	return got, err
}

// Verified implements tenancy.Store.
func (s *Store) Verified(ctx context.Context, who identity.Caller) (tenancy.Registration, bool, error) {
	return postgres.Replay[tenancy.Registration](ctx, s.db, who)
}

// record moves no registration back: its owner may have answered a mail that is
// still being sent.
const record = `update registrations set status = case when status = 'pending' then coalesce(nullif($4, ''), status) else status end,
		steps = steps || jsonb_build_object($2::text, jsonb_build_object('state', $3::text, 'at', $5::timestamptz))
	where tenant_id = $1 and (status not in ('active', 'expired', 'failed') or $2 in ('send_welcome', 'send_failure'))
	and (steps -> $2 ->> 'state' is distinct from 'done' or $3 = 'undone')`

// Record implements tenancy.Store.
func (s *Store) Record(ctx context.Context, id identity.TenantID, p tenancy.Progress) error {
	return s.exec(ctx, id, record, id, string(p.Step), string(p.State), string(p.Status), p.At)
}

const (
	expire = `update registrations set status = 'expired', due_at = null
		where tenant_id = $1 and verified_at is null and status in ('pending', 'awaiting_verification', 'expired')`
	fail = `update registrations set status = 'failed', failure = $2, due_at = null
		where tenant_id = $1 and status not in ('active', 'expired', 'failed')`
	// freeSlug runs after the row has ended, and only then.
	freeSlug = `delete from slugs where tenant_id = $1 and exists (select from registrations where tenant_id = $1 and status in ('expired', 'failed'))`
)

// Expire implements tenancy.Store.
func (s *Store) Expire(ctx context.Context, id identity.TenantID) (bool, error) {
	var n int64
	err := s.db.Tenant(ctx, id, func(b *pgx.Batch) {
		postgres.Affected(b, &n, expire, id)
		b.Queue(freeSlug, id)
	})
	return n > 0, err
}

// Fail implements tenancy.Store.
func (s *Store) Fail(ctx context.Context, id identity.TenantID, f tenancy.Failure) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.db.Tenant(ctx, id, func(b *pgx.Batch) {
		b.Queue(fail, id, json.RawMessage(body))
		b.Queue(freeSlug, id)
	})
}

const begun = `update registrations set due_at = $3
	where tenant_id = $1 and (verified_at is not null) = $2 and status not in ('active', 'expired', 'failed')`

// Begun implements tenancy.Store.
func (s *Store) Begun(ctx context.Context, p tenancy.Pending) error {
	return s.exec(ctx, p.ID, begun, p.ID, p.Verified, time.Now().Add(tenancy.Silence))
}
