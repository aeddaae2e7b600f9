package login

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// The purposes of a mailed link, and how long it works.
const (
	ResetLink        = "reset"
	VerificationLink = "verification"

	LinkLife = 30 * time.Minute
)

// DueLink is a link that is to be mailed.
type DueLink struct {
	Tenant  identity.TenantID
	ID      uuid.UUID
	User    identity.UserID
	Purpose string
}

// Links keeps mailed links, of whose secrets it is handed hashes.
type Links interface {
	// AskReset makes a link for the person with an address due, if there is one
	// who may log in and has not asked too often. Either way it counts that
	// asked was asked for, so that it takes as long.
	AskReset(ctx context.Context, tenant identity.TenantID, email string, id uuid.UUID, e Event, asked Failure) error
	// AskVerification makes a link for the caller due, unless they asked too often;
	// resets do not count.
	AskVerification(ctx context.Context, who identity.Caller, id uuid.UUID) error
	// DueLinks returns a link of any tenant that is to be mailed, or none. It is
	// due again soon unless it is mailed.
	DueLinks(ctx context.Context) ([]DueLink, error)
	// Mailing stores the hash of a due link's secret, just before it is mailed,
	// and returns to whom. It returns fault.NotFound when it has expired.
	Mailing(ctx context.Context, l DueLink, hash []byte) (Credential, error)
	// Mailed settles a link.
	Mailed(ctx context.Context, l DueLink) error
	// Link returns whose a link is that works, or fault.NotFound.
	Link(ctx context.Context, tenant identity.TenantID, purpose string, hash []byte) (Credential, error)
	// Reset uses a link up, sets the hash of the password, marks the address as
	// verified and ends all that the person's logins gave. It returns
	// fault.NotFound when the link does not work.
	Reset(ctx context.Context, tenant identity.TenantID, link []byte, user identity.UserID, hash string, e Event) error
	// Verify uses a link up and marks the address as verified. It returns
	// fault.NotFound when the link does not work.
	Verify(ctx context.Context, tenant identity.TenantID, link []byte, user identity.UserID, e Event) error
}

// ErrLink says that a link does not work: it was used, has expired, or never was.
var ErrLink = fault.New(fault.NotFound, "link_unknown", "this link was used, or is older than half an hour")

// ResetPassword sets a password through a mailed link, given by its hash.
func (s *Service) ResetPassword(ctx context.Context, tenant identity.TenantID, link []byte, password string, e Event) error {
	c, err := s.Store.Link(ctx, tenant, ResetLink, link)
	if fault.Is(err, fault.NotFound) {
		return ErrLink
	}
	if err == nil {
		err = CheckPassword(password, c)
	}
	if err != nil {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	e.Action, e.Actor, e.Subject = PasswordReset, userSubject(c.User), userSubject(c.User)
	if err = s.Store.Reset(ctx, tenant, link, c.User, hash, e); fault.Is(err, fault.NotFound) {
		err = ErrLink
	}
	return err
}

// VerifyEmail marks a person's address as verified through a mailed link.
func (s *Service) VerifyEmail(ctx context.Context, tenant identity.TenantID, link []byte, e Event) error {
	c, err := s.Store.Link(ctx, tenant, VerificationLink, link)
	if err == nil {
		e.Action, e.Actor, e.Subject = EmailVerified, userSubject(c.User), userSubject(c.User)
		err = s.Store.Verify(ctx, tenant, link, c.User, e)
	}
	if fault.Is(err, fault.NotFound) {
		err = ErrLink
	}
	return err
}

// AskVerification mails the caller a link that verifies the address.
func (s *Service) AskVerification(ctx context.Context, who identity.Caller) error {
	if err := isPerson(who); err != nil {
		return err
	}
	return s.Store.AskVerification(ctx, who, uuid.Must(uuid.NewV7()))
}
