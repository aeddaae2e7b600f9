package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

var (
	supportedScopes = login.Scopes()
	supportedGrants = []string{login.AuthorizationCode, login.RefreshToken, login.ClientCredentials}
)

// authenticateClient is fosite's ClientAuthenticationStrategy: HTTP Basic or
// the body (RFC 6749, section 2.3.1), one of them, and never the query. A
// client that is not known costs the same comparison as one that is.
func (s *server) authenticateClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	if r.URL.Query().Has("client_secret") || r.URL.Query().Has("client_id") {
		return nil, fosite.ErrInvalidRequest.WithHint("Client credentials do not belong in the query.")
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		var err, err2 error
		id, err = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if err != nil || err2 != nil || form.Has("client_secret") || form.Has("client_id") && form.Get("client_id") != id {
			return nil, fosite.ErrInvalidRequest.WithHint("Use one way to authenticate the client.")
		}
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	c, err := s.findClient(ctx, id)
	known := err == nil
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	got := sha256.Sum256([]byte(secret))
	want := c.SecretHash
	if len(want) != sha256.Size {
		want = make([]byte, sha256.Size)
	}
	same := subtle.ConstantTimeCompare(got[:], want) == 1
	public := c.Type == login.Public && secret == "" && !basic
	if !known || !same && !public {
		return nil, fosite.ErrInvalidClient
	}
	out := &client{Client: c, redirect: form.Get("redirect_uri")}
	exchangeOf(ctx).client = out
	return out, nil
}

// findClient knows the platform's own clients and those of the tenants.
func (s *server) findClient(ctx context.Context, id string) (login.Client, error) {
	if hash, ok := s.platform[id]; ok {
		return login.Client{
			ID: id, Name: id, Type: login.Confidential, GrantTypes: []string{login.ClientCredentials}, SecretHash: hash,
			Scopes: append(slices.Clone(supportedScopes), identity.PlatformScope),
		}, nil
	}
	return s.store.FindClient(ctx, id)
}

const tenantResource = "urn:bailiwick:tenant:"

// tenantOf says for whose tenant a client acts: its own, or, if it is one of
// our services, the one that it names as the resource (RFC 8707).
func (s *server) tenantOf(c *client, form url.Values) (uuid.UUID, error) {
	resources := form["resource"]
	if _, ours := s.platform[c.ID]; !ours {
		for _, r := range resources {
			if r != s.cfg.Audience {
				return uuid.Nil, errInvalidTarget
			}
		}
		return c.Tenant, nil
	}
	if len(resources) != 1 || len(resources[0]) != len(tenantResource)+36 || resources[0][:len(tenantResource)] != tenantResource {
		return uuid.Nil, errInvalidTarget
	}
	id, err := uuid.Parse(resources[0][len(tenantResource):])
	if err != nil || id == uuid.Nil {
		return uuid.Nil, errInvalidTarget
	}
	return id, nil
}

var errInvalidTarget = &fosite.RFC6749Error{ErrorField: "invalid_target", DescriptionField: "The resource is unknown, or not for this client.", CodeField: http.StatusBadRequest}
