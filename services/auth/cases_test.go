package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/access/fake"
)

// replicaOn is another replica, which reaches the database at these URLs.
func (w *world) replicaOn(t *testing.T, appURL, systemURL string) *world {
	t.Helper()
	open := func(at string) *postgres.DB {
		db, err := postgres.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return db
	}
	cfg := w.cfg
	cfg.KeyReload = time.Hour
	r, err := surface(t.Context(), cfg, w.verifier, nil, authdb.New(open(appURL), open(systemURL)), fake.Gate{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(r.Handler())
	t.Cleanup(srv.Close)
	far := *w
	far.url = srv.URL
	return &far
}

// A revocation that was not stored is no revocation (RFC 7009, section 2.2.1):
// fosite's own answers 200.
func TestRevocationSaysWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	var app pgtest.Broken
	far := w.replicaOn(t, app.URL(t, w.db.AppURL), w.db.SystemURL)
	for name, form := range map[string]url.Values{
		"/auth/revoke":     {"token": {tok.RefreshToken}},
		"/auth/revoke?":    {"token": {tok.AccessToken}},
		"/auth/introspect": {"token": {tok.RefreshToken}},
		"/auth/token":      {"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}},
	} {
		app.After(0)
		if status, body := far.post(t, name, form); status != 503 || body["error"] != "temporarily_unavailable" {
			t.Errorf("%s without a database: %d %v", name, status, body)
		}
	}
	if !w.active(t, tok.AccessToken) || !w.active(t, tok.RefreshToken) {
		t.Error("a token is dead although nobody was told so")
	}
}

// fosite's stateless validator takes an ID token for an access token.
func TestIDTokenIsNoAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	id, _ := w.tokens(t, c).Extra("id_token").(string)
	if w.active(t, id) {
		t.Error("introspection takes it")
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", w.url+"/auth/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+id)
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 401 {
		t.Errorf("userinfo takes it: %v %v", resp.StatusCode, err)
	}
}

// What fosite's ComposeAllEnabled would switch on.
func TestNoImplicitNoHybridNoPasswordGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	for _, kind := range []string{"token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none"} {
		if got := s.authorize(t, map[string]string{"response_type": kind}).Get("error"); got != "unsupported_response_type" {
			t.Errorf("response_type=%s: %q", kind, got)
		}
	}
	if status, body := w.post(t, "/auth/token", url.Values{"grant_type": {"password"}, "username": {email}, "password": {password}}); status != 400 || body["access_token"] != nil {
		t.Errorf("the password grant: %d %v", status, body)
	}
}

func TestStateComesBackByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	for _, state := range []string{"", "a b+c%20&=", `"<script>'`, "ü𐀀\t", strings.Repeat("x", 2000)} {
		to, _ := w.logIn(t, w.browser(t), c.AuthCodeURL(state, oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), email, password)
		if to == nil || to.Query().Get("state") != state {
			t.Errorf("%q comes back as %v", state, to)
		}
	}
}

func TestCodeNeedsItsVerifierInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	code := s.authorize(t, nil).Get("code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.c.RedirectURL}}
	for what, verifier := range map[string]string{"none": "", "short": s.verifier[:42], "long": strings.Repeat("x", 129), "another": oauth2.GenerateVerifier(), "the challenge": oauth2.S256ChallengeFromVerifier(s.verifier)} {
		form.Set("code_verifier", verifier)
		if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "invalid_grant" && body["error"] != "invalid_request" {
			t.Errorf("%s: %d %v", what, status, body)
		}
	}
	form.Set("code_verifier", s.verifier)
	form.Set("redirect_uri", callback)
	if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("another redirect_uri: %d %v", status, body)
	}
	form.Set("redirect_uri", s.c.RedirectURL)
	w.db.Exec(t, "update authorization_codes set expires_at = now()")
	if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("after its life: %d %v", status, body)
	}
}

func TestFamilyHasAnAbsoluteLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	w.db.Exec(t, "update token_families set expires_at = now() + interval '1 hour'")
	_, body := w.refresh(t, tok.RefreshToken)
	next, _ := body["refresh_token"].(string)
	_, told := w.post(t, "/auth/introspect", url.Values{"token": {next}})
	if exp, _ := told["exp"].(float64); time.Until(time.Unix(int64(exp), 0)) > time.Hour {
		t.Errorf("a refresh token outlives its family: %v", told)
	}
	w.db.Exec(t, "update token_families set expires_at = now()")
	if status, body := w.refresh(t, next); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("past the absolute life: %d %v", status, body)
	}
}

// Nothing leads anywhere but to what is registered, whatever a link says.
func TestNextIsNeverFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	for _, evil := range []string{"//evil.example", "https://evil.example/", `\\evil.example`, "/\t/evil.example"} {
		more := url.Values{"next": {evil}, "return_to": {evil}, "continue": {evil}, "rd": {evil}}.Encode()
		to, _ := w.logIn(t, w.browser(t), s.authorizeAt(nil)+"&"+more, email, password)
		if to == nil || to.Hostname() != "127.0.0.1" {
			t.Errorf("a login leads to %v", to)
		}
		for _, name := range []string{"post_logout_redirect_uri", "next"} {
			resp, err := w.browser(t).Get(w.url + "/auth/logout?" + url.Values{name: {evil}}.Encode())
			if err != nil || resp.Header.Get("Location") != "" {
				t.Errorf("a logout leads to %v, %v", resp.Header.Get("Location"), err)
			}
		}
	}
}

// Too much is refused before it is understood, and is not kept.
func TestLargeRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	huge := strings.Repeat("x", 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		for _, form := range []url.Values{{"grant_type": {huge}}, {"grant_type": {"refresh_token"}, "refresh_token": {huge}}, {"client_assertion": {huge}}} {
			if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "invalid_request" {
				t.Errorf("a form of a MiB: %d %.100v", status, body)
			}
		}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", w.url+"/auth/userinfo", nil)
		req.Header.Set("Authorization", "Bearer "+huge)
		if resp, err := http.DefaultClient.Do(req); err == nil && resp.StatusCode/100 != 4 {
			t.Errorf("a token of a MiB: %d", resp.StatusCode)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("%d MiB are kept", grown>>20)
	}
}

func TestPagesAreNotFramedAndTellOthersNoReferrer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	for _, at := range []string{s.authorizeAt(nil), w.url + "/auth/logout", s.authorizeAt(map[string]string{"redirect_uri": "https://evil.example/"})} {
		resp, err := s.b.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		h := resp.Header
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", at, h)
		}
	}
	resp, err := s.b.Get(s.authorizeAt(map[string]string{"prompt": "none"}))
	if err != nil || resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("a redirect: %v, %v", resp, err)
	}
}

func TestTokensAreNotCachedNorInURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.machineToken(t)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/auth/token", strings.NewReader("grant_type=client_credentials"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(w.client.ID, w.client.ClientSecret)
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v, %v", resp, err)
	}
	if resp, err := http.Get(w.url + "/auth/userinfo?access_token=" + token); err != nil || resp.StatusCode != 401 {
		t.Errorf("a token in the query: %v, %v", resp, err)
	}
}
