package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
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
	token := r.PostForm.Get("token")
	answer, err := s.ofRefreshToken(ctx, c, token)
	if answer == nil && err == nil {
		answer, err = s.ofAccessToken(ctx, c, token)
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	if answer == nil {
		answer = map[string]any{"active": false}
	}
	noStore(w)
	writeJSON(w, http.StatusOK, answer)
}

func (s *server) ofRefreshToken(ctx context.Context, c *client, token string) (map[string]any, error) {
	was, err := s.store.Refresh(ctx, c.Tenant, digest(token))
	if fault.Is(err, fault.NotFound) || err == nil && (was.ClientID != c.ID || !was.Living || was.UsedAt != nil || time.Now().After(was.TokenExpiresAt)) {
		return nil, nil
	}
	return map[string]any{
		"active": true, "client_id": c.ID, "sub": was.UserID.String(), "scope": strings.Join(was.Scopes, " "), "iss": s.cfg.Issuer,
		"exp": was.TokenExpiresAt.Unix(), "token_type": "refresh_token", "tenant_id": c.Tenant.String(),
	}, err
}

func (s *server) ofAccessToken(ctx context.Context, c *client, token string) (map[string]any, error) {
	claims, ok := s.ownAccessToken(c, token)
	if !ok || time.Now().After(claims.Expiry.Time()) {
		return nil, nil
	}
	dead, err := s.dead(ctx, claims)
	if err != nil || dead {
		return nil, err
	}
	return map[string]any{
		"active": true, "client_id": claims.ClientID, "sub": claims.Subject, "scope": claims.Scope, "iss": claims.Issuer, "aud": claims.Audience,
		"exp": claims.Expiry, "iat": claims.IssuedAt, "jti": claims.ID, "token_type": "Bearer", "tenant_id": claims.TenantID,
	}, nil
}

// ownAccessToken reads an access token that was issued to c.
func (s *server) ownAccessToken(c *client, token string) (claims accessClaims, ok bool) {
	typ, err := s.keys.verify(token, &claims)
	return claims, err == nil && typ == "at+jwt" && claims.ClientID == c.ID && claims.Expiry != nil
}

// dead reports whether an access token was revoked, by itself or with its family.
func (s *server) dead(ctx context.Context, claims accessClaims) (bool, error) {
	tenant := tenantIn(claims)
	if family, ok := familyOf(claims.ID); ok {
		f, err := s.store.Family(ctx, tenant, family)
		if fault.Is(err, fault.NotFound) {
			return true, nil
		}
		return !f.Living, err
	}
	return s.store.Revoked(ctx, tenant, claims.ID)
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
	return family, found && err == nil
}

// revoke ends a token of the client's (RFC 7009). What is unknown, or
// another's, is answered alike and left alone; a store that does not answer is
// 503, because then nothing was revoked.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	ctx, c, err := s.clientOf(w, r)
	if err == nil {
		err = s.revokeToken(ctx, c, r.PostForm.Get("token"))
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	noStore(w)
	w.WriteHeader(http.StatusOK)
}

func (s *server) revokeToken(ctx context.Context, c *client, token string) error {
	was, err := s.store.Refresh(ctx, c.Tenant, digest(token))
	if err == nil && was.ClientID == c.ID {
		return s.store.RevokeFamily(ctx, c.Tenant, was.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	claims, ok := s.ownAccessToken(c, token)
	if !ok || time.Now().After(claims.Expiry.Time()) {
		return nil
	}
	tenant := tenantIn(claims)
	if family, ok := familyOf(claims.ID); ok {
		return s.store.RevokeFamily(ctx, tenant, family)
	}
	return s.store.RevokeToken(ctx, tenant, claims.ID, claims.Expiry.Time())
}
