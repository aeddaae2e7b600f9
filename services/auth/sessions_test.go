package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func (w *world) sessions(t *testing.T, token string) []login.Session {
	t.Helper()
	var got rest.Page[login.Session]
	w.call(t, token, "GET", "/auth/v1/me/sessions", nil, 200, &got)
	return got.Items
}

func TestSessionsAreSeenAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	c.Scopes = append(c.Scopes, "auth")
	first, second := w.tokens(t, c), w.tokens(t, c)
	all := w.sessions(t, second.AccessToken)
	if len(all) != 2 || all[0].Network != "127.0.0.0/24" || !strings.HasPrefix(all[0].UserAgent, "Go-http-client") {
		t.Fatalf("the sessions are %+v", all)
	}
	w.call(t, w.platform(t), "GET", "/auth/v1/me/sessions", nil, 404, nil) // a machine has none
	w.call(t, second.AccessToken, "DELETE", "/auth/v1/me/sessions/"+all[0].ID.String(), nil, 204, nil)
	w.ends(t, "an ended session", first.AccessToken)
	if status, _ := w.refresh(t, first.RefreshToken); status != 400 {
		t.Errorf("an ended session's refresh: %d", status)
	}
	w.lives(t, "the other session", second)
	w.call(t, second.AccessToken, "DELETE", "/auth/v1/me/sessions", nil, 204, nil)
	w.ends(t, "a logout everywhere", second.AccessToken)
	if status, _ := w.refresh(t, second.RefreshToken); status != 400 {
		t.Errorf("refresh after a logout everywhere: %d", status)
	}
	w.lives(t, "a login right after it", w.tokens(t, c))
}

// Only the form that names no session means all of them.
func TestFormOfAnUnreadableSessionEndsNothing(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	_, form := open(t, s.b, s.url+"/auth/account")
	form.Set("session", "not one")
	if resp := send(t, s.b, s.url+"/auth/account/sessions", form); resp.StatusCode != http.StatusBadRequest || !s.active(t, tok.RefreshToken) {
		t.Errorf("%d, or the tokens have ended", resp.StatusCode)
	}
	form.Set("session", "")
	if resp := send(t, s.b, s.url+"/auth/account/sessions", form); resp.StatusCode != http.StatusOK || s.active(t, tok.RefreshToken) || len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("everywhere: %d, or the tokens live, or the cookie stays", resp.StatusCode)
	}
}

func TestAccountPageShowsTheNewestSessionsAndLeadsToTheRest(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	s.db.Exec(t, `insert into login_sessions (tenant_id, hash, id, user_id, authenticated_at, expires_at, user_agent)
		select $1, sha256(n::text::bytea), gen_random_uuid(), $2, now() - n * interval '1 minute', now() + interval '1 hour', 'agent ' || n from generate_series(1, 150) n`, s.tenant, s.user)
	s.tokensFor(t, s.authorize(t, nil))
	logOut := regexp.MustCompile(`name="session" value`)
	newest, _ := open(t, s.b, s.url+"/auth/account")
	next := regexp.MustCompile(`href="(/auth/account\?cursor=[^"]+)"`).FindStringSubmatch(newest)
	if len(logOut.FindAllString(newest, -1)) != 100 || !strings.Contains(newest, "this browser") || next == nil {
		t.Fatalf("the first page is\n%s", newest)
	}
	older, _ := open(t, s.b, s.url+next[1])
	if len(logOut.FindAllString(older, -1)) != 51 || strings.Contains(older, "this browser") || strings.Contains(older, "?cursor=") {
		t.Errorf("the last page is\n%s", older)
	}
	if resp, err := s.b.Get(s.url + "/auth/account?cursor=x"); err != nil || resp.StatusCode != 400 {
		t.Errorf("a cursor that the page did not give out: %v, %v", resp, err)
	}
}

func TestAccountPageNamesBrowsersInAFewWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	form.Set("email", email)
	form.Set("password", password)
	send(t, b, w.url+"/auth/login", form, "User-Agent", agent)
	if page, _ := open(t, b, w.url+"/auth/account"); !strings.Contains(page, "<strong>Firefox on Linux, this browser</strong>") || strings.Contains(page, "Gecko") {
		t.Errorf("the page is %s", page)
	}
}

func TestLogoutEndsWhatTheSessionGave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b, verifier := w.browser(t), oauth2.GenerateVerifier()
	to, _ := w.logIn(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), email, password)
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := tok.Extra("id_token").(string)
	if resp, err := b.Get(w.url + "/auth/logout?id_token_hint=" + id); err != nil || resp.StatusCode != http.StatusOK || w.active(t, tok.RefreshToken) {
		t.Errorf("logout: %v %v, or its tokens live", resp.StatusCode, err)
	}
}

// The ID token tells which it was, where the browser has forgotten its session: what
// another browser's gave, whose time is over too, goes on.
func TestLogoutEndsWhatAnExpiredSessionGave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, elsewhere := newSuite(t, w), newSuite(t, w)
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	other, _ := elsewhere.tokensFor(t, elsewhere.authorize(t, nil))
	w.db.Exec(t, "update login_sessions set expires_at = now()")
	id, _ := tok.Extra("id_token").(string)
	if resp, err := s.b.Get(w.url + "/auth/logout?id_token_hint=" + id); err != nil || resp.StatusCode != http.StatusOK || w.active(t, tok.RefreshToken) || w.active(t, tok.AccessToken) {
		t.Errorf("logout: %v %v, or its tokens live", resp, err)
	}
	if !w.active(t, other.RefreshToken) {
		t.Error("the other browser's tokens have ended")
	}
}

// What the page of consent says of staying connected is so.
func TestOfflineAccessOutlivesALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for what, end := range map[string]func(s *suite, form url.Values){
		"the removal of the application": func(s *suite, form url.Values) {
			form.Set("client", w.client.ID)
			send(t, s.b, w.url+"/auth/account/consents", form)
		},
		"a logout everywhere": func(s *suite, form url.Values) { send(t, s.b, w.url+"/auth/account/sessions", form) },
	} {
		s := newSuite(t, w)
		tok, _ := s.tokensFor(t, s.authorize(t, map[string]string{"scope": "openid offline_access"}))
		id, _ := tok.Extra("id_token").(string)
		if resp, err := s.b.Get(w.url + "/auth/logout?id_token_hint=" + id); err != nil || resp.StatusCode != http.StatusOK || !w.active(t, tok.AccessToken) {
			t.Errorf("logout: %v %v, or the access token has ended", resp, err)
		}
		status, body := w.refresh(t, tok.RefreshToken)
		next, _ := body["refresh_token"].(string)
		if status != 200 {
			t.Fatalf("after a logout: %d %v", status, body)
		}
		s.authorize(t, nil) // logs in anew
		_, form := open(t, s.b, w.url+"/auth/account")
		end(s, form)
		if status, body := w.refresh(t, next); status != 400 {
			t.Errorf("after %s: %d %v", what, status, body)
		}
	}
}

// A first-party client asks nobody for consent: what it gets ends with the session.
func TestFirstPartyAccessEndsWithALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, "PUT", "/auth/v1/platform/clients/"+w.client.ID+"/first-party", map[string]any{"first_party": true}, 204, nil)
	time.Sleep(recentLife)
	s := newSuite(t, w)
	tok, _ := s.tokensFor(t, s.authorize(t, map[string]string{"scope": "openid offline_access"}))
	id, _ := tok.Extra("id_token").(string)
	if resp, err := s.b.Get(w.url + "/auth/logout?id_token_hint=" + id); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("logout: %v %v", resp, err)
	}
	if status, body := w.refresh(t, tok.RefreshToken); status != 400 {
		t.Errorf("after a logout: %d %v", status, body)
	}
}

// Ids of rows are UUIDv7: what came later lies later in the index.
func TestRowsLieInTheOrderInWhichTheyCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.Scopes = append(c.Scopes, "auth")
	tok := w.tokens(t, c)
	w.forget(t, w.browser(t), email)
	w.call(t, tok.AccessToken, "POST", "/auth/v1/me/email-verification", nil, 202, nil)
	for table, want := range map[string]int{"login_sessions": 1, "token_families": 1, "mailed_links": 2} {
		var n int
		if w.db.Scan(t, &n, "select count(*) from "+table+" where substr(id::text, 15, 1) = '7'"); n != want {
			t.Errorf("%d rows of %s have such an id, want %d", n, table, want)
		}
	}
}

// Who comes back after an hour gives the password again. What the session gave
// goes on meanwhile, ends with a logout, and outlives another login.
func TestIdleSessionLogsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b, verifier := w.browser(t), oauth2.GenerateVerifier()
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))
	to, _ := w.logIn(t, b, at, email, password)
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	used := func(ago string) { w.db.Exec(t, "update login_sessions set used_at = now() - $1::interval", ago) }
	account := func() int {
		resp, err := b.Get(w.url + "/auth/account")
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	notes := func(what, where string) {
		t.Helper()
		var yes bool
		if w.db.Scan(t, &yes, "select "+where+" from login_sessions"); !yes {
			t.Errorf("%s: not %s", what, where)
		}
	}
	account()
	notes("within a minute nothing is written", "used_at = authenticated_at")
	used("59 minutes")
	if got := account(); got != 200 {
		t.Errorf("within the hour: %d", got)
	}
	notes("the use is noted", "used_at > now() - interval '1 minute'")
	used("1 hour")
	if got := account(); got != 401 {
		t.Errorf("after an hour: %d", got)
	}
	if to, _ := w.logIn(t, b, at+"&prompt=none", "", ""); to.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none after an hour: %v", to)
	}
	if to, _ := w.logIn(t, b, at, email, password); to == nil || !w.active(t, tok.RefreshToken) || account() != 200 {
		t.Errorf("another login leads to %v, or ended what the one before gave", to)
	}
	used("1 hour")
	id, _ := tok.Extra("id_token").(string)
	if resp, err := b.Get(w.url + "/auth/logout?id_token_hint=" + id); err != nil || resp.StatusCode != 200 || w.active(t, tok.RefreshToken) {
		t.Errorf("logout: %+v, %v, or its tokens live", resp, err)
	}
}

func TestTrailTellsWhatHappened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"name": "Renamed"}, 200, nil, "If-Match", `"1"`)
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients/"+w.client.ID+"/secret", nil, 200, nil)
	w.logIn(t, b, at, "my password is secret", "wrong password")
	w.logIn(t, b, at, email, "wrong password")
	w.logIn(t, b, at, email, password)
	var got rest.Page[AuditEvent]
	w.call(t, w.ofPerson(t), "GET", "/auth/v1/audit-events?limit=2", nil, 200, &got)
	all := got.Items
	for got.NextCursor != "" {
		next := got.NextCursor
		got = rest.Page[AuditEvent]{}
		w.call(t, w.ofPerson(t), "GET", "/auth/v1/audit-events?limit=2&cursor="+next, nil, 200, &got)
		all = append(all, got.Items...)
	}
	actions := []string{}
	for i, e := range all {
		if actions = append(actions, e.Action); e.Sequence != int64(i)+1 {
			t.Errorf("entry %d has the sequence %d", i, e.Sequence)
		}
	}
	me := "user:" + w.user.String()
	if n := len(all); n < 4 || strings.Join(actions[n-4:], " ") != "login.failed login.failed login.succeeded consent.given" || all[n-4].Subject != "" || all[n-3].Subject != me ||
		all[n-2].Actor != me || all[n-2].Network != "127.0.0.0/24" || all[n-2].Request == "" || all[n-1].Subject != "client:"+w.client.ID {
		t.Errorf("the trail is %+v", all)
	}
	if got := strings.Join(actions[:4], " "); got != "password.set client.created client.changed client.changed" || all[3].Detail["secret_version"] != "2" || all[2].Detail["name"] != "Renamed" {
		t.Errorf("the trail begins %s %+v", got, all[:4])
	}
	if renamed, rotated := all[2].Detail, all[3].Detail; renamed["changed"] != "name" || renamed["name.before"] != "Test" || renamed["name.after"] != "Renamed" || rotated["changed"] != "secret previous_secret" {
		t.Errorf("the changes are %v and %v", renamed, rotated)
	}
	keys, err := w.store().Audit(t.Context(), identity.Caller{Tenant: identity.Platform}, page.Request{Limit: 100})
	if err != nil || len(keys.Items) == 0 || keys.Items[0].Action != login.KeysChanged {
		t.Errorf("the platform's trail is %+v, %v", keys.Items, err)
	}
	held := map[uuid.UUID]int64{}
	err = w.store().VerifyAudit(t.Context(), func(h authdb.Head) { held[h.TenantID] = h.Sequence })
	if err != nil || len(held) != 2 || held[w.tenant] != int64(len(all)) || held[identity.Platform] != int64(len(keys.Items)) {
		t.Errorf("there hold %v, %v", held, err)
	}
}
