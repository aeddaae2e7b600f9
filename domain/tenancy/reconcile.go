package tenancy

import (
	"context"
	"errors"
	"time"

	"bailiwick.dev/domain/fault"
)

// BeginRegistrations begins onboardings that are due. What fails is due again
// soon. It returns the failures.
func BeginRegistrations(ctx context.Context, q Queue, s *Service) error {
	registrations, err := q.DueRegistrations(ctx, time.Now())
	failed := []error{err}
	for _, p := range registrations {
		if err := s.Onboarding.Begin(ctx, p); err != nil {
			failed = append(failed, err)
			continue
		}
		failed = append(failed, s.Store.Begun(ctx, p))
	}
	return errors.Join(failed...)
}

// CarryOnInvitations mails invitations that are due, lets in those who accepted
// and forgets the passwords of those who never quite did, until none is left or
// one fails: it is due again soon, unless the mail server refuses the address for
// good, or the role is gone.
func CarryOnInvitations(ctx context.Context, q Queue, s *Service, m Mailer, l Letters) error {
	for {
		due, err := q.DueInvitations(ctx, time.Now())
		if err != nil || len(due) == 0 {
			return err
		}
		for _, a := range due {
			if err := s.carryOn(ctx, a, m, l); err != nil {
				return err
			}
		}
	}
}

func (s *Service) carryOn(ctx context.Context, a Addressed, m Mailer, l Letters) error {
	var refused error
	status := a.As(time.Now()).Status
	switch status {
	case InvitationAccepted:
		return s.Grant(ctx, a)
	case InvitationExpired, InvitationWithdrawn: // a credential that was made before a crash would keep the address
		if err := s.Credentials.DeleteCredential(ctx, a.TenantID, a.ID); err != nil {
			return err
		}
	case InvitationPending:
		if refused = m.Send(ctx, l.Invitation(a)); refused != nil && !fault.Is(refused, fault.Invalid) {
			return refused
		}
	}
	return errors.Join(refused, s.Store.Settled(ctx, a.TenantID, a.ID, status))
}
