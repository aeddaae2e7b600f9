package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// passwordHandler is the password grant (RFC 6749, section 4.3) for clients that
// the platform's operator has marked as first-party, and for no other: a client
// that asks for passwords teaches people to type them anywhere, and no consent,
// second factor or single sign-on can come between. It is in no metadata.
type passwordHandler struct {
	*server
	tokens *tokens
}

var _ fosite.TokenEndpointHandler = (*passwordHandler)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*passwordHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*passwordHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(login.Password)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *passwordHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c, form := r.GetClient().(*client), r.GetRequestForm()
	if !c.FirstParty || !c.Has(login.Password) {
		return fosite.ErrUnauthorizedClient
	}
	for _, scope := range r.GetRequestedScopes() {
		if !slices.Contains(c.Scopes, scope) || scope == "openid" { // an ID token tells of a login here, which this is not
			return fosite.ErrInvalidScope
		}
		r.GrantScope(scope)
	}
	if len(r.GetGrantedScopes()) == 0 {
		return fosite.ErrInvalidScope
	}
	to, err := h.targetOf(c, form)
	if err != nil {
		return err
	}
	from, ok := ctx.Value(fosite.RequestContextKey).(*http.Request)
	if !ok {
		return fosite.ErrServerError
	}
	a, err := h.try(from, c, form.Get("username"), form.Get("password"))
	switch {
	case err != nil:
		return err
	case a.wait > 0:
		return &fault.Error{Kind: fault.Throttled, Code: "too_many_attempts", Message: "there were too many attempts", RetryAfter: a.wait}
	case !a.good:
		return fosite.ErrInvalidGrant
	}
	return h.begin(from, r, a, to)
}

// begin notes the login as a session, which the person sees and can end.
func (h *passwordHandler) begin(from *http.Request, r fosite.AccessRequester, a attempt, to target) error {
	in := newSession(from, a.User)
	in.ExpiresAt = time.Now().Add(familyLife)
	err := h.store.LoggedIn(from.Context(), to.tenant, digest(opaque()), in, a.Hash, a.keys, event(from, a.User, login.LoginSucceeded))
	if fault.Is(err, fault.NotFound) { // the password was changed, or too many guesses failed, in this moment
		if err = h.failed(from, r.GetClient().(*client), a); err == nil {
			err = fosite.ErrInvalidGrant
		}
	}
	sess := r.GetSession().(*session)
	sess.Tenant, sess.Subject, sess.Login, sess.Audience = to.tenant, a.User.String(), in.ID, to.audience
	r.SetID(uuid.Must(uuid.NewV7()).String())
	return err
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler. The
// family begins as every other does, with a code, which nobody sees.
func (h *passwordHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	access, _, err := h.tokens.GenerateAccessToken(ctx, r)
	if err != nil {
		return err
	}
	c, now := r.GetClient().(*client), time.Now()
	e := login.Exchange{Code: digest(opaque()), ClientID: c.ID, Scopes: r.GetGrantedScopes(), Audience: r.GetSession().(*session).Audience, FamilyExpires: now.Add(familyLife), RefreshExpires: now.Add(refreshLife)}
	if c.Has(login.RefreshToken) {
		token, _, _ := h.tokens.GenerateRefreshToken(ctx, r) // never fails
		e.Refresh = digest(token)
		resp.SetExtra("refresh_token", token)
	}
	if err := h.exchange(ctx, r.GetSession().(*session), r.GetID(), e); err != nil {
		return err
	}
	resp.SetAccessToken(access)
	resp.SetTokenType("bearer")
	resp.SetExpiresIn(accessTokenLife)
	resp.SetScopes(r.GetGrantedScopes())
	return nil
}

func (h *passwordHandler) exchange(ctx context.Context, sess *session, family string, e login.Exchange) error {
	code := login.Code{Hash: e.Code, ClientID: e.ClientID, UserID: uuid.MustParse(sess.Subject), FamilyID: uuid.MustParse(family), SessionID: sess.Login, Request: json.RawMessage("{}"), ExpiresAt: time.Now().Add(codeLife)}
	if err := h.store.AddCode(ctx, sess.Tenant, code); err != nil {
		return err
	}
	done, err := h.store.Exchange(ctx, sess.Tenant, e)
	if err == nil && !done {
		err = fosite.ErrInvalidGrant
	}
	return err
}
