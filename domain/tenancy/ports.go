package tenancy

import (
	"context"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// Credential is what a person logs in with.
type Credential struct {
	User                                identity.UserID
	Email, Name, Organisation, Password string
	Attempt                             int64 // at the mailed link, as Store.Attempt counts them
	Enabled                             bool
}

// Client is the OAuth client that a new tenant begins with: public, so it
// proves itself by PKCE.
type Client struct {
	ID           uuid.UUID
	Name         string
	RedirectURIs []string
}

// Credentials is the auth service, as far as people log in with it.
type Credentials interface {
	// PutCredential makes, or replaces, the credential of c.User; a closed one
	// changes nothing where a higher attempt's is kept, or one that was ever
	// open. It returns fault.Invalid, pointing at /password, when the password
	// breaks a rule, and fault.Conflict when another user of the tenant has the
	// e-mail address.
	PutCredential(ctx context.Context, tenant identity.TenantID, c Credential) error
	// EnableCredential lets the user log in; it returns fault.NotFound when
	// there is no credential.
	EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error
	// DisableCredential ends the user's sessions and tokens and lets the user
	// not log in, on behalf of the subject by.
	DisableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, by string) error
	// SuspendTenant ends the tenant's tokens and gives it no others until
	// ResumeTenant; again each changes nothing.
	SuspendTenant(ctx context.Context, tenant identity.TenantID) error
	ResumeTenant(ctx context.Context, tenant identity.TenantID) error
	// DeleteCredential removes the credential, if there is one.
	DeleteCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error
}

// Clients is the auth service, as far as programs are known to it.
type Clients interface {
	// PutClient makes the client; the same client again changes nothing.
	PutClient(ctx context.Context, tenant identity.TenantID, c Client) error
	// DeleteClient removes the client, if there is one.
	DeleteClient(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error
}

// Roles is the authorization service.
type Roles interface {
	// Seed gives the tenant the roles that every tenant begins with; again it
	// changes nothing.
	Seed(ctx context.Context, tenant identity.TenantID) error
	// Unseed removes everything that the authorization service keeps for the
	// tenant, if there is anything.
	Unseed(ctx context.Context, tenant identity.TenantID) error
	// Givable returns the role's id if the subject may give others the role, without
	// end; fault.NotFound when there is no such role, or fault.Forbidden.
	Givable(ctx context.Context, tenant identity.TenantID, by access.Subject, role string) (uuid.UUID, error)
	// PutAssignment gives the user the role; again it changes nothing. It
	// returns fault.NotFound when there is no such role.
	PutAssignment(ctx context.Context, tenant identity.TenantID, user identity.UserID, role string) error
	// Holds reports whether the user holds a permission.
	Holds(ctx context.Context, tenant identity.TenantID, user identity.UserID, p access.Permission) (bool, error)
}

// Mail is a message with one thing to do.
type Mail struct {
	ID      string // the same for the same message: a receiver tells a repetition by it
	To      string
	Name    string // of the receiver
	Subject string
	Text    []string // paragraphs before the link
	Link    string   // empty: there is nothing to do
	Action  string   // what the link is for
	After   []string // paragraphs after it
}

// Mailer hands mail to a mail server.
type Mailer interface {
	// Send returns nil once the server took the message, fault.Invalid when it
	// never will, and fault.Unavailable when it may later. A message may
	// arrive twice, with the same ID, if the answer was lost.
	Send(ctx context.Context, m Mail) error
}

// Onboarding carries a registration through, whatever crashes.
type Onboarding interface {
	// Begin starts the work, or finds it begun; with p verified it also tells
	// it so. It returns fault.Unavailable when it cannot now; a reconciler
	// tries again.
	Begin(ctx context.Context, p Pending) error
}
