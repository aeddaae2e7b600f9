package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// suite is the OpenID conformance suite's view of the server: one client, one
// browser, one authorization after the other. Tests bear the names of its modules.
type suite struct {
	*world
	c        *oauth2.Config
	p        *oidc.Provider
	b        *http.Client
	verifier string
}

func newSuite(t *testing.T, w *world) *suite {
	t.Helper()
	c, p := w.oauth(t)
	c.Scopes = []string{"openid"}
	return &suite{w, c, p, w.browser(t), oauth2.GenerateVerifier()}
}

// modules runs each as a test of its own, with a browser of its own.
func modules(t *testing.T, all map[string]func(*testing.T, *suite)) {
	t.Helper()
	w := newWorld(t)
	for name, run := range all {
		t.Run(name, func(t *testing.T) { run(t, newSuite(t, w)) })
	}
}

// authorizeAt returns the authorization URL; params that are empty are left out.
func (s *suite) authorizeAt(params map[string]string) string {
	all := map[string]string{"client_id": s.c.ClientID, "redirect_uri": s.c.RedirectURL, "response_type": "code", "scope": "openid", "state": "the state", "nonce": "n-0S6",
		"code_challenge": oauth2.S256ChallengeFromVerifier(s.verifier), "code_challenge_method": "S256"}
	maps.Copy(all, params)
	q := url.Values{}
	for k, v := range all {
		if v != "" {
			q.Set(k, v)
		}
	}
	return s.url + "/auth/authorize?" + q.Encode()
}

// authorize logs in where it is asked for, and returns what the client is sent.
func (s *suite) authorize(t *testing.T, params map[string]string) url.Values {
	t.Helper()
	to, status := s.logIn(t, s.b, s.authorizeAt(params), email, password)
	if to == nil {
		t.Fatalf("nobody is sent to the client: %d", status)
	}
	if to.Query().Get("state") != "the state" || to.Query().Get("iss") != s.url+"/auth" {
		t.Errorf("state and iss of %v", to.Query())
	}
	return to.Query()
}

// idClaims are those of an ID token that was verified.
type idClaims struct {
	Subject  string `json:"sub"`
	Nonce    string `json:"nonce"`
	AuthTime int64  `json:"auth_time"`
	IssuedAt int64  `json:"iat"`
	AtHash   string `json:"at_hash"`
	Rat      int64  `json:"rat"` // fosite's own, which no standard knows
}

// tokensFor exchanges the code and verifies the ID token.
func (s *suite) tokensFor(t *testing.T, answer url.Values) (*oauth2.Token, idClaims) {
	t.Helper()
	tok, err := s.c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(s.verifier))
	if err != nil {
		t.Fatal(err)
	}
	return tok, s.verified(t, tok)
}

func (s *suite) verified(t *testing.T, tok *oauth2.Token) (c idClaims) {
	t.Helper()
	raw, _ := tok.Extra("id_token").(string)
	id, err := s.p.Verifier(&oidc.Config{ClientID: s.c.ClientID}).Verify(t.Context(), raw)
	if err == nil {
		err = id.VerifyAccessToken(tok.AccessToken)
	}
	if err == nil {
		err = id.Claims(&c)
	}
	if err != nil || c.AuthTime == 0 || c.AtHash == "" || c.Rat != 0 {
		t.Fatalf("ID token %+v: %v", c, err)
	}
	return c
}

// succeeds is a module that does no more than one whole authorization.
func succeeds(params map[string]string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) { s.tokensFor(t, s.authorize(t, params)) }
}

func (s *suite) userinfo(t *testing.T, method, token string, form url.Values) map[string]any {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), method, s.url+"/auth/userinfo", strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil || resp.StatusCode != 200 || claims["sub"] != s.user.String() {
		t.Errorf("userinfo: %d %s", resp.StatusCode, body)
	}
	return claims
}

// scoped is a module that asks for scopes and wants claims of userinfo. The ID
// token holds the same.
func scoped(scope string, want map[string]any) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		tok, _ := s.tokensFor(t, s.authorize(t, map[string]string{"scope": scope}))
		var inToken map[string]any
		raw, _ := tok.Extra("id_token").(string)
		if id, err := s.p.Verifier(&oidc.Config{ClientID: s.c.ClientID}).Verify(t.Context(), raw); err != nil || id.Claims(&inToken) != nil {
			t.Fatalf("the ID token: %v", err)
		}
		for from, got := range map[string]map[string]any{"userinfo": s.userinfo(t, "GET", tok.AccessToken, nil), "the ID token": inToken} {
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: %s: %v, want %v", from, k, got[k], v)
				}
			}
			if want["email"] == nil && got["email"] != nil || want["name"] == nil && got["name"] != nil {
				t.Errorf("%s tells more than was asked for: %v", from, got)
			}
		}
	}
}

// refused is a module whose request is answered with an error to the client.
func refused(params map[string]string, want ...string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		if got := s.authorize(t, params).Get("error"); !strings.Contains(" "+strings.Join(want, " ")+" ", " "+got+" ") {
			t.Errorf("%q, want one of %v", got, want)
		}
	}
}

// stopped is a module whose request is answered with a page, never a redirect.
func stopped(params map[string]string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		resp, err := s.b.Get(s.authorizeAt(params))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
			t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

// again authorizes twice and returns the claims of both ID tokens.
func (s *suite) again(t *testing.T, wait time.Duration, params map[string]string) (first, second idClaims) {
	t.Helper()
	_, first = s.tokensFor(t, s.authorize(t, nil))
	time.Sleep(wait)
	_, second = s.tokensFor(t, s.authorize(t, params))
	return first, second
}

func reuse(wait time.Duration) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		answer := s.authorize(t, nil)
		tok, _ := s.tokensFor(t, answer)
		if wait > 0 {
			s.db.Exec(t, "update authorization_codes set used_at = used_at - $1::interval, expires_at = expires_at - $1::interval", wait)
		}
		if _, err := s.c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(s.verifier)); err == nil || s.active(t, tok.AccessToken) {
			t.Errorf("a code used again: %v, or its tokens live", err)
		}
	}
}
