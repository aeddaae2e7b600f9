package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// anotherTenant is a world whose person has the same address at another company.
func (w *world) anotherTenant(t *testing.T) *world {
	t.Helper()
	other := *w
	other.tenant, other.user = uuid.New(), uuid.New()
	other.call(t, other.platform(t), "PUT", "/auth/v1/platform/credentials/"+other.user.String(), map[string]any{"email": email, "name": "Eve", "password": password, "enabled": true}, 204, nil)
	other.call(t, other.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Other", "type": "confidential", "redirect_uris": []string{callback}}, 201, &other.client)
	return &other
}

// Else anybody could log out everybody, by a link and with an ID token of their own.
func TestHintOfAnotherTenantEndsNothingHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, other := newSuite(t, w), w.anotherTenant(t)
	s.authorize(t, nil)
	c, _ := other.oauth(t)
	id, _ := other.tokens(t, c).Extra("id_token").(string)
	if open(t, s.b, s.url+"/auth/logout?id_token_hint="+id); s.authorize(t, map[string]string{"prompt": "none"}).Get("code") == "" {
		t.Error("another tenant's hint has ended the session")
	}
}

// Who works for two companies is logged in at both, and logs out of one or of all.
func TestCompaniesHaveSessionsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there := newSuite(t, w), newSuite(t, w.anotherTenant(t))
	there.b = here.b
	want := func(when string, s *suite, loggedIn bool) {
		t.Helper()
		if got := s.authorize(t, map[string]string{"prompt": "none"}); (got.Get("code") != "") != loggedIn {
			t.Errorf("%s: %v", when, got)
		}
	}
	for _, all := range []bool{false, true} {
		tok, _ := here.tokensFor(t, here.authorize(t, nil))
		other, _ := there.tokensFor(t, there.authorize(t, nil))
		want("after a login there", here, true)
		if all {
			_, form := open(t, here.b, w.url+"/auth/logout")
			send(t, here.b, w.url+"/auth/logout", form)
		} else {
			id, _ := other.Extra("id_token").(string)
			open(t, here.b, w.url+"/auth/logout?id_token_hint="+id)
		}
		want("after a logout there", there, false)
		want("after a logout", here, !all)
		if w.active(t, tok.AccessToken) == all {
			t.Errorf("after a logout (of all: %v) the token lives: %v", all, !all)
		}
	}
}

// Who presses the button after the session has ended is not asked again.
func TestLogoutOfNobodyEnds(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	_, form := open(t, s.b, s.url+"/auth/logout")
	resp := send(t, s.b, s.url+"/auth/logout", form)
	if page, _ := read(t, resp); !strings.Contains(page, "You are logged out") || len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("the cookies are %v, the page is %s", resp.Cookies(), page)
	}
}

func TestLogoutPageLeavesOtherTabsTheirForms(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	_, form := open(t, s.b, s.authorizeAt(nil))
	open(t, s.b, s.url+"/auth/logout")
	form.Set("email", email)
	form.Set("password", password)
	if resp := send(t, s.b, s.url+"/auth/login", form); resp.StatusCode != http.StatusOK {
		t.Errorf("a login after the page of logout was opened: %d", resp.StatusCode)
	}
}

// A session outlives the key that signed its ID token: that proves nothing any more,
// and the person is asked, and then sent where the client that it names has registered.
func TestLogoutByAHintOfADroppedKeyAsksAndLeadsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"post_logout_redirect_uris": []string{afterLogout}}, 200, nil, "If-Match", `"1"`)
	s := newSuite(t, w)
	s.authorize(t, nil)
	foreign, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	hint := sign(t, jose.ES256, foreign, "gone", map[string]any{"iss": w.url + "/auth", "sub": w.user.String(), "aud": w.client.ID})
	params := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {afterLogout}, "state": {"x y"}}
	page, form := open(t, s.b, s.url+"/auth/logout?"+params.Encode())
	if !strings.Contains(page, "Log out?") || !strings.Contains(page, `name="client_id" value="`+w.client.ID+`"`) || s.authorize(t, map[string]string{"prompt": "none"}).Get("code") == "" {
		t.Fatalf("the hint shows %s, or has ended the session", page)
	}
	params = url.Values{"client_id": {w.client.ID}, "post_logout_redirect_uri": {afterLogout}, "state": {"x y"}, "csrf": form["csrf"]}
	if got := send(t, s.b, s.url+"/auth/logout", params).Header.Get("Location"); got != afterLogout+"?state=x+y" {
		t.Errorf("the logout leads to %q", got)
	}
}

// Without an ID token the person is asked, and then sent where the client that
// the request names has registered, and nowhere else.
func TestLogoutByClientIDAsksAndLeadsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ordered := "https://app.example/left?b=2&a=%7e1"
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Leads back", "type": "confidential", "redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{afterLogout, ordered}}, 201, &w.client)
	for to, want := range map[string]string{afterLogout: afterLogout + "?state=x+y", ordered: ordered + "&state=x+y", "https://evil.example/": ""} {
		s := newSuite(t, w)
		s.authorize(t, nil)
		params := url.Values{"client_id": {w.client.ID}, "post_logout_redirect_uri": {to}, "state": {"x y"}}
		resp, err := s.b.Get(w.url + "/auth/logout?" + params.Encode())
		if err != nil {
			t.Fatal(err)
		}
		policy := resp.Header.Get("Content-Security-Policy")
		page, form := read(t, resp)
		if kept := strings.Contains(page, `name="post_logout_redirect_uri" value="`+html.EscapeString(to)+`"`); kept != (want != "") || strings.Contains(policy, "form-action 'self'") == kept {
			t.Errorf("%s: the page keeps it: %v, under %s", to, kept, policy)
		}
		params.Set("csrf", form.Get("csrf"))
		resp = send(t, s.b, w.url+"/auth/logout", params)
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s: the logout leads to %q", to, got)
		}
		if got := s.authorize(t, map[string]string{"prompt": "none"}).Get("error"); got != "login_required" {
			t.Errorf("after it: %q", got)
		}
	}
}
