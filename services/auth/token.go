package main

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

const maxForm = 64 << 10

// token is the token endpoint (RFC 6749, section 3.2).
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	answer, err := s.grant(w, r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	noStore(w)
	writeJSON(w, http.StatusOK, answer)
}

func (s *server) grant(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	if err := parseForm(w, r); err != nil {
		return nil, err
	}
	grant := r.PostForm.Get("grant_type")
	if grant != "" && grant != login.Password && !slices.Contains(supportedGrants, grant) {
		return nil, &fosite.RFC6749Error{ErrorField: "unsupported_grant_type", DescriptionField: "The grant types are " + strings.Join(supportedGrants, ", ") + ".", CodeField: http.StatusBadRequest}
	}
	if need := needed[grant]; need != "" && r.PostForm.Get(need) == "" {
		return nil, fosite.ErrInvalidRequest.WithHint("The " + need + " is missing.")
	}
	if grant != tokenExchange {
		r.PostForm.Del("audience") // fosite's own; ours is the resource of RFC 8707
	}
	x := &clientRequest{network: login.Network(address(r))}
	ctx := withClientRequest(r.Context(), x)
	req, err := s.provider.NewAccessRequest(ctx, r, &session{})
	if x.client != nil && !x.client.Has(grant) { // fosite says invalid_grant to a public one
		err = fosite.ErrUnauthorizedClient
	}
	if err != nil {
		return nil, err
	}
	if err := s.aim(x, req, r.PostForm); err != nil {
		return nil, err
	}
	resp, err := s.provider.NewAccessResponse(ctx, req)
	if x.refused != nil { // fosite would call it an error of the server
		return nil, x.refused
	}
	if err != nil {
		return nil, err
	}
	answer := resp.ToMap()
	answer["token_type"] = "Bearer"
	return answer, nil
}

// needed names what a grant is nothing without; fosite would look for the empty one.
var needed = map[string]string{login.AuthorizationCode: "code", login.RefreshToken: "refresh_token"}

// aim says whom the token is for, before anything is used up.
func (s *server) aim(x *clientRequest, req fosite.AccessRequester, form url.Values) error {
	if req.GetGrantTypes().ExactOne(tokenExchange) || req.GetGrantTypes().ExactOne(login.Password) {
		return nil // their handlers have
	}
	to, err := s.targetOf(x.client, form)
	if err != nil {
		return err
	}
	sess := req.GetSession().(*session)
	switch {
	case req.GetGrantTypes().ExactOne(login.ClientCredentials):
		sess.Tenant, sess.Audience = to.tenant, to.audience
		err = grantScopes(req, x.client)
	case req.GetGrantTypes().ExactOne(login.AuthorizationCode):
		if len(x.code.GrantedScope) == 0 {
			return fosite.ErrInvalidScope // all that was granted has been taken from the client since
		}
		x.asked = to.asked
		_, err = s.audienceOf(sess.Audience, x.asked)
	}
	return err
}

// grantScopes grants a client that acts for itself what it asks for, or all
// that it has; never what concerns a person, and not nothing.
func grantScopes(req fosite.AccessRequester, c *client) error {
	want := req.GetRequestedScopes()
	if len(want) == 0 {
		want = c.Scopes
	}
	for _, scope := range want {
		if !login.OfPersons(scope) {
			req.GrantScope(scope)
		}
	}
	if len(req.GetGrantedScopes()) == 0 {
		return fosite.ErrInvalidScope
	}
	return nil
}

// parseForm reads a form body of text. Parameters come once (RFC 6749, section
// 3.2), but for resource (RFC 8707).
func parseForm(w http.ResponseWriter, r *http.Request) error {
	if !isForm(r) {
		return fosite.ErrInvalidRequest.WithHint("The body is a form (application/x-www-form-urlencoded).")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return fosite.ErrInvalidRequest.WithHint("The form cannot be read.")
	}
	if err := legible(r.PostForm); err != nil {
		return err
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" {
			return fosite.ErrInvalidRequest.WithHint("A parameter is there more than once.")
		}
	}
	return nil
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// writeError answers as RFC 6749, section 5.2, says. Debug texts stay here, and
// a part that is missing is 503, not the client's fault.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	noStore(w)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Unavailable {
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable", "error_description": "A part of the server does not answer."})
		return
	}
	if fault.Is(err, fault.Throttled) { // guesses of the password grant
		err = &fosite.RFC6749Error{ErrorField: "invalid_grant", DescriptionField: rest.Tell(w, r, err).Text, CodeField: http.StatusTooManyRequests}
	}
	rfc := fosite.ErrorToRFC6749Error(err)
	if rfc.CodeField >= http.StatusInternalServerError || rfc.ErrorField == "error" {
		slog.Error("request failed", "request_id", rest.RequestID(r.Context()), "error", err, "debug", rfc.Debug())
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": "Something went wrong on our side."})
		return
	}
	if rfc.CodeField == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="bailiwick"`)
	}
	writeJSON(w, rfc.CodeField, map[string]string{"error": rfc.ErrorField, "error_description": describe(rfc)})
}

// describe keeps to the characters that RFC 6749, section 5.2, allows.
func describe(rfc *fosite.RFC6749Error) string {
	text := strings.TrimSpace(rfc.DescriptionField + " " + rfc.HintField)
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"':
			return '\''
		case c < ' ' || c > '~' || c == '\\':
			return -1
		}
		return c
	}, text)
}

// noStore keeps an answer out of caches, also of HTTP/1.0 (RFC 6749, section 5.1).
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

func join(scopes fosite.Arguments) string { return strings.Join(scopes, " ") }

// clientOf authenticates the client of an endpoint that fosite does not handle.
func (s *server) clientOf(w http.ResponseWriter, r *http.Request) (context.Context, *client, error) {
	if err := parseForm(w, r); err != nil {
		return nil, nil, err
	}
	x := &clientRequest{network: login.Network(address(r))}
	ctx := withClientRequest(r.Context(), x)
	_, err := s.authenticateClient(ctx, r, r.PostForm)
	return ctx, x.client, err
}
