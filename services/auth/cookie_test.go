package main

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// held returns what a browser without a jar sends back of an answer's cookies,
// each of which must be as it should at this address of ours.
func held(t *testing.T, resp *http.Response, prefix string) string {
	t.Helper()
	var pairs []string
	for _, c := range resp.Cookies() {
		path := "/auth"
		if prefix != "" {
			path = "/"
		}
		if !strings.HasPrefix(c.Name, prefix+"bailiwick_") || c.Secure != (prefix != "") || c.Path != path || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("a cookie is %+v", c)
		}
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// Our own address decides, not what a request claims.
func TestCookiesAreTheHostsOwnOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	for public, prefix := range map[string]string{"https://id.example": "__Host-", w.cfg.PublicURL: ""} {
		claimed := "http"
		if prefix == "" {
			claimed = "https"
		}
		of := *w
		of.cfg.PublicURL = public
		at := of.replicaOn(t, w.db.AppURL, w.db.SystemURL).url
		b := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := b.Get(at + strings.TrimPrefix(c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), w.url))
		if err != nil {
			t.Fatal(err)
		}
		csrf := held(t, resp, prefix)
		_, form := read(t, resp)
		form.Set("email", email)
		form.Set("password", password)
		resp = send(t, b, at+"/auth/login", form, "Cookie", csrf, "X-Forwarded-Proto", claimed)
		all := held(t, resp, prefix)
		if resp.StatusCode != http.StatusOK || !strings.Contains(all, prefix+sessionCookie) || !strings.Contains(all, prefix+deviceCookie) {
			t.Fatalf("a login at %s: %d with %s", public, resp.StatusCode, all)
		}
		planted := http.StatusUnauthorized // a cookie without the prefix may be of another host of the domain
		if prefix == "" {
			planted = http.StatusOK
		}
		for _, try := range []struct {
			cookies string
			want    int
		}{{all, http.StatusOK}, {strings.ReplaceAll(all, "__Host-", ""), planted}} {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/auth/account", nil)
			req.Header.Set("Cookie", try.cookies)
			if resp, err := b.Do(req); err != nil || resp.StatusCode != try.want {
				t.Errorf("at %s the person's page with %s: %v, %v", public, try.cookies, resp.StatusCode, err)
			}
		}
	}
}
