package main

import (
	"net/url"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/postgres/pgtest"
)

// The endpoints that clients call all day ask a distant database so often: for
// the client, if it has not been seen within the second, and once more.
func TestRoundTripsOfTheProtocol(t *testing.T) {
	t.Parallel()
	near := newWorld(t)
	var d pgtest.Distant
	far := near.replicaOn(t, d.URL(t, near.db.AppURL), d.URL(t, near.db.SystemURL))
	c, _ := near.oauth(t)
	trips := func(what string, want int, do func() (int, map[string]any)) {
		t.Helper()
		time.Sleep(recentLife) // so that the client is looked up
		d.Count()
		status, body := do()
		if n := d.Count(); status != 200 || n > want {
			t.Errorf("%s: %d %v in %d round trips, want at most %d", what, status, body, n, want)
		}
	}
	for _, prepared := range []bool{false, true} {
		slack := 0
		if !prepared { // the first time the statements are prepared
			slack = 4
		}
		tok := near.tokens(t, c)
		trips("refresh", 2+slack, func() (int, map[string]any) { return far.refresh(t, tok.RefreshToken) })
		trips("introspection", 2+slack, func() (int, map[string]any) {
			return far.post(t, "/auth/introspect", url.Values{"token": {tok.AccessToken}})
		})
		trips("revocation", 2+slack, func() (int, map[string]any) {
			return far.post(t, "/auth/revoke", url.Values{"token": {tok.AccessToken}})
		})
		trips("client credentials", 1+slack, func() (int, map[string]any) {
			return far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
		})
		trips("client credentials again", 1+slack, func() (int, map[string]any) {
			far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
			return far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
		})
		verifier := oauth2.GenerateVerifier()
		to, _ := near.logIn(t, near.browser(t), c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), email, password)
		trips("code", 3+slack, func() (int, map[string]any) {
			return far.post(t, "/auth/token", url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {c.RedirectURL}, "code_verifier": {verifier}})
		})
	}
}
