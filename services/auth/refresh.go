package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// refreshHandler is the refresh token grant (RFC 6749, section 6) with
// rotation as RFC 9700, section 4.14, asks for. fosite's own has no grace
// period, and lets one client end another's family.
type refreshHandler struct {
	*server
	tokens *tokens
}

var _ fosite.TokenEndpointHandler = (*refreshHandler)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*refreshHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*refreshHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(login.RefreshToken)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler. The
// client and the scopes are judged before the token is used up.
func (h *refreshHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c, token := r.GetClient().(*client), r.GetRequestForm().Get("refresh_token")
	if !c.Has(login.RefreshToken) {
		return fosite.ErrUnauthorizedClient
	}
	was, err := h.store.Refresh(ctx, c.Tenant, digest(token))
	if fault.Is(err, fault.NotFound) || err == nil && was.ClientID != c.ID {
		return fosite.ErrInvalidGrant
	}
	if err != nil {
		return err
	}
	scopes, err := narrowed(was.Scopes, r.GetRequestedScopes())
	if err != nil {
		return err
	}
	if err := h.rotate(ctx, c.Tenant, token, was); err != nil {
		return err
	}
	sess := r.GetSession().(*session)
	sess.Tenant, sess.Subject = c.Tenant, was.UserID.String()
	sess.SetExpiresAt(fosite.AccessToken, time.Now().Add(accessTokenLife))
	r.SetID(was.ID.String())
	for _, scope := range scopes {
		r.GrantScope(scope)
	}
	return nil
}

// rotate puts the successor in the token's place. A token that was used before
// is a copy: if that was just now, two requests crossed and both are given the
// same successor; if not, somebody has stolen it, and the family ends.
func (h *refreshHandler) rotate(ctx context.Context, tenant uuid.UUID, token string, was authdb.Refresh) error {
	if !was.Living || was.UsedAt == nil && time.Now().After(was.TokenExpiresAt) {
		return fosite.ErrInvalidGrant
	}
	if was.UsedAt == nil {
		expires := time.Now().Add(refreshLife)
		if expires.After(was.ExpiresAt) {
			expires = was.ExpiresAt
		}
		done, err := h.store.Rotate(ctx, tenant, digest(token), digest(h.successor(token)), expires)
		if err != nil || done {
			return err
		}
		if was, err = h.store.Refresh(ctx, tenant, digest(token)); err != nil {
			return err
		}
	}
	if was.Living && was.UsedAt != nil && time.Since(*was.UsedAt) < graceLife {
		return nil
	}
	if err := h.store.RevokeFamily(ctx, tenant, was.ID); err != nil {
		return err
	}
	return fosite.ErrInvalidGrant
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h *refreshHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	access, _, err := h.tokens.GenerateAccessToken(ctx, r)
	if err != nil {
		return err
	}
	resp.SetAccessToken(access)
	resp.SetTokenType("bearer")
	resp.SetExpiresIn(accessTokenLife)
	resp.SetScopes(r.GetGrantedScopes())
	resp.SetExtra("refresh_token", h.successor(r.GetRequestForm().Get("refresh_token")))
	return nil
}

// narrowed returns the scopes asked for, which may be fewer and never more.
func narrowed(granted, asked []string) ([]string, error) {
	for _, scope := range asked {
		if !slices.Contains(granted, scope) {
			return nil, fosite.ErrInvalidScope
		}
	}
	if len(asked) == 0 {
		return granted, nil
	}
	return asked, nil
}
