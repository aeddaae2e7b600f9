package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
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
