package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"encoding/json"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	leeway      = 30 * time.Second // between our clocks and the issuer's
	refetch     = 5 * time.Second  // an unknown kid asks for the keys no oftener
	keysLive    = 5 * time.Minute
	maxToken    = 8 << 10
	cachedCount = 10_000
)

var (
	errToken   = fault.New(fault.Unauthenticated, "unauthenticated", "a valid access token is needed")
	errNoToken = fault.New(fault.Unauthenticated, "token_missing", "an access token is needed")
)

// Verifier checks access tokens (RFC 9068) against the issuer's keys (RFC
// 7517), which it fetches and keeps.
type Verifier struct {
	Issuer, JWKSURL string
	Audiences       []string // any of which a token may be for; compared exactly
	Client          *http.Client

	mu      sync.Mutex // of keys and fetched
	keys    map[string]jose.JSONWebKey
	fetched time.Time // of the keys

	fetching singleflight.Group
	tried    time.Time // within fetching

	seen    *lru.Cache[[32]byte, verified]
	revoked revocations
}

// verified is what a token of the issuer's says.
type verified struct {
	lineage
	origins []string // of the pages that its client is
	expires time.Time
}

// NewVerifier returns a Verifier of tokens that issuer made for audience.
func NewVerifier(issuer, audience, jwksURL string) *Verifier {
	seen, err := lru.New[[32]byte, verified](cachedCount)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Verifier{Issuer: issuer, Audiences: []string{audience}, JWKSURL: jwksURL, Client: &http.Client{Timeout: 5 * time.Second}, seen: seen}
}

// For lets v take tokens too that are for one service of the platform (RFC 8707):
// its audience is the platform's with the service's name below.
func (v *Verifier) For(service string) *Verifier {
	v.Audiences = append(v.Audiences, v.Audiences[0]+"/"+service)
	return v
}

type claims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	TenantID string `json:"tenant_id"`
	Actor    *struct {
		Subject string `json:"sub"`
	} `json:"act"` // who acts for the person (RFC 8693, section 4.1)
	// Origins are from where browsers may call with it; the name is Keycloak's.
	Origins []string `json:"allowed-origins"`
}

// Verify returns who the bearer of token is. It returns fault.Unauthenticated
// without a reason when the token is no good, or was revoked as far as Watch
// knows, and fault.Unavailable when the issuer's keys cannot be had. A token
// verified once is remembered until it expires or is revoked.
func (v *Verifier) Verify(ctx context.Context, token string) (identity.Caller, error) {
	got, err := v.verify(ctx, token)
	return got.who, err
}

// verify is Verify. It returns the origins also of a token that is the issuer's
// but no good any more, so that a page can read that it is refused.
func (v *Verifier) verify(ctx context.Context, token string) (verified, error) {
	if token == "" || len(token) > maxToken {
		return verified{}, errToken
	}
	digest := sha256.Sum256([]byte(token))
	if hit, ok := v.seen.Get(digest); ok && time.Now().Before(hit.expires) {
		return hit, nil
	}
	c, err := v.claims(ctx, token)
	if err != nil {
		return verified{}, err
	}
	got := verified{origins: c.Origins}
	if err := v.good(c); err != nil {
		return got, err
	}
	if got.who, err = c.caller(); err != nil {
		return got, err
	}
	got.jti, got.issued = c.ID, c.IssuedAt.Time()
	if time.Since(v.keysAt()) < keysLive {
		got.expires = c.Expiry.Time().Add(leeway)
		v.seen.Add(digest, got)
	}
	if v.revoked.refuses(got.lineage) { // after it was remembered: whatever is revoked from here on is dropped
		v.seen.Remove(digest)
		got.who = identity.Caller{}
		return got, errToken
	}
	return got, nil
}

// claims reads an access token that the issuer has signed.
func (v *Verifier) claims(ctx context.Context, token string) (*claims, error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, errToken
	}
	h := t.Headers[0]
	if typ, _ := h.ExtraHeaders[jose.HeaderType].(string); !isAccessToken(typ) || h.JSONWebKey != nil || hasForeignKey(h) {
		return nil, errToken
	}
	key, err := v.key(ctx, h.KeyID)
	if err != nil {
		return nil, err
	}
	var c claims
	if err := t.Claims(key, &c); err != nil {
		return nil, errToken
	}
	return &c, nil
}

// good returns an error unless the claims hold now, for our audience.
func (v *Verifier) good(c *claims) error {
	if c.Expiry == nil || c.IssuedAt == nil || c.ID == "" || c.Subject == "" {
		return errToken
	}
	want := jwt.Expected{Issuer: v.Issuer, AnyAudience: jwt.Audience(v.Audiences), Time: time.Now()}
	if err := c.ValidateWithLeeway(want, leeway); err != nil {
		return errToken
	}
	return nil
}

// isAccessToken tells an access token from an ID token (RFC 9068, section 4).
func isAccessToken(typ string) bool {
	typ = strings.ToLower(typ)
	return typ == "at+jwt" || typ == "application/at+jwt"
}

// hasForeignKey finds headers by which a token would bring its own key along.
func hasForeignKey(h jose.Header) bool {
	for _, name := range []jose.HeaderKey{"jku", "x5u", "x5c", "jwk", "crit"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return true
		}
	}
	return false
}

func (c *claims) caller() (identity.Caller, error) {
	who := identity.Caller{Client: c.ClientID, Scopes: strings.Fields(c.Scope)}
	var err error
	if who.Tenant, err = uuid.Parse(c.TenantID); err != nil || c.ClientID == "" {
		return identity.Caller{}, errToken
	}
	if c.Subject != c.ClientID {
		if who.User, err = uuid.Parse(c.Subject); err != nil || who.User == uuid.Nil {
			return identity.Caller{}, errToken
		}
	}
	if c.Actor != nil {
		if who.Actor = c.Actor.Subject; who.Actor != c.ClientID || who.User == uuid.Nil { // a client acts for people only, as itself
			return identity.Caller{}, errToken
		}
	}
	return who, nil
}

// key returns the issuer's key named kid. An unknown one is asked for, but not
// more often than every refetch: a stranger must not drive our requests. Who
// comes with a known one does not wait for it, nor while the keys are read anew.
func (v *Verifier) key(ctx context.Context, kid string) (any, error) {
	if !plainKID(kid) {
		return nil, errToken
	}
	k, ok, stale := v.known(kid)
	switch {
	case ok && stale:
		go func() { _ = v.refetch(ctx) }() // until they can be had, the old ones are good
	case !ok:
		err := v.refetch(ctx)
		if k, ok, _ = v.known(kid); !ok && (err != nil || v.keysAt().IsZero()) {
			return nil, fault.Wrap(fault.Unavailable, "keys_unavailable", "tokens cannot be checked right now", err)
		} else if !ok {
			return nil, errToken
		}
	}
	return k.Key, nil
}

func (v *Verifier) known(kid string) (k jose.JSONWebKey, ok, stale bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k, ok = v.keys[kid]
	return k, ok, time.Since(v.fetched) > keysLive
}

// refetch reads the keys unless that was tried a moment ago; who comes meanwhile
// waits for the same answer.
func (v *Verifier) refetch(ctx context.Context) error {
	_, err, _ := v.fetching.Do("", func() (any, error) {
		if time.Since(v.tried) <= v.pause() {
			return nil, nil
		}
		v.tried = time.Now()
		return nil, v.fetch(ctx)
	})
	return err
}

// pause is how long after one attempt the next is made; at start the issuer
// may be a moment behind us.
func (v *Verifier) pause() time.Duration {
	if v.keysAt().IsZero() {
		return refetch / 10
	}
	return refetch
}

func (v *Verifier) keysAt() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fetched
}

func (v *Verifier) fetch(ctx context.Context) error {
	// Whoever asks first must not take the keys away from the rest by leaving.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.JWKSURL, nil)
	if err != nil {
		return err
	}
	resp, err := v.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("JWKS: %s", resp.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<20)).Decode(&set); err != nil {
		return err
	}
	if len(set.Keys) == 0 {
		return errors.New("JWKS: no keys")
	}
	keys := make(map[string]jose.JSONWebKey, len(set.Keys))
	for _, k := range set.Keys {
		keys[k.KeyID] = k
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys, v.fetched = keys, time.Now()
	return nil
}

func plainKID(kid string) bool {
	return kid != "" && len(kid) <= 128 && !strings.ContainsFunc(kid, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}
