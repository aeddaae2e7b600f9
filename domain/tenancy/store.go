package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Store keeps registrations, tenants, users and invitations, each tenant's
// behind its own wall. A registration's wall is that of the tenant it becomes.
type Store interface {
	RegistrationStore
	PeopleStore
	// Begun settles p for Silence, or for good where it has ended, unless it was
	// verified since.
	Begun(ctx context.Context, p Pending) error
	// Attempt counts the attempts to use a link that works: it returns a number
	// higher than all before, or, to the same by as last time, the same number.
	// It returns what Open of the registration or invitation does.
	Attempt(ctx context.Context, l Link, by string, at time.Time) (int64, error)
	// Settled settles an invitation, unless its status is no longer the one
	// named: for good, or one that is pending until Grace after its link's life.
	Settled(ctx context.Context, tenant identity.TenantID, id uuid.UUID, status string) error
}

// RegistrationStore keeps how companies become tenants.
type RegistrationStore interface {
	// Register stores r, due at once, and claims its slug. It returns
	// ErrSlugTaken when another registration has the slug, and fault.Throttled
	// when the address has had MaxMails within MailSpan before r, however many ask
	// at once. When who's Idempotency-Key was used before for
	// the same request it returns what was stored then.
	Register(ctx context.Context, who identity.Caller, r Registration) (Registration, error)
	// Registration returns fault.NotFound when there is none.
	Registration(ctx context.Context, id identity.TenantID) (Registration, error)
	// Verify notes that the owner has opened the link and set a password, and
	// makes the registration due. It returns what Registration.Open does,
	// ErrLinkOvertaken when the attempt is not the last, or, to the same request
	// again, what it returned first.
	Verify(ctx context.Context, who identity.Caller, attempt int64, at time.Time) (Registration, error)
	// Verified returns what Verify answered to the same request, if it did.
	Verified(ctx context.Context, who identity.Caller) (Registration, bool, error)
	// Record notes a step's state and, if p.Status is not empty, that of a
	// registration that is still pending. A step that is done is not begun
	// again, and a registration that ended does not go on, but for what comes
	// AfterEnd: then nothing happens.
	Record(ctx context.Context, id identity.TenantID, p Progress) error
	// Expire ends a registration that nobody verified, frees its slug, and
	// reports whether it is expired: false if it was verified in the meantime.
	Expire(ctx context.Context, id identity.TenantID) (bool, error)
	// Fail ends a registration that cannot be carried through and frees its slug;
	// one that has ended keeps its end.
	Fail(ctx context.Context, id identity.TenantID, f Failure) error

	// AddTenant and AddOwner store the tenant, and its first user, of a
	// registration that is being provisioned; again they change nothing.
	AddTenant(ctx context.Context, t Tenant) error
	AddOwner(ctx context.Context, tenant identity.TenantID, u User) error
	// RemoveTenant removes a tenant that never became active with all of its
	// rows but the registration; RemoveOwner its first user.
	RemoveTenant(ctx context.Context, tenant identity.TenantID) error
	RemoveOwner(ctx context.Context, tenant identity.TenantID, user identity.UserID) error
	// Activate opens the tenant and ends its registration.
	Activate(ctx context.Context, tenant identity.TenantID, at time.Time) error
}

// PeopleStore keeps a tenant and its people.
type PeopleStore interface {
	// Tenant returns fault.NotFound when the caller's tenant does not exist.
	Tenant(ctx context.Context, who identity.Caller) (Tenant, error)
	// User and Users return people of the caller's tenant; fault.NotFound for others.
	User(ctx context.Context, who identity.Caller, id identity.UserID) (User, error)
	Users(ctx context.Context, who identity.Caller, r page.Request) (page.Result[User], error)

	// SetUserStatus returns fault.NotFound when there is no such person, and the
	// first answer to the same request again.
	SetUserStatus(ctx context.Context, who identity.Caller, id identity.UserID, status string) (User, error)
	// SetTenantStatus moves the tenant between active and suspended. It returns
	// ErrNotActive when the tenant is neither.
	SetTenantStatus(ctx context.Context, tenant identity.TenantID, status string) error

	// Invite stores i, whose mail is due at once. It returns fault.Conflict
	// when a user, or an invitation that is still open at i.CreatedAt, has the
	// e-mail address, fault.Throttled when the address has had MaxMails of the tenant within
	// MailSpan before i, and the first invitation to the same request again.
	Invite(ctx context.Context, who identity.Caller, i Invitation) (Invitation, error)
	// Invitation and Invitations return those of the caller's tenant.
	Invitation(ctx context.Context, who identity.Caller, id uuid.UUID) (Invitation, error)
	Invitations(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Invitation], error)
	// Withdraw ends an invitation that nobody has accepted, and makes it due after
	// Grace. It returns fault.NotFound when there is none, and ErrAccepted.
	Withdraw(ctx context.Context, who identity.Caller, id uuid.UUID, at time.Time) error
	// Accept makes u, whose id is the invitation's, a user, closes the
	// invitation and makes it due, as one change. It returns what Invitation.Open does,
	// ErrLinkOvertaken when the attempt is not the last, or, to the same request
	// again, what it returned first.
	Accept(ctx context.Context, who identity.Caller, attempt int64, u User) (User, error)
	// Accepted returns what Accept answered to the same request, if it did.
	Accepted(ctx context.Context, who identity.Caller) (User, bool, error)
}

// Queue finds, over all tenants, what a process that died has left over. Each
// is given to one taker at a time and becomes due again when the taker does
// not settle it.
type Queue interface {
	// DueRegistrations takes registrations whose onboarding must be begun or told.
	DueRegistrations(ctx context.Context, at time.Time) ([]Pending, error)
	// DueInvitations takes a pending invitation whose mail must be sent, or an
	// accepted one whose role must be given and login opened, or one that is
	// over and whose credential must go, or none.
	DueInvitations(ctx context.Context, at time.Time) ([]Addressed, error)
}

// MaxMails is how many mails one address is sent within MailSpan, for registrations
// that nobody has verified or for invitations of one tenant: it may be anybody's.
const (
	MaxMails = 10
	MailSpan = time.Hour
)

// Grace is how long after an invitation's end somebody may still be in the
// middle of accepting it: longer than any request takes.
const Grace = 2 * time.Minute

// Silence is how long an onboarding that was begun is left alone. Then it is
// begun again, which changes nothing unless Temporal has lost it, or an
// operator has terminated it.
const Silence = time.Hour

// Pending is a registration that waits for its onboarding to be begun or told.
type Pending struct {
	ID       identity.TenantID
	Slug     string
	Verified bool
}

// Addressed is an invitation with what its mail needs.
type Addressed struct {
	TenantID     identity.TenantID
	Organisation string
	Invitation
}
