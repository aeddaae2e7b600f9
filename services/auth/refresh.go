package main

import (
	"context"
	"time"

	"github.com/ory/fosite"

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

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler. The store
// judges and rotates in one statement; a token that is a copy ends its family.
func (h *refreshHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c, token := r.GetClient().(*client), r.GetRequestForm().Get("refresh_token")
	if !c.Has(login.RefreshToken) {
		return fosite.ErrUnauthorizedClient
	}
	if len(c.still(r.GetRequestedScopes())) < len(r.GetRequestedScopes()) {
		return fosite.ErrInvalidScope
	}
	to, err := h.targetOf(c, r.GetRequestForm())
	if err != nil {
		return err
	}
	family, outcome, err := h.store.Refresh(ctx, c.Tenant, login.Rotation{
		Hash: digest(token), Successor: digest(h.successor(token)), ClientID: c.ID, Scopes: r.GetRequestedScopes(), Audience: to.asked,
		Expires: time.Now().Add(refreshLife), Grace: graceLife, Replayed: clientRequestOf(ctx).event(ctx, login.RefreshReplayed),
	})
	if err != nil {
		return err
	}
	switch outcome {
	case login.Rotated, login.Repeated:
		return h.grantFamily(ctx, r, family, to)
	case login.TooWide:
		if !family.Narrow(r.GetRequestedScopes(), nil) {
			return fosite.ErrInvalidScope
		}
		return errInvalidTarget
	}
	return fosite.ErrInvalidGrant
}

// grantFamily grants what a family has, or as much of it as is asked for, of what
// the client still has.
func (h *refreshHandler) grantFamily(ctx context.Context, r fosite.AccessRequester, f login.Family, to target) error {
	sess := r.GetSession().(*session)
	sess.Tenant, sess.Subject, sess.Audience = to.tenant, f.UserID.String(), f.Audience
	clientRequestOf(ctx).asked = to.asked
	r.SetID(f.ID.String())
	scopes := r.GetRequestedScopes()
	if len(scopes) == 0 {
		scopes = r.GetClient().(*client).still(f.Scopes)
	}
	if len(scopes) == 0 {
		return fosite.ErrInvalidScope
	}
	for _, scope := range scopes {
		r.GrantScope(scope)
	}
	return nil
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
