package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/ory/fosite"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

var (
	supportedScopes = login.Scopes()
	supportedGrants = []string{login.AuthorizationCode, login.RefreshToken, login.ClientCredentials, tokenExchange}
)

const (
	recentLife  = time.Second // the bound within which a client that was disabled gets no new token
	recentCount = 10_000
)

func newRecent() *expirable.LRU[string, login.Client] {
	return expirable.NewLRU[string, login.Client](recentCount, nil, recentLife)
}

// proof is what a request brings to show which client it comes from.
type proof struct {
	id, secret, assertion string
	basic                 bool
	endpoint              string // which it was sent to
}

// proofOf reads HTTP Basic, the body (RFC 6749, section 2.3.1) or an assertion
// (RFC 7523): one of them, and never the query.
func (s *server) proofOf(r *http.Request, form url.Values) (proof, error) {
	q := r.URL.Query()
	if q.Has("client_secret") || q.Has("client_id") || q.Has("client_assertion") {
		return proof{}, fosite.ErrInvalidRequest.WithHint("Client credentials do not belong in the query.")
	}
	p := proof{id: form.Get("client_id"), secret: form.Get("client_secret"), assertion: form.Get("client_assertion"), endpoint: s.cfg.PublicURL + r.URL.Path}
	if id, secret, basic := r.BasicAuth(); basic {
		id, err := url.QueryUnescape(id)
		secret, err2 := url.QueryUnescape(secret)
		if err != nil || err2 != nil || form.Has("client_secret") || form.Has("client_id") && p.id != id {
			return p, errManyProofs
		}
		p.id, p.secret, p.basic = id, secret, true
	}
	if p.assertion == "" {
		return p, nil
	}
	if p.secret != "" || p.basic {
		return p, errManyProofs
	}
	if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return p, fosite.ErrInvalidRequest.WithHint("The client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer.")
	}
	id := namedBy(p.assertion)
	if form.Has("client_id") && p.id != id {
		return p, fosite.ErrInvalidClient
	}
	p.id = id
	return p, nil
}

var errManyProofs = fosite.ErrInvalidRequest.WithHint("Use one way to authenticate the client.")

// authenticateClient is fosite's ClientAuthenticationStrategy.
func (s *server) authenticateClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	p, err := s.proofOf(r, form)
	if err != nil {
		return nil, err
	}
	c, err := s.prove(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &client{Client: c, redirect: form.Get("redirect_uri")}
	clientRequestOf(ctx).client = out
	return out, nil
}

// prove returns the client that p proves itself to be. One that was seen within
// the second is not looked up again, unless the proof fails: then its row may
// have changed. A client that is not known costs the same as one that is.
func (s *server) prove(ctx context.Context, p proof) (login.Client, error) {
	c, seen := s.recent.Get(p.id)
	if !seen || !s.proves(p, c) {
		var err error
		if c, err = s.findClient(ctx, p.id); err != nil && !fault.Is(err, fault.NotFound) {
			return c, err
		}
		if known := err == nil; !s.proves(p, c) || !known {
			return c, fosite.ErrInvalidClient
		}
		s.recent.Add(p.id, c)
	}
	if p.assertion != "" {
		return c, s.useAssertion(ctx, p, c)
	}
	return c, nil
}

func (s *server) proves(p proof, c login.Client) bool {
	got := sha256.Sum256([]byte(p.secret))
	same := matches(got[:], c.SecretHash) | matches(got[:], c.PreviousHash)
	switch c.AuthMethod {
	case login.AuthNone:
		return p.secret == "" && p.assertion == "" // in Basic too: an empty one is none (RFC 6749, section 2.3.1)
	case login.AuthBasic, login.AuthPost:
		return same == 1 && p.assertion == ""
	case login.AuthPrivateKey:
		_, err := s.assertion(p, c)
		return p.assertion != "" && err == nil
	}
	return false
}

// matches compares with what is there, and with nothing in the same time.
func matches(got, want []byte) int {
	if len(want) != sha256.Size {
		want = make([]byte, sha256.Size)
	}
	return subtle.ConstantTimeCompare(got, want)
}

// recentClient is findClient for a client that need not prove anything.
func (s *server) recentClient(ctx context.Context, id string) (login.Client, error) {
	if c, seen := s.recent.Get(id); seen {
		return c, nil
	}
	c, err := s.findClient(ctx, id)
	if err == nil {
		s.recent.Add(id, c)
	}
	return c, err
}

// findClient knows the platform's own clients and those of the tenants. A
// disabled one, and one of a suspended tenant, is fault.NotFound.
func (s *server) findClient(ctx context.Context, id string) (login.Client, error) {
	if hash, ok := s.platform[id]; ok {
		return login.Client{
			ID: id, Name: id, Type: login.Confidential, GrantTypes: []string{login.ClientCredentials, tokenExchange}, SecretHash: hash, AuthMethod: login.AuthBasic, Enabled: true,
			Scopes: append(slices.Clone(supportedScopes), identity.PlatformScope),
		}, nil
	}
	if !rest.IsText(id) { // in Basic, or in an assertion
		return login.Client{}, fault.New(fault.NotFound, "not_found", "there is no such client")
	}
	c, err := s.store.FindClient(ctx, id)
	if err == nil && !c.Enabled {
		err = fault.New(fault.NotFound, "not_found", "the client is disabled")
	}
	if err != nil {
		return login.Client{}, err
	}
	return c, nil
}
