package usersdb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

const (
	attempt             = ` set attempt = attempt + (attempt_by is distinct from $3)::int, attempt_by = $3 where tenant_id = $1 and expires_at > $2 and `
	attemptRegistration = `update registrations` + attempt + `verified_at is null and status in ('pending', 'awaiting_verification') returning attempt`
	attemptInvitation   = `update invitations` + attempt + `id = $4 and status = 'pending' returning attempt`
)

// Attempt implements tenancy.Store.
func (s *Store) Attempt(ctx context.Context, l tenancy.Link, by string, at time.Time) (int64, error) {
	sql, args := attemptRegistration, []any{l.Tenant, at, by}
	if l.Invitation != uuid.Nil {
		sql, args = attemptInvitation, append(args, l.Invitation)
	}
	row, err := one[struct{ Attempt int64 }](ctx, s.db, l.Tenant, sql, args...)
	if fault.Is(err, fault.NotFound) {
		err = s.refusal(ctx, l, at)
	}
	return row.Attempt, err
}

// refusal returns why a link could not be used: it does not work any more, or
// another attempt came after.
func (s *Store) refusal(ctx context.Context, l tenancy.Link, at time.Time) error {
	var err error
	if l.Invitation == uuid.Nil {
		var r tenancy.Registration
		if r, err = s.Registration(ctx, l.Tenant); err == nil {
			err = r.Open(at)
		}
	} else {
		var i tenancy.Invitation
		if i, err = s.Invitation(ctx, identity.Caller{Tenant: l.Tenant}, l.Invitation); err == nil {
			err = i.Open(at)
		}
	}
	if err == nil {
		err = tenancy.ErrLinkOvertaken
	}
	return err
}
