package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"bailiwick.dev/domain/identity"
)

const (
	tokenExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
	jwtType         = "urn:ietf:params:oauth:token-type:jwt"
	maxActors       = 3 // behind each other
)

// actor is who acts for a token's subject, and for whom that one did (RFC 8693,
// section 4.1).
type actor struct {
	Subject string `json:"sub"`
	Actor   *actor `json:"act,omitempty"`
}

func (a *actor) depth() int {
	if a == nil {
		return 0
	}
	return 1 + a.Actor.depth()
}

// delegateHandler is the token exchange grant (RFC 8693) for our own services:
// a service that was called with a person's token gets one with which it acts
// for that person. The person stays the subject, the service becomes the actor,
// and nothing of it is wider or lives longer than what it was called with.
type delegateHandler struct {
	*server
	tokens *tokens
}

var _ fosite.TokenEndpointHandler = (*delegateHandler)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*delegateHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*delegateHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(tokenExchange)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *delegateHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c, form := r.GetClient().(*client), r.GetRequestForm()
	if _, ours := h.platform[c.ID]; !ours {
		return fosite.ErrUnauthorizedClient
	}
	switch kind, wanted := form.Get("subject_token_type"), form.Get("requested_token_type"); {
	case kind != accessTokenType && kind != jwtType, wanted != "" && wanted != accessTokenType && wanted != jwtType:
		return fosite.ErrInvalidRequest.WithHint("Access tokens are exchanged for access tokens.")
	case form.Has("actor_token") || form.Has("audience"):
		return fosite.ErrInvalidRequest.WithHint("The client is the actor, and the target is a resource.")
	}
	of, err := h.subject(ctx, c, form.Get("subject_token"))
	if err != nil {
		return err
	}
	audience, err := h.narrowed(of.Audience, form["resource"])
	if err != nil {
		return err
	}
	return h.delegate(r, of, audience)
}

// subject reads the token of the person for whom the client acts: one that
// lives, and was meant for this service.
func (h *delegateHandler) subject(ctx context.Context, c *client, token string) (accessClaims, error) {
	bad := fosite.ErrInvalidRequest.WithHint("The subject_token is no living access token of a person for this service.")
	claims, ok := h.accessToken(token)
	_, found := familyOf(claims.ID)
	mine := h.cfg.Audience + "/" + strings.TrimPrefix(c.ID, identity.ServicePrefix)
	if !ok || time.Now().After(claims.Expiry.Time()) || !found || claims.Subject == claims.ClientID || !claims.Audience.Contains(h.cfg.Audience) && !claims.Audience.Contains(mine) || claims.Actor.depth() >= maxActors {
		return claims, bad
	}
	living, err := h.living(ctx, claims)
	if err == nil && !living {
		err = bad
	}
	return claims, err
}

// narrowed returns whom the token is to be for: no more than the one before.
func (h *delegateHandler) narrowed(granted, resources []string) ([]string, error) {
	if slices.Contains(granted, h.cfg.Audience) {
		granted = nil // all of them
	}
	for _, r := range resources {
		if r != h.cfg.Audience && !slices.Contains(h.audiences(), r) {
			return nil, errInvalidTarget
		}
	}
	return h.audienceOf(granted, resources)
}

func (h *delegateHandler) delegate(r fosite.AccessRequester, of accessClaims, audience []string) error {
	held := strings.Fields(of.Scope)
	scopes := r.GetRequestedScopes()
	if len(scopes) == 0 {
		scopes = held
	}
	for _, scope := range scopes {
		if !slices.Contains(held, scope) || scope == identity.PlatformScope {
			return fosite.ErrInvalidScope
		}
		r.GrantScope(scope)
	}
	sess := r.GetSession().(*session)
	sess.Tenant, sess.Subject, sess.Audience = tenantIn(of), of.Subject, audience
	sess.Actor, sess.NotAfter = &actor{r.GetClient().GetID(), of.Actor}, of.Expiry.Time()
	family, _ := familyOf(of.ID)
	r.SetID(family.String())
	return nil
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h *delegateHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	access, _, err := h.tokens.GenerateAccessToken(ctx, r)
	if err != nil {
		return err
	}
	resp.SetAccessToken(access)
	resp.SetTokenType("bearer")
	resp.SetExpiresIn(min(accessTokenLife, time.Until(r.GetSession().(*session).NotAfter)).Truncate(time.Second))
	resp.SetScopes(r.GetGrantedScopes())
	resp.SetExtra("issued_token_type", accessTokenType)
	return nil
}
