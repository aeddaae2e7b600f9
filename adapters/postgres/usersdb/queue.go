package usersdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/tenancy"
)

// Queue implements tenancy.Queue over all tenants.
type Queue struct{ db *postgres.DB }

var _ tenancy.Queue = Queue{}

// NewQueue returns the queue in db, which is connected as users_system.
func NewQueue(db *postgres.DB) Queue { return Queue{db} }

// again is when what was taken and not settled is taken again: later than a mail
// server is waited for, or two would mail it.
const again = 30 * time.Second

const takeRegistrations = `update registrations set due_at = $2 where tenant_id in (
		select tenant_id from registrations where due_at <= $1 order by due_at limit 50 for update skip locked)
	returning tenant_id as id, slug, verified_at is not null as verified`

// DueRegistrations implements tenancy.Queue.
func (q Queue) DueRegistrations(ctx context.Context, at time.Time) (due []tenancy.Pending, err error) {
	err = q.db.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &due, takeRegistrations, at, at.Add(again)) })
	return due, err
}

const takeInvitations = `update invitations i set due_at = $2 from tenants t
	where t.tenant_id = i.tenant_id and (i.tenant_id, i.id) in (
		select tenant_id, id from invitations where due_at <= $1 order by due_at limit 1 for update skip locked)
	returning i.tenant_id, t.name as organisation, i.id, i.email, i.name, i.role, i.status, i.invited_by, i.created_at, i.expires_at`

type addressed struct {
	TenantID                  uuid.UUID
	Organisation              string
	ID                        uuid.UUID
	Email, Name, Role, Status string
	InvitedBy                 string
	CreatedAt, ExpiresAt      time.Time
}

// DueInvitations implements tenancy.Queue.
func (q Queue) DueInvitations(ctx context.Context, at time.Time) ([]tenancy.Addressed, error) {
	var rows []addressed
	err := q.db.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &rows, takeInvitations, at, at.Add(again)) })
	var due []tenancy.Addressed
	for _, r := range rows {
		due = append(due, tenancy.Addressed{TenantID: r.TenantID, Organisation: r.Organisation, Invitation: tenancy.Invitation{
			ID: r.ID, Email: r.Email, Name: r.Name, Role: r.Role, Status: r.Status, InvitedBy: r.InvitedBy, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
		}})
	}
	return due, err
}

// Purge drops what is over, a bounded number of rows at a time: registrations
// that became no tenant and invitations, thirty days after their link's life,
// since they name people of whom some never came. What no longer counts goes too.
func (q Queue) Purge(ctx context.Context) error {
	const over = "due_at is null and expires_at < now() - interval '30 days'"
	if err := postgres.Drop(ctx, q.db, "registrations", "status in ('expired', 'failed') and "+over); err != nil {
		return err
	}
	if err := postgres.Drop(ctx, q.db, "invitations", over); err != nil {
		return err
	}
	if err := postgres.Drop(ctx, q.db, "unanswered_registrations", "created_at < now() - interval '"+tenancy.MailSpan.String()+"'"); err != nil {
		return err
	}
	return postgres.PurgeReceipts(ctx, q.db)
}
