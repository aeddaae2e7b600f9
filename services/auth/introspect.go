package main

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/ory/fosite"

	"bailiwick.dev/domain/fault"
)

// introspect tells a client about a token of its own (RFC 7662). A token that
// is another's, or none, is not active, and nothing more is said.
func (s *server) introspect(w http.ResponseWriter, r *http.Request) {
	ctx, c, err := s.clientOf(w, r)
	if err == nil && c.IsPublic() {
		err = fosite.ErrInvalidClient
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	answer, err := s.tell(ctx, c, r.PostForm.Get("token"))
	if err != nil {
		writeError(w, r, err)
		return
	}
	noStore(w)
	if answer == nil {
		writeJSON(w, http.StatusOK, map[string]bool{"active": false})
		return
	}
	answer.Active = true
	writeJSON(w, http.StatusOK, answer)
}

// introspection is what is said of a token that is active (RFC 7662, section 2.2).
type introspection struct {
	accessClaims
	Active    bool   `json:"active"`
	TokenType string `json:"token_type"`
}

func (s *server) tell(ctx context.Context, c *client, token string) (*introspection, error) {
	if token == "" {
		return nil, errNoToken
	}
	if strings.HasPrefix(token, refreshPrefix) {
		return s.ofRefreshToken(ctx, c, token)
	}
	return s.ofAccessToken(ctx, c, token)
}

func (s *server) ofRefreshToken(ctx context.Context, c *client, token string) (*introspection, error) {
	f, expires, err := s.store.RefreshToken(ctx, c.Tenant, digest(token))
	if fault.Is(err, fault.NotFound) || err == nil && f.ClientID != c.ID {
		return nil, nil
	}
	return &introspection{TokenType: "refresh_token", accessClaims: accessClaims{ClientID: c.ID, Scope: strings.Join(c.still(f.Scopes), " "), TenantID: c.Tenant.String(),
		Claims: jwt.Claims{Issuer: s.cfg.Issuer, Subject: f.UserID.String(), Expiry: jwt.NewNumericDate(expires)}}}, err
}

func (s *server) ofAccessToken(ctx context.Context, c *client, token string) (*introspection, error) {
	claims, ok := s.ownAccessToken(c, token)
	if !ok || time.Now().After(claims.Expiry.Time()) {
		return nil, nil
	}
	living, err := s.living(ctx, claims)
	if err != nil || !living {
		return nil, err
	}
	claims.Origins = nil // which concern the services that the token is for
	return &introspection{TokenType: "Bearer", accessClaims: claims}, nil
}

// living reports whether a token that we have made has not been revoked, as the
// store knows it at this moment, nor has ended with its client, which may have been
// looked up within the second.
func (s *server) living(ctx context.Context, claims accessClaims) (bool, error) {
	c, err := s.recentClient(ctx, claims.ClientID)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || c.Ended != nil && !claims.IssuedAt.Time().After(*c.Ended) {
		return false, err
	}
	tenant := tenantIn(claims)
	if _, ours := s.platform[claims.ClientID]; ours && claims.Subject != claims.ClientID { // for a person: ours have no end of their own
		if ended, err := s.store.TokensEnded(ctx, tenant); err != nil || ended != nil && !claims.IssuedAt.Time().After(*ended) {
			return false, err
		}
	}
	family, _ := familyOf(claims.ID)
	return s.store.Living(ctx, tenant, family, claims.ID)
}

const (
	checkedLife  = time.Minute // that a signature is not checked again
	checkedCount = 10_000
)

func newChecked() *expirable.LRU[[sha256.Size]byte, accessClaims] {
	return expirable.NewLRU[[sha256.Size]byte, accessClaims](checkedCount, nil, checkedLife)
}

// ownAccessToken reads an access token that was issued to c.
func (s *server) ownAccessToken(c *client, token string) (accessClaims, bool) {
	claims, ok := s.accessToken(token)
	return claims, ok && claims.ClientID == c.ID
}

// accessToken reads an access token that we have made. To check a signature
// costs more than all the rest, and a resource server asks about the same token
// again and again: what was checked is known by its digest.
func (s *server) accessToken(token string) (claims accessClaims, ok bool) {
	known := sha256.Sum256([]byte(token))
	claims, ok = s.checked.Get(known)
	if !ok {
		typ, err := s.keys.verify(token, &claims)
		if err != nil || typ != "at+jwt" || claims.Expiry == nil {
			return claims, false
		}
		s.checked.Add(known, claims)
	}
	return claims, true
}

// tenantIn returns the tenant of a token that we have made; nobody's is no tenant.
func tenantIn(claims accessClaims) uuid.UUID {
	tenant, err := uuid.Parse(claims.TenantID)
	if err != nil {
		return uuid.Nil
	}
	return tenant
}

// familyOf returns the family that a token's jti names.
func familyOf(jti string) (uuid.UUID, bool) {
	id, _, found := strings.Cut(jti, ".")
	family, err := uuid.Parse(id)
	if !found || err != nil {
		return uuid.Nil, false
	}
	return family, true
}
