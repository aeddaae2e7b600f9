package main

import (
	"crypto/sha256"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/adapters/argon2"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/rest"
	_ "bailiwick.dev/adapters/rest/resttest" // quiet logs
	"bailiwick.dev/domain/access/fake"
)

const (
	platformSecret = "platform-secret"
	email          = "ada@acme.example"
	password       = "correct horse battery staple"
	callback       = "http://127.0.0.1/callback"
)

// world is the very service on a database of its own, with one tenant.
type world struct {
	url          string
	db           pgtest.Database
	tenant, user uuid.UUID
	verifier     *rest.Verifier
	client       ClientWithSecret
	cfg          Settings
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db := pgtest.New(t, "auth", authdb.Migrations)
	var h http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	digest := sha256.Sum256([]byte(platformSecret))
	cfg := Settings{Server: config.Server{PublicURL: srv.URL, Issuer: srv.URL + "/auth", Audience: srv.URL, CursorKey: []byte("0123456789abcdef0123456789abcdef")},
		KeyEncryptionKey: []byte("fedcba9876543210fedcba9876543210"), PlatformClients: platformClients{"svc-users": digest[:], "svc-reports": digest[:]}, KeyReload: keyReload, hasher: argon2.New()}
	w := &world{url: srv.URL, db: db, tenant: uuid.New(), user: uuid.New(), verifier: rest.NewVerifier(cfg.Issuer, cfg.Audience, srv.URL+"/auth/jwks.json").For("auth")}
	r, err := surface(t.Context(), cfg, w.verifier, nil, authdb.New(db.App, db.System), fake.Gate{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, w.cfg = r.Handler(), cfg
	w.call(t, w.platform(t), "PUT", "/auth/v1/platform/credentials/"+w.user.String(), map[string]any{"email": email, "name": "Ada", "organisation": "Analytical Engines", "password": password, "enabled": true}, 204, nil)
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Test", "type": "confidential", "redirect_uris": []string{callback, "https://app.example/cb"}, "post_logout_redirect_uris": []string{"https://app.example/"}}, 201, &w.client)
	return w
}

// platform returns a token of our users service for the tenant.
func (w *world) platform(t *testing.T) string {
	t.Helper()
	c := clientcredentials.Config{ClientID: "svc-users", ClientSecret: platformSecret, TokenURL: w.url + "/auth/token",
		Scopes: []string{"platform", "auth"}, EndpointParams: url.Values{"resource": {tenantResource + w.tenant.String()}}}
	tok, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tok.AccessToken
}

func (w *world) ofPerson(t *testing.T) string { return w.platform(t) } // the gate of these tests allows all

func (w *world) call(t *testing.T, token, method, path string, in any, want int, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(string(body)))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, resp.StatusCode, want, got)
	}
	if out != nil {
		if err := json.Unmarshal(got, out); err != nil {
			t.Fatal(err)
		}
	}
}

// browser keeps cookies and stops where it is sent away from the issuer.
func (w *world) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), w.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

var hidden = regexp.MustCompile(`name="(request|proof|csrf)" value="([^"]*)"`)

// logIn fills in the page that is shown at the authorization URL and returns
// where the browser is sent.
func (w *world) logIn(t *testing.T, b *http.Client, at, mail, pass string) (*url.URL, int) {
	t.Helper()
	resp, err := b.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the login and the consent, or one of them
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		action := "/auth/login"
		if strings.Contains(string(page), `action="/auth/consent"`) {
			action = "/auth/consent"
		} else if !strings.Contains(string(page), action) {
			break
		}
		form := url.Values{"email": {mail}, "password": {pass}, "decision": {"allow"}}
		for _, m := range hidden.FindAllStringSubmatch(string(page), -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		if resp, err = b.PostForm(w.url+action, form); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			break
		}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return nil, resp.StatusCode
	}
	return location(t, resp), resp.StatusCode
}

func location(t *testing.T, resp *http.Response) *url.URL {
	t.Helper()
	u, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) oauth(t *testing.T) (*oauth2.Config, *oidc.Provider) {
	t.Helper()
	p, err := oidc.NewProvider(t.Context(), w.url+"/auth")
	if err != nil {
		t.Fatal(err)
	}
	return &oauth2.Config{ClientID: w.client.ID, ClientSecret: w.client.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: "http://127.0.0.1:45871/callback",
		Scopes: []string{"openid", "email", "profile", "tasks"}}, p
}

// tokens carries one login through.
func (w *world) tokens(t *testing.T, c *oauth2.Config) *oauth2.Token {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	to, _ := w.logIn(t, w.browser(t), c.AuthCodeURL("the state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-0S6")), email, password)
	if to == nil || to.Query().Get("state") != "the state" || to.Query().Get("iss") != w.url+"/auth" || !strings.HasPrefix(to.String(), c.RedirectURL+"?") {
		t.Fatalf("sent to %v", to)
	}
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestStandardLibraryLogsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, p := w.oauth(t)
	tok := w.tokens(t, c)
	raw, _ := tok.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: c.ClientID}).Verify(t.Context(), raw)
	if err != nil || id.Nonce != "n-0S6" || id.Subject != w.user.String() || id.VerifyAccessToken(tok.AccessToken) != nil {
		t.Errorf("ID token %+v, %v", id, err)
	}
	info, err := p.UserInfo(t.Context(), oauth2.StaticTokenSource(tok))
	if err != nil || info.Email != email || !info.EmailVerified {
		t.Errorf("userinfo %+v, %v", info, err)
	}
	who, err := w.verifier.Verify(t.Context(), tok.AccessToken)
	if err != nil || who.Tenant != w.tenant || who.User != w.user || !who.HasScope("tasks") {
		t.Errorf("the access token names %+v, %v", who, err)
	}
	if _, err := w.verifier.Verify(t.Context(), raw); err == nil {
		t.Error("an ID token passes for an access token")
	}
}

func TestMachineClientGetsAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := clientcredentials.Config{ClientID: w.client.ID, ClientSecret: w.client.ClientSecret, TokenURL: w.url + "/auth/token", Scopes: []string{"tasks"}}
	tok, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who, err := w.verifier.Verify(t.Context(), tok.AccessToken); err != nil || who.Tenant != w.tenant || who.Client != w.client.ID || who.User != uuid.Nil || who.HasScope("platform") {
		t.Errorf("the token names %+v, %v", who, err)
	}
	c.Scopes = []string{"platform"}
	wantError(t, c, "invalid_scope")
	c.Scopes = []string{"openid", "email"}
	wantError(t, c, "invalid_scope")
	c.Scopes, c.EndpointParams = nil, url.Values{"resource": {tenantResource + uuid.NewString()}}
	wantError(t, c, "invalid_target")
	c.Scopes, c.EndpointParams = []string{"tasks"}, url.Values{"audience": {"https://api.example"}} // which clients of others send
	if tok, err := c.Token(t.Context()); err != nil {
		t.Errorf("a parameter that is not known (RFC 6749, section 3.2): %v", err)
	} else if _, err := w.verifier.Verify(t.Context(), tok.AccessToken); err != nil {
		t.Errorf("the token is no good: %v", err)
	}
	c.EndpointParams, c.ClientSecret = nil, "bws_wrong"
	wantError(t, c, "invalid_client")
	c.ClientID = uuid.NewString()
	wantError(t, c, "invalid_client")
}

func wantError(t *testing.T, c clientcredentials.Config, code string) {
	t.Helper()
	_, err := c.Token(t.Context())
	refused, ok := err.(*oauth2.RetrieveError)
	if !ok || refused.ErrorCode != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func (w *world) post(t *testing.T, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(w.client.ID, w.client.ClientSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(resp)
}

func answerOf(resp *http.Response) (int, map[string]any) {
	defer resp.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&body) // a revocation has none
	return resp.StatusCode, body
}

func (w *world) refresh(t *testing.T, token string) (int, map[string]any) {
	t.Helper()
	return w.post(t, "/auth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (w *world) active(t *testing.T, token string) bool {
	t.Helper()
	_, body := w.post(t, "/auth/introspect", url.Values{"token": {token}})
	active, _ := body["active"].(bool)
	return active
}

func TestRefreshRotatesWithGraceAndEndsOnReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	var mu sync.Mutex
	successors := map[any]bool{}
	var wg sync.WaitGroup
	for range 20 { // in parallel, within the grace period: one successor
		wg.Go(func() {
			status, body := w.refresh(t, tok.RefreshToken)
			mu.Lock()
			defer mu.Unlock()
			if successors[body["refresh_token"]] = true; status != 200 {
				t.Errorf("refresh: %d %v", status, body)
			}
		})
	}
	wg.Wait()
	if len(successors) != 1 {
		t.Fatalf("%d successors of one token, want 1", len(successors))
	}
	var second string
	for s := range successors {
		second, _ = s.(string)
	}
	if status, body := w.post(t, "/auth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second}, "scope": {"openid reports"}}); status != 400 || body["error"] != "invalid_scope" {
		t.Errorf("a wider scope: %d %v", status, body)
	}
	status, body := w.refresh(t, second)
	if status != 200 || !w.active(t, tok.AccessToken) {
		t.Fatalf("the successor: %d %v", status, body)
	}
	third, _ := body["refresh_token"].(string)
	w.age(t, tok.RefreshToken)
	if status, body := w.refresh(t, tok.RefreshToken); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("a token replayed after the grace period: %d %v", status, body)
	}
	if status, _ := w.refresh(t, third); status != 400 || w.active(t, tok.AccessToken) || w.active(t, third) {
		t.Errorf("the family lives after a replay: %d", status)
	}
}

func TestCodeIsForOneExchangeByItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	verifier := oauth2.GenerateVerifier()
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))
	to, _ := w.logIn(t, w.browser(t), at, email, password)
	code := to.Query().Get("code")
	if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier is accepted")
	}
	if _, err := c.Exchange(t.Context(), code); err == nil {
		t.Error("no verifier is accepted")
	}
	var other ClientWithSecret
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Other", "type": "confidential", "redirect_uris": []string{callback}}, 201, &other)
	foreign := *c
	foreign.ClientID, foreign.ClientSecret = other.ID, other.ClientSecret
	if _, err := foreign.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("another client's code is accepted")
	}
	tok, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil || !w.active(t, tok.AccessToken) {
		t.Error("another client with the used code is accepted, or ends the family")
	}
	if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code is accepted twice")
	}
	if w.active(t, tok.AccessToken) || w.active(t, tok.RefreshToken) {
		t.Error("the tokens of a code that was used twice live")
	}
}

func TestRevocationAndForeignTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	mine := w.client
	var other ClientWithSecret
	w.call(t, w.ofPerson(t), "POST", "/auth/v1/clients", map[string]any{"name": "Other", "type": "confidential", "redirect_uris": []string{callback}}, 201, &other)
	w.client = other
	if status, _ := w.post(t, "/auth/revoke", url.Values{"token": {tok.RefreshToken}}); status != 200 || w.active(t, tok.AccessToken) {
		t.Errorf("another client's revocation: %d, or it sees the token", status)
	}
	if status, _ := w.refresh(t, tok.RefreshToken); status != 400 {
		t.Errorf("another client's refresh: %d", status)
	}
	w.client = mine
	if !w.active(t, tok.AccessToken) || !w.active(t, tok.RefreshToken) {
		t.Fatal("another client ended the tokens")
	}
	if status, _ := w.post(t, "/auth/revoke", url.Values{"token": {tok.AccessToken}}); status != 200 || w.active(t, tok.AccessToken) {
		t.Errorf("revocation: %d, or the token lives", status)
	}
}

func TestWrongRequestsNeverReachTheClientOrALogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for _, redirect := range []string{"http://127.0.0.1:1/callback/", "http://127.0.0.1:1/callback?x=1", "http://127.0.0.1:1/Callback", "http://u@127.0.0.1:1/callback",
		"https://app.example:444/cb", "https://app.example/x/../cb", "https://app.example/cb#f", "https://evil.example/cb", "http://127.0.0.1:1@evil.example/callback", "http://127.0.0.2:1/callback"} {
		wrong := *c
		wrong.RedirectURL = redirect
		if resp, err := b.Get(wrong.AuthCodeURL("s", challenge)); err != nil || resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
			t.Errorf("redirect_uri %s: %v, %v", redirect, resp.StatusCode, err)
		}
	}
	for name, opts := range map[string][]oauth2.AuthCodeOption{
		"invalid_request":           {},
		"invalid_request ":          {oauth2.SetAuthURLParam("code_challenge", oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("code_challenge_method", "plain")},
		"unsupported_response_type": {challenge, oauth2.SetAuthURLParam("response_type", "token")},
		"invalid_scope":             {challenge, oauth2.SetAuthURLParam("scope", "openid platform")},
		"login_required":            {challenge, oauth2.SetAuthURLParam("prompt", "none")},
		"request_uri_not_supported": {challenge, oauth2.SetAuthURLParam("request_uri", "http://127.0.0.1/x")},
	} {
		resp, err := b.Get(c.AuthCodeURL("the state", opts...))
		if err != nil || resp.StatusCode != 303 {
			t.Errorf("%s: %v %v", name, resp.StatusCode, err)
			continue
		}
		if q := location(t, resp).Query(); q.Get("error") != strings.TrimSpace(name) || q.Get("state") != "the state" || q.Get("iss") == "" {
			t.Errorf("%s: %v", name, q)
		}
	}
}

func TestLoginPageRefusesForgeriesAndWrongPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	b := w.browser(t)
	resp, err := b.Get(at)
	if err != nil || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Fatalf("the page's policy: %v %v", resp.Header, err)
	}
	resp, err = b.PostForm(w.url+"/auth/login", url.Values{"email": {email}, "password": {password}, "request": {strings.SplitN(at, "?", 2)[1]}})
	if err != nil || resp.StatusCode != 403 {
		t.Errorf("a form without its token: %d %v", resp.StatusCode, err)
	}
	for _, who := range []string{email, "nobody@acme.example"} {
		if to, status := w.logIn(t, b, at, who, "wrong password"); to != nil || status != 401 {
			t.Errorf("%s with a wrong password: %v %d", who, to, status)
		}
	}
	for range 8 {
		w.logIn(t, b, at, email, "wrong password")
	}
	if _, status := w.logIn(t, b, at, email, password); status != 429 {
		t.Errorf("after many failures: %d, want 429", status)
	}
}

func TestSessionLogsInSilentlyUntilLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	w.logIn(t, b, c.AuthCodeURL("s", challenge), email, password)
	silent := c.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("prompt", "none"))
	if to, _ := w.logIn(t, b, silent, "", ""); to.Query().Get("code") == "" {
		t.Fatalf("no silent login: %v", to)
	}
	if resp, err := b.Get(c.AuthCodeURL("s", challenge, oauth2.SetAuthURLParam("prompt", "login"))); err != nil || resp.StatusCode != 200 {
		t.Errorf("prompt=login asks nobody: %d %v", resp.StatusCode, err)
	}
	id, _ := w.tokens(t, c).Extra("id_token").(string)
	resp, err := b.Get(w.url + "/auth/logout?" + url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {"https://app.example/"}, "state": {"x"}}.Encode())
	if err != nil || resp.Header.Get("Location") != "https://app.example/?state=x" {
		t.Fatalf("logout leads to %s, %v", resp.Header.Get("Location"), err)
	}
	if to, _ := w.logIn(t, b, silent, "", ""); to.Query().Get("error") != "login_required" {
		t.Errorf("after logout: %v", to)
	}
}

func TestCredentialRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "/auth/v1/platform/credentials/" + uuid.NewString()
	for _, bad := range []string{"short", "password123", "qwertyuiop", strings.Repeat("x", 129), "grace.hopper1", "Bailiwick1", "COBOL & Sons 1959", "hopper brewster"} {
		var p rest.Problem
		w.call(t, w.platform(t), "PUT", at, map[string]any{"email": "grace.hopper@acme.example", "name": "Grace Brewster", "organisation": "Cobol & Sons", "password": bad, "enabled": true}, 422, &p)
		if len(p.Errors) == 0 || p.Errors[0].Pointer != "/password" {
			t.Errorf("%q: %+v", bad, p)
		}
	}
	w.call(t, w.platform(t), "PUT", at, map[string]any{"email": strings.ToUpper(email), "name": "G", "password": strings.Repeat("ß", 64), "enabled": true}, 409, nil)
	w.call(t, w.platform(t), "PUT", at, map[string]any{"email": "g@acme.example", "name": "G", "password": strings.Repeat("ß", 64), "enabled": true}, 204, nil)
}

// Our own services are told who can log in.
func TestServicesAreToldWhoCanLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "/auth/v1/platform/credentials/"
	for _, want := range []bool{true, false} {
		var got struct{ Enabled bool }
		if w.call(t, w.platform(t), "GET", at+w.user.String(), nil, 200, &got); got.Enabled != want {
			t.Errorf("can log in: %v, want %v", got.Enabled, want)
		}
		w.call(t, w.platform(t), "POST", at+w.user.String()+"/disable", nil, 204, nil)
	}
	w.call(t, w.platform(t), "GET", at+uuid.NewString(), nil, 404, nil)
}

// age moves the use of a refresh token out of the grace period.
func (w *world) age(t *testing.T, token string) {
	t.Helper()
	w.db.Exec(t, "update refresh_tokens set used_at = used_at - interval '1 minute' where hash = $1", digest(token))
}
