package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
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
	// SetSecret replaces the secret's hash where the version is the one before
	// c's. It returns fault.Conflict when another rotation was quicker.
	SetSecret(ctx context.Context, who identity.Caller, c Client) (Client, error)
	// DeleteClient removes a client with its tokens, or returns fault.NotFound.
	DeleteClient(ctx context.Context, who identity.Caller, id string) error

	// PutClient makes or replaces a client, and DropClient removes it if it is
	// there: they are for our own services.
	PutClient(ctx context.Context, tenant identity.TenantID, c Client) error
	DropClient(ctx context.Context, tenant identity.TenantID, id string) error
	// PutCredential makes or replaces a credential. It returns fault.Conflict
	// when another user of the tenant has the address.
	PutCredential(ctx context.Context, tenant identity.TenantID, c Credential) error
	// EnableCredential returns fault.NotFound when there is none.
	EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error
	// DropCredential removes a credential with the user's sessions and tokens.
	DropCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error
}

// Hasher hashes passwords slowly, a few at a time.
type Hasher interface {
	// Hash returns a PHC string, or fault.Unavailable when too many wait.
	Hash(ctx context.Context, password string) (string, error)
}

// Service holds the use cases of clients and credentials.
type Service struct {
	Store     Store
	Gate      access.Gate
	Hasher    Hasher
	SecretKey []byte // from which clients' secrets are derived
}

// CreateClient makes a client. A confidential one is given a secret: see Secret.
func (s *Service) CreateClient(ctx context.Context, who identity.Caller, d ClientDraft) (Client, error) {
	if err := s.Gate.Allow(ctx, who, access.ClientsWrite); err != nil {
		return Client{}, err
	}
	c, err := d.Client(uuid.Must(uuid.NewV7()).String(), now())
	if err != nil {
		return c, err
	}
	s.seal(&c)
	return s.Store.AddClient(ctx, who, c)
}

func (s *Service) seal(c *Client) {
	if c.Type == Confidential {
		c.SecretVersion++
		digest := sha256.Sum256([]byte(s.Secret(*c)))
		c.SecretHash = digest[:]
	}
}

// Secret returns a client's secret. It is derived, 256 bits, from a key of the
// server's, the id and the count of rotations, and so can be shown again to a
// repetition of the request that made it without being kept. It is empty for a
// public client.
func (s *Service) Secret(c Client) string {
	if c.Type != Confidential {
		return ""
	}
	h := hmac.New(sha256.New, s.SecretKey)
	h.Write([]byte("client-secret\x00" + c.ID + "\x00" + strconv.FormatInt(c.SecretVersion, 10)))
	return "bws_" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// RotateSecret gives a confidential client another secret; the one before ends.
func (s *Service) RotateSecret(ctx context.Context, who identity.Caller, id string) (Client, error) {
	if err := s.Gate.Allow(ctx, who, access.ClientsWrite); err != nil {
		return Client{}, err
	}
	c, err := s.Store.Client(ctx, who, id)
	if err != nil {
		return c, err
	}
	if c.Type != Confidential {
		return c, fault.New(fault.Conflict, "client_is_public", "a public client has no secret")
	}
	s.seal(&c)
	return s.Store.SetSecret(ctx, who, c)
}

// Clients lists the tenant's clients.
func (s *Service) Clients(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Client], error) {
	if err := s.Gate.Allow(ctx, who, access.ClientsRead); err != nil {
		return page.Result[Client]{}, err
	}
	return s.Store.Clients(ctx, who, r)
}

// Client returns one client of the tenant, or fault.NotFound.
func (s *Service) Client(ctx context.Context, who identity.Caller, id string) (Client, error) {
	if err := s.Gate.Allow(ctx, who, access.ClientsRead); err != nil {
		return Client{}, err
	}
	return s.Store.Client(ctx, who, id)
}

// DeleteClient removes a client; its refresh tokens die with it.
func (s *Service) DeleteClient(ctx context.Context, who identity.Caller, id string) error {
	if err := s.Gate.Allow(ctx, who, access.ClientsWrite); err != nil {
		return err
	}
	return s.Store.DeleteClient(ctx, who, id)
}

// PutCredential hashes the password and keeps the credential; it is for our
// own services.
func (s *Service) PutCredential(ctx context.Context, tenant identity.TenantID, c Credential, password string) error {
	c.Email = Normal(c.Email)
	if err := CheckPassword(password, c.Email); err != nil {
		return err
	}
	var err error
	if c.Hash, err = s.Hasher.Hash(ctx, password); err != nil {
		return err
	}
	return s.Store.PutCredential(ctx, tenant, c)
}

// Normal is how an e-mail address is kept and compared.
func Normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
