package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/ory/fosite"

	"bailiwick.dev/domain/login"
)

const (
	maxAssertion    = 8 << 10
	assertionLife   = time.Hour        // at most, from now: what some libraries sign for
	assertionLeeway = 30 * time.Second // between our clocks and the client's
)

var (
	assertionAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256}
	errAssertion        = errors.New("the assertion is no good")
)

// namedBy returns the client that an assertion says it is of; nothing of it is
// believed yet.
func namedBy(assertion string) string {
	if len(assertion) > maxAssertion {
		return ""
	}
	t, err := jwt.ParseSigned(assertion, assertionAlgorithms)
	if err != nil {
		return ""
	}
	var c jwt.Claims
	if err := t.UnsafeClaimsWithoutVerification(&c); err != nil {
		return ""
	}
	return c.Subject
}

// assertion verifies what a client signed to prove itself (RFC 7523, section
// 3): with a key that it has registered, for this server alone, and not long ago.
func (s *server) assertion(p proof, c login.Client) (claims jwt.Claims, err error) {
	if c.JWKS == nil || len(p.assertion) > maxAssertion {
		return claims, errAssertion
	}
	t, err := jwt.ParseSigned(p.assertion, assertionAlgorithms)
	if err != nil {
		return claims, errAssertion
	}
	key, err := keyFor(*c.JWKS, t.Headers[0])
	if err != nil {
		return claims, err
	}
	if err := t.Claims(key, &claims); err != nil {
		return claims, errAssertion
	}
	now := time.Now()
	if claims.Expiry == nil || claims.Expiry.Time().After(now.Add(assertionLife+assertionLeeway)) || claims.ID == "" || len(claims.ID) > 255 {
		return claims, errAssertion
	}
	if len(claims.Audience) != 1 || !slices.Contains([]string{s.cfg.Issuer, s.cfg.Issuer + "/token", p.endpoint}, claims.Audience[0]) {
		return claims, errAssertion
	}
	return claims, claims.ValidateWithLeeway(jwt.Expected{Issuer: c.ID, Subject: c.ID, Time: now}, assertionLeeway)
}

// keyFor returns the client's key that the header names, if the header's
// algorithm is one for it.
func keyFor(set login.KeySet, h jose.Header) (any, error) {
	for _, k := range set.Keys {
		if k.Kid != h.KeyID && (h.KeyID != "" || len(set.Keys) > 1) {
			continue
		}
		if k.Alg != "" && k.Alg != h.Algorithm || (k.Kty == "EC") != (h.Algorithm == string(jose.ES256)) {
			return nil, errAssertion
		}
		raw, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		var key jose.JSONWebKey
		return &key, key.UnmarshalJSON(raw)
	}
	return nil, errAssertion
}

// useAssertion makes an assertion good once: of many at the same time one is.
func (s *server) useAssertion(ctx context.Context, p proof, c login.Client) error {
	claims, err := s.assertion(p, c)
	if err != nil {
		return fosite.ErrInvalidClient
	}
	first, err := s.store.UseAssertion(ctx, c.Tenant, c.ID, digest(claims.ID), claims.Expiry.Time().Add(assertionLeeway))
	if err == nil && !first {
		err = fosite.ErrInvalidClient
	}
	return err
}
