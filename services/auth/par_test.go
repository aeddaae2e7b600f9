package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"bailiwick.dev/domain/login"
)

// push pushes a request of the world's client.
func (w *world) push(t *testing.T, challenge string, more url.Values) (int, map[string]any) {
	t.Helper()
	form := url.Values{"response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid tasks"}, "state": {"pushed"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	for k, v := range more {
		form[k] = v
	}
	return w.post(t, "/auth/par", form)
}

func (w *world) authorizeURL(clientID string, uri any) string {
	at, _ := uri.(string)
	return w.url + "/auth/authorize?" + url.Values{"client_id": {clientID}, "request_uri": {at}}.Encode()
}

func TestPushedRequestLogsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.RedirectURL = callback
	verifier := oauth2.GenerateVerifier()
	status, body := w.push(t, oauth2.S256ChallengeFromVerifier(verifier), nil)
	if status != 201 || body["expires_in"] != requestLife.Seconds() {
		t.Fatalf("%d %v", status, body)
	}
	at := w.authorizeURL(c.ClientID, body["request_uri"])
	// What the browser says beside it counts for nothing.
	to, _ := w.logIn(t, w.browser(t), at+"&scope=openid+reports&state=browser", email, password)
	if to == nil || to.Query().Get("state") != "pushed" {
		t.Fatalf("sent to %v", to)
	}
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil || tok.Extra("scope") != "openid tasks" {
		t.Errorf("%v, scope %v", err, tok.Extra("scope"))
	}
	if resp, err := http.Get(at); err != nil || resp.StatusCode != 400 {
		t.Errorf("an answered request: %v %v", resp.StatusCode, err)
	}
}

// Anybody may push for a public client, and fills no disk with it.
func TestPushedRequestsAreSmallAndFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var public login.Client
	w.send(t, "POST", "/auth/v1/clients", login.ClientDraft{Name: "Page", Type: login.Public, RedirectURIs: []string{callback}}, 201, &public)
	form := url.Values{"client_id": {public.ID}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())}, "code_challenge_method": {"S256"}, "foreign": {strings.Repeat("x", 20<<10)}}
	if status, body := w.anonymous(t, "/auth/par", form); status != 201 {
		t.Fatalf("%d %v", status, body)
	}
	var kept int
	if w.db.Scan(t, &kept, "select length(request::text) from pushed_requests"); kept > 500 {
		t.Errorf("%d bytes are kept", kept)
	}
	form.Set("state", strings.Repeat("x", maxPushed))
	if status, body := w.anonymous(t, "/auth/par", form); status != 413 || body["error"] != "invalid_request" {
		t.Errorf("a large one: %d %v", status, body)
	}
	form.Del("state")
	w.db.Exec(t, `insert into pushed_requests (tenant_id, hash, client_id, request, expires_at, network)
		select tenant_id, int4send(n), client_id, request, expires_at, network from pushed_requests, generate_series(2, $1) n`, login.MostRequests)
	if status, body := w.anonymous(t, "/auth/par", form); status != 429 || body["error"] != "temporarily_unavailable" {
		t.Errorf("one more than may wait: %d %v", status, body)
	}
	if status, body := w.push(t, form.Get("code_challenge"), nil); status != 201 {
		t.Errorf("of a client that proves itself: %d %v", status, body)
	}
}

func TestPushedRequestIsItsClientsAndJudgedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	challenge := oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())
	for want, more := range map[string]url.Values{
		"invalid_request":            {"redirect_uri": {"https://evil.example/"}},
		"invalid_request ":           {"request_uri": {requestURI + "x"}},
		"invalid_request  ":          {"code_challenge_method": {"plain"}},
		"invalid_request   ":         {"state": {"a\xffb"}},
		"invalid_request     ":       {"code_challenge": {strings.Repeat("c", 42) + "."}},
		"registration_not_supported": {"registration": {"{}"}},
		"invalid_scope":              {"scope": {"platform"}},
		"invalid_target":             {"resource": {"https://other.example"}},
		"unsupported_response_type":  {"response_type": {"token"}},
	} {
		if status, body := w.push(t, challenge, more); status != 400 || body["error"] != strings.TrimSpace(want) {
			t.Errorf("%v: %d %v", more, status, body)
		}
	}
	_, body := w.push(t, challenge, nil)
	if resp, err := http.Get(w.authorizeURL(w.client.ID, body["request_uri"])); err != nil || resp.StatusCode != 200 {
		t.Errorf("its own client: %v %v", resp.StatusCode, err)
	}
	_, late := w.push(t, challenge, nil)
	w.db.Exec(t, "update pushed_requests set expires_at = now() where hash = $1", digest(late["request_uri"].(string)))
	mine := w.client
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Other", "type": "confidential", "redirect_uris": []string{callback}}, 201, &w.client)
	for what, at := range map[string]string{"another client": w.authorizeURL(w.client.ID, body["request_uri"]), "an unknown one": w.authorizeURL(mine.ID, requestURI+"x"), "one after its life": w.authorizeURL(mine.ID, late["request_uri"])} {
		if resp, err := http.Get(at); err != nil || resp.StatusCode != 400 {
			t.Errorf("%s: %v %v", what, resp.StatusCode, err)
		}
	}
	w.client.ClientSecret = "wrong"
	if status, body := w.push(t, challenge, nil); status != 401 || body["error"] != "invalid_client" {
		t.Errorf("a wrong secret: %d %v", status, body)
	}
}
