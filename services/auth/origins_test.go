package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bailiwick.dev/domain/login"
)

// A page of a public client may read what the token endpoint answers it, good
// or bad, and userinfo with its tokens; nobody else's page may.
func TestPagesOfAClientMayReadItsTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.RedirectURL = callback
	var made struct {
		ID string `json:"client_id"`
	}
	w.send(t, "POST", "/auth/v1/clients", login.ClientDraft{Name: "Page", Type: login.Public, RedirectURIs: []string{c.RedirectURL}, WebOrigins: []string{"https://app.test"}}, 201, &made)
	c.ClientID, c.ClientSecret = made.ID, ""
	token := w.tokens(t, c)
	refused := url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {made.ID}, "redirect_uri": {c.RedirectURL}, "code_verifier": {strings.Repeat("v", 43)}}
	for origin, want := range map[string]string{"https://app.test": "https://app.test", "https://evil.test": "", "null": "", "": ""} {
		for path, form := range map[string]url.Values{"/auth/token": refused, "/auth/revoke": {"token": {"x"}, "client_id": {made.ID}}, "/auth/introspect": {"token": {"x"}, "client_id": {made.ID}}} {
			h := w.from(t, origin, "POST", path, "", form)
			if got := h.Get("Access-Control-Allow-Origin"); got != want && path != "/auth/introspect" || path == "/auth/introspect" && got != "" || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %q allows %q, want %q", path, origin, got, want)
			}
		}
		if got := w.from(t, origin, "GET", "/auth/userinfo", token.AccessToken, nil).Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("userinfo from %q allows %q, want %q", origin, got, want)
		}
		if got := w.from(t, origin, "POST", "/auth/userinfo", "", url.Values{"access_token": {token.AccessToken}}).Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("userinfo with the token in a form from %q allows %q, want %q", origin, got, want)
		}
		if got := w.from(t, origin, "GET", "/auth/jwks.json", "", nil).Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("the keys allow %q, want everybody", got)
		}
	}
}

// from sends a request as a page of origin does, and returns the answer's header.
func (w *world) from(t *testing.T, origin, method, path, token string, form url.Values) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.Header
}
