package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (s *suite) metadata(t *testing.T, path string) map[string]any {
	t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(text(t, resp)), &m); err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
	}
	return m
}

func has(list any, want ...string) bool {
	all, _ := list.([]any)
	for _, w := range want {
		if !slices.Contains(all, any(w)) {
			return false
		}
	}
	return true
}

// The module of oidcc-config-certification-test-plan, and two of the dynamic plan
// that concern the keys. It would fail for one thing: RS256 is not offered.
func TestOIDCCConfig(t *testing.T) {
	t.Parallel()
	modules(t, map[string]func(*testing.T, *suite){
		"oidcc-discovery-endpoint-verification": func(t *testing.T, s *suite) {
			m := s.metadata(t, "/auth/.well-known/openid-configuration")
			if m["issuer"] != s.url+"/auth" || !has(m["response_types_supported"], "code") || len(m["response_types_supported"].([]any)) != 1 {
				t.Errorf("%v", m)
			}
			for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint", "end_session_endpoint", "pushed_authorization_request_endpoint"} {
				if at, _ := m[name].(string); !strings.HasPrefix(at, s.url+"/auth/") {
					t.Errorf("%s: %v", name, m[name])
				}
			}
			if !has(m["subject_types_supported"], "public") || !has(m["id_token_signing_alg_values_supported"], "ES256") || !has(m["scopes_supported"], "openid") || !has(m["code_challenge_methods_supported"], "S256") || has(m["code_challenge_methods_supported"], "plain") {
				t.Errorf("%v", m)
			}
			if !has(m["grant_types_supported"], "authorization_code", "refresh_token", "client_credentials") || has(m["grant_types_supported"], "implicit") || has(m["grant_types_supported"], "password") {
				t.Errorf("grant types %v", m["grant_types_supported"])
			}
			if m["request_uri_parameter_supported"] != false || m["claims_parameter_supported"] != false || m["authorization_response_iss_parameter_supported"] != true {
				t.Errorf("%v", m)
			}
			// RFC 8414 puts the well-known part in front of the issuer's path.
			if other := s.metadata(t, "/.well-known/oauth-authorization-server/auth"); other["issuer"] != m["issuer"] || other["token_endpoint"] != m["token_endpoint"] {
				t.Errorf("RFC 8414: %v", other)
			}
		},
		"oidcc-discovery-jwks-uri-keys": func(t *testing.T, s *suite) {
			for _, k := range s.jwks(t).Keys {
				if !k.Valid() || !k.IsPublic() || k.KeyID == "" || k.Use != "sig" || k.Algorithm != "ES256" {
					t.Errorf("%+v", k)
				}
			}
		},
		"oidcc-server-rotate-keys": func(t *testing.T, s *suite) {
			was := s.jwks(t).Keys
			s.db.Exec(t, "update signing_keys set created_at = created_at - interval '1 hour'")
			if err := s.replica(t).rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * keyReload)
			tok, _ := s.tokensFor(t, s.authorize(t, nil)) // the client fetches the key anew
			raw, _ := tok.Extra("id_token").(string)
			if kid := kidOf(t, raw); kid == was[0].KeyID || kid != was[1].KeyID {
				t.Errorf("signed with %s, want the next key of %v", kid, was)
			}
		},
	})
}

// The modules of oidcc-rp-initiated-logout-certification-test-plan.
func TestOIDCCRPInitiatedLogout(t *testing.T) {
	t.Parallel()
	with := func(params map[string]string, want string) func(*testing.T, *suite) {
		return func(t *testing.T, s *suite) { s.logoutWith(t, params, want) }
	}
	hint, back := "the ID token", afterLogout
	modules(t, map[string]func(*testing.T, *suite){
		"oidcc-rp-initiated-logout-discovery-endpoint-verification": func(t *testing.T, s *suite) {
			if at := s.metadata(t, "/auth/.well-known/openid-configuration")["end_session_endpoint"]; at != s.url+"/auth/logout" {
				t.Errorf("%v", at)
			}
		},
		"oidcc-rp-initiated-logout":                                         with(map[string]string{"id_token_hint": hint, "post_logout_redirect_uri": back, "state": "a b&c"}, back+"?state=a+b%26c"),
		"oidcc-rp-initiated-logout-no-state":                                with(map[string]string{"id_token_hint": hint, "post_logout_redirect_uri": back}, back),
		"oidcc-rp-initiated-logout-only-state":                              with(map[string]string{"state": "x"}, "asked"),
		"oidcc-rp-initiated-logout-no-params":                               with(nil, "asked"),
		"oidcc-rp-initiated-logout-no-id-token-hint":                        with(map[string]string{"post_logout_redirect_uri": back, "state": "x"}, "asked"),
		"oidcc-rp-initiated-logout-bad-id-token-hint":                       with(map[string]string{"id_token_hint": "bad", "post_logout_redirect_uri": back}, "asked"),
		"oidcc-rp-initiated-logout-modified-id-token-hint":                  with(map[string]string{"id_token_hint": "alg none", "post_logout_redirect_uri": back}, "asked"),
		"oidcc-rp-initiated-logout-no-post-logout-redirect-uri":             with(map[string]string{"id_token_hint": hint}, "told"),
		"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri":            with(map[string]string{"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"}, "told"),
		"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": with(map[string]string{"id_token_hint": hint, "post_logout_redirect_uri": back + "?foo=bar"}, "told"),
	})
}

// logoutWith sends the person to the end session endpoint: to be redirected, or
// to be asked, while the session goes on, or to be told that it has ended.
func (s *suite) logoutWith(t *testing.T, params map[string]string, want string) {
	t.Helper()
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	raw, _ := tok.Extra("id_token").(string)
	q := url.Values{}
	for k, v := range params {
		switch v {
		case "the ID token":
			v = raw
		case "alg none":
			v = b64(`{"alg":"none","typ":"JWT"}`) + "." + strings.Split(raw, ".")[1] + "."
		}
		q.Set(k, v)
	}
	resp, err := s.b.Get(s.url + "/auth/logout?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	text(t, resp)
	if at := resp.Header.Get("Location"); strings.HasPrefix(want, "https") && at != want || !strings.HasPrefix(want, "https") && (at != "" || resp.StatusCode != 200) {
		t.Errorf("%d, Location %q, want %s", resp.StatusCode, at, want)
	}
	still := s.authorize(t, map[string]string{"prompt": "none"}).Get("code") != ""
	if still != (want == "asked") {
		t.Errorf("logged in: %v, want %v", still, want == "asked")
	}
}
