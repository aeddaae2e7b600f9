package usersdb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

const (
	insertSlug         = `insert into slugs (slug, tenant_id) values ($1, $2)`
	insertRegistration = `insert into registrations (tenant_id, slug, organisation, owner_id, owner_name, email, redirect_uris, first_client, status, created_at, expires_at, due_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)`
)

// Register implements tenancy.Store.
func (s *Store) Register(ctx context.Context, who identity.Caller, r tenancy.Registration) (tenancy.Registration, error) {
	got, err := postgres.Write(ctx, s.db, who, r, func(b *pgx.Batch) {
		b.Queue(insertSlug, r.Slug, r.ID)
		b.Queue(insertRegistration, r.ID, r.Slug, r.Organisation, r.OwnerID, r.OwnerName, r.Email, r.RedirectURIs, r.FirstClient, r.Status, r.CreatedAt, r.ExpiresAt)
	})
	if postgres.Violates(err, "slugs_pkey") {
		return r, tenancy.ErrSlugTaken
	}
	return got, err
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
	where tenant_id = $1 and verified_at is null and status in ('pending', 'awaiting_verification') and expires_at > $2 returning tenant_id)`

// Verify implements tenancy.Store.
func (s *Store) Verify(ctx context.Context, who identity.Caller, at time.Time) (tenancy.Registration, error) {
	r, err := s.Registration(ctx, who.Tenant)
	if err != nil {
		return r, err
	}
	r.Status = tenancy.StatusProvisioning
	r.Steps = append(r.Steps, tenancy.Step{Name: tenancy.Verification, State: tenancy.StepDone, At: &at})
	got, found, err := postgres.Change(ctx, s.db, who, r, verify, who.Tenant, at)
	if err == nil && !found {
		if err = tenancy.ErrLinkUsed; !at.Before(r.ExpiresAt) {
			err = tenancy.ErrLinkExpired
		}
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
	where tenant_id = $1 and (status not in ('active', 'expired', 'failed') or $2 = 'send_welcome')
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
