package main

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// logout is the end session endpoint (OpenID Connect RP-Initiated Logout 1.0).
// With an ID token of the person's the browser's session ends at once; without
// one the person is asked, so that no other site can log anybody out. Either way
// it leads back only to what the client has registered.
func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		if err := parseForm(w, r); err != nil {
			s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
			return
		}
		if s.comeAgain(w, r) {
			return
		}
		params = r.PostForm
	}
	hint, proves, err := s.readHint(params.Get("id_token_hint"))
	if err != nil { // it says nothing
		hint, proves = jwt.Claims{}, false
	}
	if len(hint.Audience) > 0 && !params.Has("client_id") {
		params.Set("client_id", hint.Audience[0])
	}
	c, err := s.findClient(r.Context(), params.Get("client_id"))
	if err != nil && !fault.Is(err, fault.NotFound) { // without a client it leads nowhere
		s.broken(w, r, err)
		return
	}
	hinted := false
	if proves && hint.Audience.Contains(c.ID) {
		if hinted, err = s.isOfSession(r, c.Tenant, hint); err != nil {
			s.broken(w, r, err)
			return
		}
	}
	to := params.Get("post_logout_redirect_uri")
	if !slices.Contains(c.PostLogoutRedirectURIs, to) {
		to = ""
	}
	if !hinted && (r.Method != http.MethodPost || s.forged(r)) {
		s.askToLogOut(w, r, params, to)
		return
	}
	var left []sessionValue
	if hinted {
		left = s.otherSessions(r, c.Tenant)
		err = errors.Join(s.endSession(r, c.Tenant), s.endExpired(r, c.Tenant, hint))
	} else {
		err = s.endAll(r)
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.holdSessions(w, left)
	if to == "" {
		show(w, "message.html", map[string]string{"Title": "You are logged out", "Text": "You can close this page."}, http.StatusOK, "'none'")
		return
	}
	if params.Has("state") {
		to = with(to, url.Values{"state": {params.Get("state")}})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// askToLogOut shows a page whose form goes on with the request.
func (s *server) askToLogOut(w http.ResponseWriter, r *http.Request, params url.Values, to string) {
	keep, action := map[string]string{}, "'self'"
	if to != "" {
		action = anywhere
		for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
			if params.Has(name) {
				keep[name] = params.Get(name)
			}
		}
	}
	show(w, "message.html", map[string]any{"Title": "Log out?", "Text": "You are about to log out of Bailiwick in this browser.", "CSRF": s.csrf(w, r), "Keep": keep}, http.StatusOK, action)
}

// endAll ends all of the browser's sessions.
func (s *server) endAll(r *http.Request) (err error) {
	for _, v := range s.sessionValues(r) {
		err = errors.Join(err, s.endSession(r, v.tenant))
	}
	return err
}

// endSession ends the browser's session with a tenant, if there is one, with what it gave.
func (s *server) endSession(r *http.Request, tenant uuid.UUID) error {
	sess, err := s.heldSession(r, tenant)
	if err == nil && sess != nil {
		err = s.store.EndSession(r.Context(), identity.Caller{Tenant: tenant, User: sess.UserID}, sess.ID, event(r, sess.UserID, login.SessionEnded))
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// endExpired ends what is left of the session that gave an ID token, if its time
// was over before the logout.
func (s *server) endExpired(r *http.Request, tenant uuid.UUID, hint jwt.Claims) error {
	user, _ := uuid.Parse(hint.Subject)
	family, _ := uuid.Parse(hint.ID) // an ID token of an earlier release has none
	return s.store.EndExpired(r.Context(), tenant, family, event(r, user, login.SessionEnded))
}

// isOfSession reports whether an ID token is the person's who is logged in here at
// the tenant, or nobody is.
func (s *server) isOfSession(r *http.Request, tenant uuid.UUID, hint jwt.Claims) (bool, error) {
	sess, err := s.heldSession(r, tenant)
	return err == nil && (sess == nil || sess.UserID.String() == hint.Subject), err
}
