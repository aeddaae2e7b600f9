package tenancy

import (
	"context"
	"errors"
	"time"
)

// Reconcile does what is due, whoever left it over: it begins onboardings,
// mails invitations and lets in those who accepted. What fails is due again
// soon. It returns the failures.
func Reconcile(ctx context.Context, q Queue, s *Service, m Mailer, l Letters) error {
	registrations, err := q.DueRegistrations(ctx, time.Now())
	failed := []error{err}
	for _, p := range registrations {
		if err := s.Onboarding.Begin(ctx, p); err != nil {
			failed = append(failed, err)
			continue
		}
		failed = append(failed, s.Store.Begun(ctx, p))
	}
	invitations, err := q.DueInvitations(ctx, time.Now())
	failed = append(failed, err)
	for _, a := range invitations {
		failed = append(failed, s.carryOn(ctx, a, m, l))
	}
	return errors.Join(failed...)
}

func (s *Service) carryOn(ctx context.Context, a Addressed, m Mailer, l Letters) error {
	switch a.As(time.Now()).Status {
	case InvitationAccepted:
		return s.Grant(ctx, a)
	case InvitationPending:
		if err := m.Send(ctx, l.Invitation(a)); err != nil {
			return err
		}
	}
	return s.Store.Settled(ctx, a.TenantID, a.ID, InvitationPending)
}
