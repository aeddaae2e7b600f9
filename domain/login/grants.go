package login

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Grants keeps what logins gave: codes, families of tokens, refresh tokens. Of
// secrets it is handed hashes alone. Each method is one change: whole, or not
// at all, whatever happens at the same time. Whatever ends a family by replay or
// revocation is in the audit trail once, as the event handed in, whose subject is
// then the family's person.
type Grants interface {
	// AddRequest stores an authorization request that a client pushed. It returns
	// ErrTooManyRequests when MostRequests of the client's from the same network have
	// neither expired nor given a code.
	AddRequest(ctx context.Context, tenant identity.TenantID, p PushedRequest) error
	// Request returns one that has not expired, or fault.NotFound.
	Request(ctx context.Context, tenant identity.TenantID, hash []byte) (PushedRequest, error)

	// AddCode stores a code, and ends the pushed request that it answers. It
	// returns fault.NotFound when its session has ended, or when the pushed request
	// was answered before: of many answers at once one gives a code.
	AddCode(ctx context.Context, tenant identity.TenantID, c Code) error
	// Code returns a code that has not expired, or one that was used, or fault.NotFound.
	Code(ctx context.Context, tenant identity.TenantID, hash []byte) (Code, error)
	// Exchange ends a code, begins its family and stores the family's first
	// refresh token. It reports whether it did: of many at once one does. When
	// the code was used before, the family that it gave ends.
	Exchange(ctx context.Context, tenant identity.TenantID, e Exchange) (bool, error)

	// Refresh puts a successor in a refresh token's place: see Outcome.
	Refresh(ctx context.Context, tenant identity.TenantID, r Rotation) (Family, Outcome, error)
	// RefreshToken returns an unused refresh token's family, and when the token
	// expires; fault.NotFound when there is none, or it lives no longer.
	RefreshToken(ctx context.Context, tenant identity.TenantID, hash []byte) (Family, time.Time, error)
	// RevokeRefresh ends the family of a client's refresh token, used or not,
	// and reports whether there was one.
	RevokeRefresh(ctx context.Context, tenant identity.TenantID, client string, hash []byte, e Event) (bool, error)
	// RevokeFamily ends a family with all of its tokens.
	RevokeFamily(ctx context.Context, tenant identity.TenantID, id uuid.UUID, e Event) error

	// RevokeToken notes that one access token is revoked until it expires.
	RevokeToken(ctx context.Context, tenant identity.TenantID, jti string, expires time.Time, e Event) error
	// Living reports whether an access token is not revoked, by itself or with
	// its family or person; family is uuid.Nil where there is none. It does not
	// look at the client and the tenant, as whoever finds the client does.
	Living(ctx context.Context, tenant identity.TenantID, family uuid.UUID, jti string) (bool, error)
}

// PushedRequest is an authorization request that came from the client itself (RFC 9126).
type PushedRequest struct {
	Hash      []byte // of its request_uri
	ClientID  string
	Request   json.RawMessage
	ExpiresAt time.Time
	Network   string // from which it came; empty: it is not counted
}

// MostRequests are kept of one client and network: more people than log in at once
// in an office, and no more rows than a stranger may have us keep.
const MostRequests = 300

// ErrTooManyRequests tells that there are MostRequests.
var ErrTooManyRequests = fault.New(fault.Throttled, "too_many_requests", "too many requests wait to be answered")

// Code is an authorization code: Request is what was authorized.
type Code struct {
	Hash      []byte
	ClientID  string
	UserID    uuid.UUID
	FamilyID  uuid.UUID
	SessionID uuid.UUID // with which it ends; zero: none
	Request   json.RawMessage
	ExpiresAt time.Time
	Used      bool
	Pushed    []byte // the hash of the pushed request that it answers, if there is one
}

// Exchange is a code's end and its family's beginning.
type Exchange struct {
	Code           []byte
	ClientID       string
	Scopes         []string
	Audience       []string // empty: every service
	FamilyExpires  time.Time
	Offline        bool   // the family does not end with the session (OpenID Connect Core, section 11)
	Refresh        []byte // the hash of the first refresh token; nil: there is none
	RefreshExpires time.Time
	Replayed       Event // what is told if the code was used before
}

// Family is what one authorization gave.
type Family struct {
	ID        uuid.UUID
	ClientID  string
	UserID    uuid.UUID
	Scopes    []string
	Audience  []string
	ExpiresAt time.Time
}

// Rotation is a refresh token that is presented.
type Rotation struct {
	Hash, Successor  []byte
	ClientID         string
	Scopes, Audience []string // asked for; empty: all that the family has
	Expires          time.Time
	Grace            time.Duration // within which a repetition is a repetition, until the successor is used
	Replayed         Event         // what is told if it is a replay
}

// Outcome is what becomes of a refresh token that is presented.
type Outcome string

// The outcomes. Client and width are judged before anything is changed.
const (
	Rotated  Outcome = "rotated"  // the successor is in its place
	Repeated Outcome = "repeated" // so it was a moment ago, and the successor is the same
	Replayed Outcome = "replayed" // it was used long ago, or its successor was: a copy, and the family has ended
	TooWide  Outcome = "too_wide" // it does not give what was asked for, and stays as it is
	Refused  Outcome = "refused"  // unknown, another client's, expired or ended
)

// Narrow reports whether a family gives what is asked for.
func (f Family) Narrow(scopes, audience []string) bool {
	return contains(f.Scopes, scopes) && (len(f.Audience) == 0 || contains(f.Audience, audience))
}

func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
