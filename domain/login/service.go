package login

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Store keeps the clients and credentials of all tenants, each behind its wall.
type Store interface {
	// AddClient stores c, or returns what the same request stored first.
	AddClient(ctx context.Context, who identity.Caller, c Client) (Client, error)
	// Clients lists the tenant's clients, oldest first.
	Clients(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Client], error)
	// Client returns one of the caller's tenant, or fault.NotFound.
	Client(ctx context.Context, who identity.Caller, id string) (Client, error)
	// ChangeClient stores c, which was another, where the version is the one before
	// c's. It returns fault.Precondition when another change was quicker.
	ChangeClient(ctx context.Context, who identity.Caller, was, c Client) (Client, error)
	// DeleteClient removes a client with its tokens. It returns fault.NotFound
	// when there is none, and fault.Precondition when it has another version.
	DeleteClient(ctx context.Context, who identity.Caller, id string, version int64) error

	// SetFirstParty marks a client as the platform operator's own, or no longer
	// so. It returns fault.NotFound when there is none.
	SetFirstParty(ctx context.Context, tenant identity.TenantID, id string, firstParty bool) error
	// PutClient makes a client unless it is there, and DropClient removes it if it
	// is: they are for our own services, and again change nothing.
	PutClient(ctx context.Context, tenant identity.TenantID, c Client) error
	DropClient(ctx context.Context, tenant identity.TenantID, id string) error

	People
	Sessions
	Consents
	Passwords
	Links
	Throttle
	Devices
	Trail
}

// Hasher hashes passwords slowly, a few at a time.
type Hasher interface {
	// Hash returns a PHC string, or fault.Unavailable when too many wait.
	Hash(ctx context.Context, password string) (string, error)
	// Verify reports whether the password is the hash's. An empty hash is
	// nobody's and takes as long as any other. It returns fault.Unavailable when
	// too many wait.
	Verify(ctx context.Context, hash, password string) (bool, error)
	// Check returns fault.Invalid, pointing at /password_hash, when a hash that
	// comes from elsewhere cannot be compared with in bounded time.
	Check(hash string) error
}

// Roles is what the authorization service knows of clients.
type Roles interface {
	// Covers returns nil if a subject holds all that another has been given, else
	// fault.Forbidden.
	Covers(ctx context.Context, tenant identity.TenantID, by, other access.Subject) error
}

// Service holds the use cases of clients and credentials.
type Service struct {
	Store     Store
	Gate      access.Gate
	Roles     Roles
	Hasher    Hasher
	SecretKey []byte // from which clients' secrets are derived
}

// CreateClient makes a client. A confidential one is given a secret: see Secret.
func (s *Service) CreateClient(ctx context.Context, who identity.Caller, d ClientDraft) (Client, error) {
	if err := s.Gate.Allow(ctx, who, ClientsWrite); err != nil {
		return Client{}, err
	}
	c, err := d.Client(uuid.Must(uuid.NewV7()).String(), now())
	if err != nil {
		return c, err
	}
	s.seal(&c)
	return s.Store.AddClient(ctx, who, c)
}

// shaped returns a client of the tenant which the caller may shape: who becomes it,
// by a new secret or key of theirs, can do what its roles give, and so must hold
// that already. It returns fault.NotFound or fault.Forbidden.
func (s *Service) shaped(ctx context.Context, who identity.Caller, id string) (Client, error) {
	if err := s.Gate.Allow(ctx, who, ClientsWrite); err != nil {
		return Client{}, err
	}
	c, err := s.Store.Client(ctx, who, id)
	if by, of := access.SubjectOf(who), (access.Subject{Client: id}); err == nil && by != of && !who.IsPlatform() {
		err = s.Roles.Covers(ctx, who.Tenant, by, of)
	}
	return c, err
}

// ChangeClient changes a client whose version is the one named, or returns
// fault.Precondition. It returns fault.Forbidden if the client's roles give what
// the caller lacks. People are asked again for their consent to a client that is
// answered at another address than before.
func (s *Service) ChangeClient(ctx context.Context, who identity.Caller, id string, version int64, p ClientPatch) (Client, error) {
	was, err := s.shaped(ctx, who, id)
	if err != nil {
		return was, err
	}
	if was.Version != version && who.Request.Once == nil { // a repetition is answered by the store
		return was, Stale()
	}
	was.Version = version
	c, err := p.to(was)
	if err == nil {
		err = c.mayBecome(was, who)
	}
	if err != nil {
		return c, err
	}
	return s.Store.ChangeClient(ctx, who, was, c)
}

// Clients lists the tenant's clients.
func (s *Service) Clients(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Client], error) {
	if err := s.Gate.Allow(ctx, who, ClientsRead); err != nil {
		return page.Result[Client]{}, err
	}
	return s.Store.Clients(ctx, who, r)
}

// Client returns one client of the tenant, or fault.NotFound.
func (s *Service) Client(ctx context.Context, who identity.Caller, id string) (Client, error) {
	if err := s.Gate.Allow(ctx, who, ClientsRead); err != nil {
		return Client{}, err
	}
	return s.Store.Client(ctx, who, id)
}

// DeleteClient removes a client whose version is the one named; its refresh
// tokens die with it. It returns fault.Forbidden if its roles give what the
// caller lacks.
func (s *Service) DeleteClient(ctx context.Context, who identity.Caller, id string, version int64) error {
	if _, err := s.shaped(ctx, who, id); err != nil && !fault.Is(err, fault.NotFound) { // a repetition is answered by the store
		return err
	}
	return s.Store.DeleteClient(ctx, who, id, version)
}

// Normal is how an e-mail address is kept and compared.
func Normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
