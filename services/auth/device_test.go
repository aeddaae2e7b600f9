package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// guesser returns how a login from an address is answered in a browser.
func (w *world) guesser(t *testing.T, b *http.Client) func(pass, from string) int {
	t.Helper()
	c, _ := w.oauth(t)
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", "login")))
	form.Set("email", email)
	return func(pass, from string) int {
		form.Set("password", pass)
		return send(t, b, w.url+"/auth/login", form, "X-Forwarded-For", from).StatusCode
	}
}

// Guesses from many networks are slowed together, and by every replica; where
// the owner has logged in before they do not matter, nor in the very network.
func TestOwnerGetsInWhereTheyLoggedInBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.browser(t)
	owner := w.guesser(t, own)
	if got := owner(password, "198.51.100.1"); got != http.StatusOK {
		t.Fatalf("the first login: %d", got)
	}
	before := w.cookie(t, own, deviceCookie)
	guess, slowed := w.guesser(t, w.browser(t)), 0
	for i := range 30 {
		if guess("wrong password", fmt.Sprintf("10.%d.0.1", i)) == http.StatusTooManyRequests {
			slowed++
		}
	}
	w.db.Exec(t, "update login_failures set blocked_until = now() + interval '1 minute' where failures > 20")
	if got := guess(password, "192.0.2.1"); slowed == 0 || got != http.StatusTooManyRequests {
		t.Errorf("%d of 30 networks were slowed; one more is answered %d", slowed, got)
	}
	far := w.replicaOn(t, w.db.AppURL, w.db.SystemURL)
	far.url, w.url = w.url, far.url // the page is of the first, the form goes to the second
	if got := guess(password, "192.0.2.2"); got != http.StatusTooManyRequests {
		t.Errorf("another replica answers %d", got)
	}
	w.url = far.url
	for range 8 {
		guess("wrong password", "198.51.100.7")
	}
	w.db.Exec(t, "update login_failures set blocked_until = now() + interval '1 minute'")
	if got := owner(password, "198.51.100.1"); got != http.StatusOK {
		t.Errorf("the owner in their own browser: %d", got)
	}
	if after := w.cookie(t, own, deviceCookie); after == before || strings.Contains(after, before) {
		t.Errorf("the browser is known by %q after %q", after, before)
	}
	for range 6 {
		owner("wrong password", "198.51.100.1")
	}
	if got := owner(password, "203.0.113.1"); got != http.StatusTooManyRequests {
		t.Errorf("guesses in the owner's browser are not slowed: %d", got)
	}
}

// A browser may be many people's, but a request is not made to look for many;
// what is kept of its secret is the hash.
func TestBrowserIsKnownByAHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	w.guesser(t, b)(password, "198.51.100.1")
	value := w.cookie(t, b, deviceCookie)
	var hash []byte
	if w.db.Scan(t, &hash, "select hash from known_devices"); string(hash) != string(digest(value)) {
		t.Error("what is kept is not the hash of the browser's secret")
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, nil)
	req.AddCookie(&http.Cookie{Name: deviceCookie, Value: strings.Repeat("x.", 99) + value})
	if got := (&server{}).devices(req); len(got) != deviceSharers {
		t.Errorf("%d devices are looked for", len(got))
	}
}
