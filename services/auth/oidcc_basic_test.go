package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// The modules of oidcc-basic-certification-test-plan. Those of what discovery
// says is not supported (request objects, the claims parameter, unsigned ID
// tokens, the scopes address and phone) check that it is refused or of no effect.
func TestOIDCCBasic(t *testing.T) {
	t.Parallel()
	modules(t, map[string]func(*testing.T, *suite){
		"oidcc-server":                oidccServer,
		"oidcc-response-type-missing": refused(map[string]string{"response_type": ""}, "invalid_request", "unsupported_response_type"),
		"oidcc-idtoken-signature":     oidccIDTokenSignature,
		"oidcc-idtoken-unsigned":      oidccIDTokenUnsigned,
		"oidcc-userinfo-get": func(t *testing.T, s *suite) {
			tok, _ := s.tokensFor(t, s.authorize(t, nil))
			s.userinfo(t, "GET", tok.AccessToken, nil)
		},
		"oidcc-userinfo-post-header": func(t *testing.T, s *suite) {
			tok, _ := s.tokensFor(t, s.authorize(t, nil))
			s.userinfo(t, "POST", tok.AccessToken, nil)
		},
		"oidcc-userinfo-post-body": func(t *testing.T, s *suite) {
			tok, _ := s.tokensFor(t, s.authorize(t, nil))
			s.userinfo(t, "POST", "", url.Values{"access_token": {tok.AccessToken}})
		},
		"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": func(t *testing.T, s *suite) {
			if _, c := s.tokensFor(t, s.authorize(t, map[string]string{"nonce": ""})); c.Nonce != "" {
				t.Errorf("a nonce that nobody sent: %q", c.Nonce)
			}
		},
		"oidcc-scope-profile":                     scoped("openid profile", map[string]any{"name": "Ada"}),
		"oidcc-scope-email":                       scoped("openid email", map[string]any{"email": email, "email_verified": true}),
		"oidcc-scope-address":                     refused(map[string]string{"scope": "openid address"}, "invalid_scope"),
		"oidcc-scope-phone":                       refused(map[string]string{"scope": "openid phone"}, "invalid_scope"),
		"oidcc-scope-all":                         scoped("openid profile email offline_access", map[string]any{"name": "Ada", "email": email}),
		"oidcc-ensure-other-scope-order-succeeds": scoped("email openid", map[string]any{"email": email}),
		"oidcc-alternate-happy-flow":              scoped("email profile openid", map[string]any{"name": "Ada", "email": email}), // the name that it has since
		"oidcc-display-page":                      succeeds(map[string]string{"display": "page"}),
		"oidcc-display-popup":                     succeeds(map[string]string{"display": "popup"}),
		"oidcc-prompt-login": func(t *testing.T, s *suite) {
			if first, second := s.again(t, 1100*time.Millisecond, map[string]string{"prompt": "login"}); second.AuthTime <= first.AuthTime || second.Subject != first.Subject {
				t.Errorf("authenticated at %d and, asked for again, at %d", first.AuthTime, second.AuthTime)
			}
		},
		"oidcc-prompt-none-not-logged-in": refused(map[string]string{"prompt": "none"}, "login_required", "interaction_required"),
		"oidcc-prompt-none-logged-in": func(t *testing.T, s *suite) {
			if first, second := s.again(t, 1100*time.Millisecond, map[string]string{"prompt": "none"}); second.AuthTime != first.AuthTime || second.Subject != first.Subject {
				t.Errorf("authenticated at %d and, silently, at %d", first.AuthTime, second.AuthTime)
			}
		},
		"oidcc-max-age-1": func(t *testing.T, s *suite) {
			if first, second := s.again(t, 2100*time.Millisecond, map[string]string{"max_age": "1"}); second.AuthTime <= first.AuthTime {
				t.Errorf("authenticated at %d and, older than max_age, at %d", first.AuthTime, second.AuthTime)
			}
		},
		"oidcc-max-age-10000": func(t *testing.T, s *suite) {
			if first, second := s.again(t, 1100*time.Millisecond, map[string]string{"max_age": "10000"}); second.AuthTime != first.AuthTime {
				t.Errorf("authenticated at %d and, younger than max_age, at %d", first.AuthTime, second.AuthTime)
			}
		},
		"oidcc-ensure-request-with-unknown-parameter-succeeds": succeeds(map[string]string{"extra": "foobar"}),
		"oidcc-id-token-hint":                           oidccIDTokenHint,
		"oidcc-login-hint":                              oidccLoginHint,
		"oidcc-ui-locales":                              succeeds(map[string]string{"ui_locales": "se sv"}),
		"oidcc-claims-locales":                          succeeds(map[string]string{"claims_locales": "se"}),
		"oidcc-ensure-request-with-acr-values-succeeds": succeeds(map[string]string{"acr_values": "1 2"}),
		"oidcc-claims-essential":                        succeeds(map[string]string{"claims": `{"userinfo":{"name":{"essential":true}}}`}),
		"oidcc-codereuse":                               reuse(0),
		"oidcc-codereuse-30seconds":                     reuse(30 * time.Second),
		"oidcc-ensure-registered-redirect-uri":          stopped(map[string]string{"redirect_uri": "https://app.example/cb/other"}),
		"oidcc-ensure-post-request-succeeds":            oidccPostRequest,
		"oidcc-server-client-secret-post":               oidccClientSecretPost,
		"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": refused(map[string]string{"request": b64(`{"alg":"none"}`) + "." + b64(`{}`) + "."}, "request_not_supported"),
		"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported":    refused(map[string]string{"request_uri": "https://app.example/request"}, "request_uri_not_supported"),
		"oidcc-ensure-request-object-with-redirect-uri":                                refused(map[string]string{"request": b64(`{"alg":"none"}`) + "." + b64(`{"redirect_uri":"https://evil.example/"}`) + "."}, "request_not_supported"),
		"oidcc-refresh-token":                           oidccRefreshToken,
		"oidcc-ensure-request-with-valid-pkce-succeeds": succeeds(nil),
	})
}

func oidccServer(t *testing.T, s *suite) {
	tok, c := s.tokensFor(t, s.authorize(t, nil))
	if c.Nonce != "n-0S6" || c.Subject != s.user.String() || tok.TokenType != "Bearer" || time.Until(tok.Expiry) > accessTokenLife || c.IssuedAt > time.Now().Unix() {
		t.Errorf("%+v and %+v", tok, c)
	}
	if s.userinfo(t, "GET", tok.AccessToken, nil)["sub"] != c.Subject {
		t.Error("the subjects of userinfo and of the ID token differ")
	}
}

// The ID token names a key of the JWKS and the algorithm that discovery names.
func oidccIDTokenSignature(t *testing.T, s *suite) {
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	raw, _ := tok.Extra("id_token").(string)
	set := s.jwks(t)
	if keys := set.Key(kidOf(t, raw)); len(keys) != 1 || keys[0].Algorithm != "ES256" {
		t.Errorf("the key of the ID token: %+v", keys)
	}
}

// The suite asks for an ID token without a signature where the metadata offers
// one, which this does not: no client can be registered for it.
func oidccIDTokenUnsigned(t *testing.T, s *suite) {
	if algs := s.metadata(t, "/auth/.well-known/openid-configuration")["id_token_signing_alg_values_supported"]; has(algs, "none") || !has(algs, "ES256") {
		t.Errorf("ID tokens may be signed with %v", algs)
	}
	s.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "c", "type": "public", "redirect_uris": []string{callback}, "id_token_signed_response_alg": "none"}, 422, nil)
}

func oidccIDTokenHint(t *testing.T, s *suite) {
	tok, first := s.tokensFor(t, s.authorize(t, nil))
	raw, _ := tok.Extra("id_token").(string)
	if _, second := s.tokensFor(t, s.authorize(t, map[string]string{"prompt": "none", "id_token_hint": raw})); second.Subject != first.Subject {
		t.Errorf("%+v after %+v", second, first)
	}
	s.b = s.browser(t) // where nobody is logged in
	if got := s.authorize(t, map[string]string{"prompt": "none", "id_token_hint": raw}).Get("error"); got != "login_required" {
		t.Errorf("nobody is logged in: %q", got)
	}
}

func oidccLoginHint(t *testing.T, s *suite) {
	resp, err := s.b.Get(s.authorizeAt(map[string]string{"login_hint": "bob@acme.example"}))
	if err != nil {
		t.Fatal(err)
	}
	if page := text(t, resp); !strings.Contains(page, `value="bob@acme.example"`) {
		t.Errorf("the page does not know the hint:\n%s", page)
	}
}

func oidccPostRequest(t *testing.T, s *suite) {
	at, _ := url.Parse(s.authorizeAt(nil))
	resp, err := s.b.PostForm(s.url+"/auth/authorize", at.Query())
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v, %v", resp, err)
	}
	text(t, resp)
	s.tokensFor(t, s.authorize(t, nil))
	resp, err = s.b.PostForm(s.url+"/auth/authorize", at.Query()) // logged in, it leads back at once
	if err != nil || resp.StatusCode != http.StatusSeeOther || location(t, resp).Query().Get("code") == "" {
		t.Errorf("%v, %v", resp, err)
	}
}

func oidccClientSecretPost(t *testing.T, s *suite) {
	s.c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	s.tokensFor(t, s.authorize(t, nil))
	s.c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	s.tokensFor(t, s.authorize(t, nil))
}

// A refresh gives tokens that work, no other subject, and another client nothing.
func oidccRefreshToken(t *testing.T, s *suite) {
	tok, first := s.tokensFor(t, s.authorize(t, nil))
	status, body := s.refresh(t, tok.RefreshToken)
	access, _ := body["access_token"].(string)
	if status != 200 || s.userinfo(t, "GET", access, nil)["sub"] != first.Subject {
		t.Errorf("%d %v", status, body)
	}
	next, _ := body["refresh_token"].(string)
	var other ClientWithSecret
	s.call(t, s.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Second", "type": "confidential", "redirect_uris": []string{callback}}, 201, &other)
	if status, body := s.as(other.ID, other.ClientSecret).refresh(t, next); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("another client: %d %v", status, body)
	}
	if status, body := s.refresh(t, next); status != 200 {
		t.Errorf("after another client has tried: %d %v", status, body)
	}
}
