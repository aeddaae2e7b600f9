package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func (w *world) store() *authdb.Store { return authdb.New(w.db.App, w.db.System) }

// watched lets the verifier of w read revocations, as every service does.
func (w *world) watched(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go w.verifier.Watch(ctx, w.store().Revocations)
}

// ends waits until the verifier refuses a token, for as long as the bound that is written down.
func (w *world) ends(t *testing.T, what, token string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := w.verifier.Verify(t.Context(), token); fault.Is(err, fault.Unauthenticated) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: the access token is still accepted after two seconds", what)
		}
	}
}

func (w *world) lives(t *testing.T, what string, tok *oauth2.Token) {
	t.Helper()
	if _, err := w.verifier.Verify(t.Context(), tok.AccessToken); err != nil || !w.active(t, tok.RefreshToken) {
		t.Errorf("%s: the tokens are not good: %v", what, err)
	}
}

func TestDisabledPersonIsOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	w.logIn(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), email, password)
	tok := w.tokens(t, c)
	w.lives(t, "before", tok)
	at := "/auth/v1/platform/credentials/" + w.user.String()
	w.call(t, w.platform(t), "POST", at+"/disable?by=user:x", nil, 204, nil)
	if status, body := w.refresh(t, tok.RefreshToken); status != 400 || body["error"] != "invalid_grant" || w.active(t, tok.AccessToken) {
		t.Errorf("refresh: %d %v", status, body)
	}
	w.ends(t, "a disabled person", tok.AccessToken)
	login := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	if to, status := w.logIn(t, w.browser(t), login, email, password); to != nil || status != http.StatusUnauthorized {
		t.Errorf("a disabled person logs in: %d", status)
	}
	if to, _ := w.logIn(t, b, login, "", ""); to != nil {
		t.Errorf("the session of a disabled person leads to %s", to)
	}
	w.call(t, w.platform(t), "POST", at+"/enable", nil, 204, nil)
	w.lives(t, "after being enabled, a new login's", w.tokens(t, c))
	if status, _ := w.refresh(t, tok.RefreshToken); status != 400 {
		t.Errorf("the old refresh token works again: %d", status)
	}
}

func TestSuspendedTenantGetsNoTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	machine := clientcredentials.Config{ClientID: w.client.ID, ClientSecret: w.client.ClientSecret, TokenURL: w.url + "/auth/token"}
	m, err := machine.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.call(t, w.platform(t), "POST", "/auth/v1/platform/tenant/suspend", nil, 204, nil)
	if status, _ := w.refresh(t, tok.RefreshToken); status == 200 {
		t.Error("a refresh right after it succeeds")
	}
	late := m
	for last, err := m, error(nil); err == nil; last, err = machine.Token(t.Context()) { // while a replica remembers the client
		late = last
	}
	wantError(t, machine, "invalid_client")
	if resp, err := w.browser(t).Get(c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))); err != nil || resp.StatusCode != 400 {
		t.Errorf("the login page: %v %v", resp.StatusCode, err)
	}
	w.ends(t, "a person of a suspended tenant", tok.AccessToken)
	w.ends(t, "a machine of a suspended tenant", m.AccessToken)
	w.ends(t, "a token of the last moment", late.AccessToken)
	w.call(t, w.platform(t), "POST", "/auth/v1/platform/tenant/resume", nil, 204, nil) // our services still may
	if status, _ := w.refresh(t, tok.RefreshToken); status != 200 {
		t.Errorf("refresh after resumption: %d", status)
	}
}

func TestRevokedFamilyAndDisabledClientEndAccessTokensEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	first, second := w.tokens(t, c), w.tokens(t, c)
	w.post(t, "/auth/revoke", map[string][]string{"token": {first.RefreshToken}})
	w.ends(t, "a revoked family", first.AccessToken)
	w.lives(t, "another family", second)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"enabled": false}, 200, nil, "If-Match", `"1"`)
	w.ends(t, "a disabled client", second.AccessToken)
}

// What every service refuses is told to be so, and makes no token that they would take.
func TestTokensFromBeforeAClientWasDisabledAreNotActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok, machine := w.tokens(t, c), w.machineToken(t)
	for version, enabled := range []bool{false, true} {
		w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"enabled": enabled}, 200, nil, "If-Match", fmt.Sprintf("%q", strconv.Itoa(version+1)))
	}
	time.Sleep(recentLife)
	if w.active(t, tok.AccessToken) || w.active(t, machine) || !w.active(t, tok.RefreshToken) {
		t.Error("an access token from before is active, or the refresh token is not")
	}
	if status, body := w.delegate(t, tok.AccessToken, nil); status != 400 || body["error"] != "invalid_request" {
		t.Errorf("its exchange: %d %v", status, body)
	}
	time.Sleep(3 * time.Second) // so long the client may have been remembered, and seconds are what a token counts in
	_, body := w.delegate(t, w.tokens(t, c).AccessToken, nil)
	ours, actor, delegated := w.as("svc-users", platformSecret), w.as("svc-reports", platformSecret), fmt.Sprint(body["access_token"])
	if !actor.active(t, delegated) {
		t.Errorf("a delegated token is not active: %v", body)
	}
	w.call(t, w.platform(t), "POST", "/auth/v1/platform/tenant/suspend", nil, 204, nil)
	if !ours.active(t, ours.platform(t)) {
		t.Error("the token with which our own services resume a tenant is not active")
	}
	w.call(t, w.platform(t), "POST", "/auth/v1/platform/tenant/resume", nil, 204, nil)
	if actor.active(t, delegated) {
		t.Error("a delegated token is active again when its tenant is")
	}
}

// Each replay and each revocation is told once, with the client, the person and the network.
func TestReplaysAndRevocationsAreInTheTrail(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	answer := s.authorize(t, nil)
	s.tokensFor(t, answer)
	for range 2 {
		if _, err := s.c.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(s.verifier)); err == nil {
			t.Fatal("a code is taken twice")
		}
	}
	replayed, revoked := s.world.tokens(t, s.c), s.world.tokens(t, s.c)
	s.world.refresh(t, replayed.RefreshToken)
	s.age(t, replayed.RefreshToken)
	_, machine := s.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}})
	for range 2 {
		s.world.refresh(t, replayed.RefreshToken)
		s.post(t, "/auth/revoke", url.Values{"token": {revoked.RefreshToken}})
		s.post(t, "/auth/revoke", url.Values{"token": {revoked.AccessToken}})
		s.post(t, "/auth/revoke", url.Values{"token": {machine["access_token"].(string)}})
	}
	all, err := s.store().Audit(t.Context(), identity.Caller{Tenant: s.tenant}, page.Request{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	client, person := "client:"+s.client.ID, "user:"+s.user.String()
	for _, e := range all.Items {
		if strings.HasSuffix(e.Action, ".replayed") || e.Action == login.TokenRevoked {
			if got = append(got, e.Action+" "+e.Subject); e.Actor != client || e.Network != "127.0.0.0/24" || e.Request == "" {
				t.Errorf("%+v, want it of %s", e, client)
			}
		}
	}
	if want := []string{"code.replayed " + person, "refresh_token.replayed " + person, "token.revoked " + person, "token.revoked " + client}; !slices.Equal(got, want) {
		t.Errorf("the trail tells of %q, want %q", got, want)
	}
	if err := s.store().VerifyAudit(t.Context(), func(authdb.Head) {}); err != nil {
		t.Error(err)
	}
}

// No watcher tells this replica of revocations: userinfo asks the store itself.
// The API beside it hears of them, as every service does.
func TestUserinfoRefusesARevokedTokenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.Scopes = append(c.Scopes, "auth")
	revoked, other := w.tokens(t, c).AccessToken, w.tokens(t, c).AccessToken
	get := func(path, token string, want int) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), "GET", w.url+path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != want || want == 401 && !strings.Contains(resp.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %+v, %v, want %d", path, resp, err, want)
		}
	}
	get("/auth/userinfo", revoked, 200)
	w.post(t, "/auth/revoke", url.Values{"token": {revoked}})
	get("/auth/userinfo", revoked, 401)
	if resp := send(t, http.DefaultClient, w.url+"/auth/userinfo", url.Values{"access_token": {revoked}}); resp.StatusCode != 401 {
		t.Errorf("in a form: %d", resp.StatusCode)
	}
	get("/auth/userinfo", other, 200)
	w.call(t, w.platform(t), "POST", "/auth/v1/platform/credentials/"+w.user.String()+"/disable?by=user:x", nil, 204, nil)
	get("/auth/userinfo", other, 401)
	get("/auth/v1/me/sessions", other, 200) // nobody has told it yet
	w.watched(t)
	w.ends(t, "a disabled person", other)
	get("/auth/v1/me/sessions", other, 401)
}

// A row that commits after a later one is not missed.
func TestLateRevocationIsNotMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.store().Revocations(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	commit := w.db.Hold(t, "insert into revocations (tenant_id, subject, at, expires_at) values ($1, 'slow', now(), now() + interval '1 minute')", w.tenant)
	if err := w.store().SuspendTenant(t.Context(), w.tenant, login.Event{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	second, err := w.store().Revocations(t.Context(), first.Next)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	done := 0
	third, err := w.store().Revocations(t.Context(), second.Next)
	for _, r := range append(second.Items, third.Items...) {
		if r.Subject == "slow" || r.Tenant == w.tenant {
			done++
		}
	}
	if err != nil || done < 2 {
		t.Errorf("read %+v, then %+v, %v", second, third, err)
	}
	if again, err := w.store().Revocations(t.Context(), 1<<60); err != nil || len(again.Items) < 2 {
		t.Errorf("from a place that lies ahead: %+v, %v", again, err)
	}
}
