package main

import (
	"maps"
	"net/url"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/postgres/pgtest"
)

// The endpoints that clients call all day ask a distant database so often: for
// the client, if it has not been seen within the second, and once more. The
// least of three rounds counts: in the first, connections are made and
// statements prepared, and at any time the replica may ask for itself.
func TestRoundTripsOfTheProtocol(t *testing.T) {
	t.Parallel()
	near := newWorld(t)
	var d pgtest.Distant
	far := near.replicaOn(t, d.URL(t, near.db.AppURL), d.URL(t, near.db.SystemURL))
	c, _ := near.oauth(t)
	least := map[string]int{}
	trips := func(what string, do func() (int, map[string]any)) {
		t.Helper()
		time.Sleep(recentLife) // so that the client is looked up
		d.Count()
		status, body := do()
		n := d.Count()
		if status != 200 {
			t.Fatalf("%s: %d %v", what, status, body)
		}
		if before, tried := least[what]; !tried || n < before {
			least[what] = n
		}
	}
	for range 3 {
		tok := near.tokens(t, c)
		trips("refresh", func() (int, map[string]any) { return far.refresh(t, tok.RefreshToken) })
		trips("introspection", func() (int, map[string]any) {
			return far.post(t, "/auth/introspect", url.Values{"token": {tok.AccessToken}})
		})
		trips("revocation", func() (int, map[string]any) {
			return far.post(t, "/auth/revoke", url.Values{"token": {tok.AccessToken}})
		})
		trips("client credentials", func() (int, map[string]any) {
			return far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
		})
		trips("client credentials again", func() (int, map[string]any) {
			far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
			return far.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
		})
		verifier := oauth2.GenerateVerifier()
		to, _ := near.logIn(t, near.browser(t), c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), email, password)
		trips("code", func() (int, map[string]any) {
			return far.post(t, "/auth/token", url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {c.RedirectURL}, "code_verifier": {verifier}})
		})
	}
	want := map[string]int{"refresh": 2, "introspection": 2, "revocation": 2, "client credentials": 1, "client credentials again": 1, "code": 3}
	if !maps.Equal(least, want) {
		t.Errorf("round trips: %v, want %v", least, want)
	}
}
