package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/rest"
)

// delegate exchanges a token as our reports service.
func (w *world) delegate(t *testing.T, subject string, more url.Values) (int, map[string]any) {
	t.Helper()
	form := url.Values{"grant_type": {tokenExchange}, "subject_token": {subject}, "subject_token_type": {accessTokenType}}
	for k, v := range more {
		form[k] = v
	}
	return w.as("svc-reports", platformSecret).post(t, "/auth/token", form)
}

// as is the world as another client sees it.
func (w world) as(id, secret string) *world {
	w.client.ID, w.client.ClientSecret = id, secret
	return &w
}

func TestServiceActsForAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	status, body := w.delegate(t, tok.AccessToken, url.Values{"scope": {"tasks"}, "resource": {w.url + "/tasks"}})
	if status != 200 || body["issued_token_type"] != accessTokenType || body["token_type"] != "Bearer" || body["scope"] != "tasks" || body["refresh_token"] != nil {
		t.Fatalf("%d %v", status, body)
	}
	token, _ := body["access_token"].(string)
	at := func(service string) *rest.Verifier {
		return rest.NewVerifier(w.url+"/auth", w.url, w.url+"/auth/jwks.json").For(service)
	}
	who, err := at("tasks").Verify(t.Context(), token)
	if err != nil || who.User != w.user || who.Tenant != w.tenant || who.Actor != "svc-reports" || who.Client != "svc-reports" || who.HasScope("openid") || who.IsPlatform() {
		t.Errorf("at tasks it names %+v, %v", who, err)
	}
	if _, err := at("users").Verify(t.Context(), token); err == nil {
		t.Error("it is good at a service that it is not for")
	}
	ours := w.as("svc-reports", platformSecret)
	if !ours.active(t, token) || w.active(t, token) {
		t.Error("it is not its client's alone")
	}
	if status, _ := ours.post(t, "/auth/revoke", url.Values{"token": {token}}); status != 200 || ours.active(t, token) || !w.active(t, tok.AccessToken) {
		t.Errorf("its revocation: %d; it ends itself alone", status)
	}
}

func TestDelegationIsNoWiderAndNoLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.Scopes = []string{"openid", "tasks"}
	tok := w.tokens(t, c)
	id, _ := tok.Extra("id_token").(string)
	for want, more := range map[string]url.Values{
		"invalid_scope":      {"scope": {"tasks reports"}},
		"invalid_scope ":     {"scope": {"platform"}},
		"invalid_target":     {"resource": {"https://elsewhere.example"}},
		"invalid_target ":    {"resource": {w.url + "/tasks/"}},
		"invalid_request":    {"subject_token": {id}},
		"invalid_request ":   {"subject_token": {w.machineToken(t)}},
		"invalid_request  ":  {"subject_token_type": {"urn:ietf:params:oauth:token-type:refresh_token"}},
		"invalid_request   ": {"actor_token": {tok.AccessToken}},
	} {
		if status, body := w.delegate(t, tok.AccessToken, more); status != 400 || body["error"] != trim(want) {
			t.Errorf("%v: %d %v, want %s", more, status, body, want)
		}
	}
	_, body := w.delegate(t, tok.AccessToken, nil)
	once, _ := body["access_token"].(string)
	var first, second accessClaims
	k := w.replica(t)
	if _, err := k.verify(tok.AccessToken, &first); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // times are in seconds
	_, body = w.delegate(t, once, nil)
	twice, _ := body["access_token"].(string)
	if _, err := k.verify(twice, &second); err != nil || second.Expiry.Time().After(first.Expiry.Time()) || second.Actor.depth() != 2 || second.Scope != first.Scope {
		t.Errorf("exchanged again: %+v after %+v, %v", second, first, err)
	}
	if status, _ := w.post(t, "/auth/revoke", url.Values{"token": {tok.RefreshToken}}); status != 200 || w.as("svc-reports", platformSecret).active(t, twice) {
		t.Errorf("it outlives the person's login: %d", status)
	}
	if status, body := w.delegate(t, tok.AccessToken, nil); status != 400 || body["error"] != "invalid_request" {
		t.Errorf("a revoked token: %d %v", status, body)
	}
}

// Discovery names the grant to everybody, but it is for our own services: not even
// for the client whose token it is, however it proves itself.
func TestTokenExchangeIsForOurServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	var public ClientWithSecret
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Public", "type": "public", "redirect_uris": []string{callback}}, 201, &public)
	form := url.Values{"grant_type": {tokenExchange}, "subject_token": {w.tokens(t, c).AccessToken}, "subject_token_type": {accessTokenType}}
	if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "unauthorized_client" {
		t.Errorf("a confidential client: %d %v", status, body)
	}
	form.Set("client_id", public.ID)
	if status, body := answerOf(send(t, http.DefaultClient, w.url+"/auth/token", form)); status != 400 || body["error"] != "unauthorized_client" {
		t.Errorf("a public client: %d %v", status, body)
	}
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Wants it", "type": "confidential", "grant_types": []string{tokenExchange}}, 422, nil)
}

// A client that asks for one service gets tokens for that one.
func TestResourceIsTheAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	verifier := oauth2.GenerateVerifier()
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)) + "&" + url.Values{"resource": {w.url + "/tasks", w.url + "/reports"}}.Encode()
	to, _ := w.logIn(t, w.browser(t), at, email, password)
	for _, wide := range []string{w.url + "/users", w.url} {
		_, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("resource", wide))
		if refused, ok := err.(*oauth2.RetrieveError); !ok || refused.ErrorCode != "invalid_target" {
			t.Errorf("the code gives a token for %s, which was not authorized: %v", wide, err)
		}
	}
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("resource", w.url+"/tasks"))
	if err != nil {
		t.Fatal(err)
	}
	aud := func(token any) string {
		var c accessClaims
		raw, _ := token.(string)
		if _, err := w.replica(t).verify(raw, &c); err != nil {
			t.Fatal(err)
		}
		return join([]string(c.Audience))
	}
	if got := aud(tok.AccessToken); got != w.url+"/tasks" {
		t.Errorf("aud %s", got)
	}
	if _, err := w.verifier.Verify(t.Context(), tok.AccessToken); err == nil {
		t.Error("another service takes it")
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}}
	for _, wide := range [][]string{{w.url + "/users"}, {w.url}, {w.url + "/tasks", w.url}} {
		refresh["resource"] = wide
		if status, body := w.post(t, "/auth/token", refresh); body["error"] != "invalid_target" {
			t.Errorf("refreshed for %v: %d %v", wide, status, body)
		}
	}
	delete(refresh, "resource")
	if _, body := w.post(t, "/auth/token", refresh); aud(body["access_token"]) != w.url+"/tasks "+w.url+"/reports" {
		t.Errorf("refreshed: %v", body)
	}
	all := w.tokens(t, c)
	if _, body := w.post(t, "/auth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {all.RefreshToken}, "resource": {w.url}}); aud(body["access_token"]) != w.url {
		t.Errorf("a grant for all, refreshed for all: %v", body)
	}
	if _, body := w.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}, "resource": {w.url + "/tasks"}}); aud(body["access_token"]) != w.url+"/tasks" {
		t.Errorf("client credentials: %v", body)
	}
}

func trim(s string) string { return strings.TrimSpace(s) } // of keys of maps that would be the same
