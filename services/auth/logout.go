package main

import (
	"net/http"
	"net/url"
	"slices"

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
	c, hinted, err := s.hinted(r, params)
	if err == nil && !hinted {
		c, err = s.findClient(r.Context(), params.Get("client_id"))
	}
	if err != nil && !fault.Is(err, fault.NotFound) { // without a client it leads nowhere
		s.broken(w, r, err)
		return
	}
	to := params.Get("post_logout_redirect_uri")
	if !slices.Contains(c.PostLogoutRedirectURIs, to) {
		to = ""
	}
	if !hinted && (r.Method != http.MethodPost || s.forged(r)) {
		s.askToLogOut(w, r, params, to)
		return
	}
	if err := s.endSession(r); err != nil {
		s.broken(w, r, err)
		return
	}
	s.setCookie(w, sessionCookie, "", gone)
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

// endSession ends the browser's session, if there is one, with what it gave.
func (s *server) endSession(r *http.Request) error {
	tenant, value := s.sessionValue(r)
	if value == "" {
		return nil
	}
	sess, err := s.store.Session(r.Context(), tenant, digest(value))
	if err == nil {
		err = s.store.EndSession(r.Context(), identity.Caller{Tenant: tenant, User: sess.UserID}, sess.ID, event(r, sess.UserID, login.SessionEnded))
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// hinted returns the client whose ID token, of the person logged in here, the
// request carries.
func (s *server) hinted(r *http.Request, params url.Values) (login.Client, bool, error) {
	client, subject := s.clientOfHint(params.Get("id_token_hint"))
	if client == "" || params.Has("client_id") && params.Get("client_id") != client {
		return login.Client{}, false, nil
	}
	c, err := s.findClient(r.Context(), client)
	if err != nil {
		return login.Client{}, false, err
	}
	tenant, _ := s.sessionValue(r) // whichever it is: it is what would end
	sess, err := s.heldSession(r, tenant)
	return c, err == nil && (sess == nil || sess.UserID.String() == subject), err
}

// clientOfHint returns the client of an ID token, and whom it names: nothing where it is
// none of ours.
func (s *server) clientOfHint(token string) (client, subject string) {
	var claims struct {
		Subject  string   `json:"sub"`
		Audience []string `json:"aud"`
	}
	typ, err := s.keys.verify(token, &claims)
	if err != nil || typ != "JWT" || len(claims.Audience) == 0 {
		return "", ""
	}
	return claims.Audience[0], claims.Subject
}
