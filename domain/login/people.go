package login

import (
	"context"
	"time"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// AccessTokenLife is how long an access token lives. RevocationLife is how long
// services are told of a revocation: until every token from before it has
// expired, by whatever clock.
const (
	AccessTokenLife = 10 * time.Minute
	RevocationLife  = AccessTokenLife + 2*time.Minute
)

// People keeps credentials, each tenant's behind its wall. Each change is one
// with its entry in the audit trail.
type People interface {
	// PutCredential makes or replaces a credential; what it gave before ends. A
	// closed one is chosen through a mailed link: it replaces none of a higher
	// attempt, and none that was ever open, whose password is the person's to
	// change. It returns fault.Conflict when another user of the tenant has the
	// address.
	PutCredential(ctx context.Context, tenant identity.TenantID, c Credential, e Event) error
	// EnableCredential lets a person log in; again it adds no entry. It returns
	// fault.NotFound when there is no credential.
	EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e Event) error
	// DisableCredential ends a person's sessions and tokens and lets nobody log
	// in; again it adds no entry. It returns fault.NotFound when there is no
	// credential.
	DisableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e Event) error
	// DropCredential removes a credential, if there is one, with the person's
	// sessions and tokens.
	DropCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, e Event) error
	// SuspendTenant ends the tenant's tokens and gives it no others until
	// ResumeTenant; again each changes nothing.
	SuspendTenant(ctx context.Context, tenant identity.TenantID, e Event) error
	ResumeTenant(ctx context.Context, tenant identity.TenantID, e Event) error
}

// Trail is the audit trail.
type Trail interface {
	// Audit lists the events of the caller's tenant, oldest first.
	Audit(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Event], error)
}

// PutCredential keeps a credential with the hash of the password, or, where
// people come from elsewhere, with the hash that it has; it is for our own
// services, as are Enable, Disable, Drop, Suspend and Resume.
func (s *Service) PutCredential(ctx context.Context, who identity.Caller, c Credential, password string) error {
	c.Email = Normal(c.Email)
	if c.Hash != "" {
		if err := s.Hasher.Check(c.Hash); err != nil {
			return err
		}
		return s.Store.PutCredential(ctx, who.Tenant, c, EventOf(who, PasswordSet, userSubject(c.User)))
	}
	if err := CheckPassword(password, c); err != nil {
		return err
	}
	var err error
	if c.Hash, err = s.Hasher.Hash(ctx, password); err != nil {
		return err
	}
	return s.Store.PutCredential(ctx, who.Tenant, c, EventOf(who, PasswordSet, userSubject(c.User)))
}

// Enable lets a person log in. by is the subject for whom our service acts;
// empty: for itself.
func (s *Service) Enable(ctx context.Context, who identity.Caller, user identity.UserID, by string) error {
	return s.Store.EnableCredential(ctx, who.Tenant, user, eventBy(who, by, PersonEnabled, userSubject(user)))
}

// Disable ends a person's sessions and tokens and lets nobody log in.
func (s *Service) Disable(ctx context.Context, who identity.Caller, user identity.UserID, by string) error {
	return s.Store.DisableCredential(ctx, who.Tenant, user, eventBy(who, by, PersonDisabled, userSubject(user)))
}

// Drop removes a person's credential, sessions and tokens.
func (s *Service) Drop(ctx context.Context, who identity.Caller, user identity.UserID) error {
	return s.Store.DropCredential(ctx, who.Tenant, user, EventOf(who, PersonRemoved, userSubject(user)))
}

// Suspend ends the tokens of the caller's tenant and gives it no others.
func (s *Service) Suspend(ctx context.Context, who identity.Caller) error {
	return s.Store.SuspendTenant(ctx, who.Tenant, EventOf(who, TenantSuspended, "tenant"))
}

// Resume opens a suspended tenant again.
func (s *Service) Resume(ctx context.Context, who identity.Caller) error {
	return s.Store.ResumeTenant(ctx, who.Tenant, EventOf(who, TenantResumed, "tenant"))
}

// Audit lists the audit trail of the caller's tenant.
func (s *Service) Audit(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Event], error) {
	if err := s.Gate.Allow(ctx, who, AuditRead); err != nil {
		return page.Result[Event]{}, err
	}
	return s.Store.Audit(ctx, who, r)
}

func userSubject(user identity.UserID) string { return identity.Caller{User: user}.Subject() }

func eventBy(who identity.Caller, by, action, subject string) Event {
	e := EventOf(who, action, subject)
	if by != "" {
		e.Actor = by
	}
	return e
}
