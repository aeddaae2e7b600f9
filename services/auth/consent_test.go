package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// open shows a page and returns its text with what its form carries.
func open(t *testing.T, b *http.Client, at string) (string, url.Values) {
	t.Helper()
	resp, err := b.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) (string, url.Values) {
	t.Helper()
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(string(page), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return string(page), form
}

func send(t *testing.T, b *http.Client, at string, form url.Values, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestConsentIsAskedOnceForEachScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.Scopes = []string{"openid", "tasks"}
	b := w.browser(t)
	at := func(opts ...oauth2.AuthCodeOption) string {
		return c.AuthCodeURL("s", append(opts, oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))...)
	}
	_, form := open(t, b, at())
	form.Set("email", email)
	form.Set("password", password)
	page, form := read(t, send(t, b, w.url+"/auth/login", form))
	if !strings.Contains(page, "Test asks for access") || !strings.Contains(page, "Work with tasks") || strings.Contains(page, "See your name") || !strings.Contains(page, email) {
		t.Fatalf("the page of consent: %s", page)
	}
	form.Set("decision", "deny")
	if got := location(t, send(t, b, w.url+"/auth/consent", form)).Query(); got.Get("error") != "access_denied" || got.Get("state") != "s" {
		t.Errorf("a refusal leads to %v", got)
	}
	if to, _ := w.logIn(t, b, at(oauth2.SetAuthURLParam("prompt", "none")), "", ""); to.Query().Get("error") != "consent_required" {
		t.Errorf("without consent prompt=none leads to %v", to)
	}
	if to, _ := w.logIn(t, b, at(), email, password); to == nil || to.Query().Get("code") == "" {
		t.Fatalf("with consent: %v", to)
	}
	if to, _ := w.logIn(t, b, at(oauth2.SetAuthURLParam("prompt", "none")), "", ""); to.Query().Get("code") == "" {
		t.Errorf("remembered, prompt=none leads to %v", to)
	}
	if page, _ := open(t, b, at(oauth2.SetAuthURLParam("prompt", "consent"))); !strings.Contains(page, "asks for access") {
		t.Error("prompt=consent asks nobody")
	}
	c.Scopes = append(c.Scopes, "email")
	if page, _ := open(t, b, at()); !strings.Contains(page, "See your e-mail address") {
		t.Error("another scope is not asked for")
	}
	w.call(t, w.platform(t), "PUT", "/auth/v1/platform/clients/"+c.ClientID+"/first-party", map[string]any{"first_party": true}, 204, nil)
	if to, _ := w.logIn(t, b, at(oauth2.SetAuthURLParam("prompt", "none")), "", ""); to.Query().Get("code") == "" {
		t.Errorf("the operator's own leads to %v", to)
	}
}

// The page that the consent page names is a link to it; to nobody it says what to do.
func TestAccountIsFoundFromTheConsentPage(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	_, form := open(t, s.b, s.authorizeAt(nil))
	form.Set("email", email)
	form.Set("password", password)
	page, _ := read(t, send(t, s.b, s.url+"/auth/login", form))
	at := regexp.MustCompile(`<a href="([^"]+)"[^>]*>the page of your account</a>`).FindStringSubmatch(page)
	if at == nil {
		t.Fatalf("no link to the account:\n%s", page)
	}
	if page, _ := open(t, s.b, s.url+at[1]); !strings.Contains(page, "<h1>Your account</h1>") {
		t.Errorf("the link leads to %s", page)
	}
	resp, err := s.browser(t).Get(s.url + at[1])
	if err != nil {
		t.Fatal(err)
	}
	if page, _ := read(t, resp); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "Log in through an application of your company, then open the page of your account again.") || !strings.Contains(page, `<a href="/auth/account">`) {
		t.Errorf("who is not logged in: %d %s", resp.StatusCode, page)
	}
}

func TestConsentIsSeenAndWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	b, verifier := w.browser(t), oauth2.GenerateVerifier()
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))
	to, _ := w.logIn(t, b, at, email, password)
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	page, form := open(t, b, w.url+"/auth/account")
	if !strings.Contains(page, "<strong>Test</strong>") || !strings.Contains(page, "Work with tasks") || strings.Contains(page, "Work with reports") || !strings.Contains(page, `value="`+c.ClientID+`"`) {
		t.Fatalf("the account's page: %s", page)
	}
	form.Set("client", c.ClientID)
	if resp := send(t, b, w.url+"/auth/account/consents", url.Values{"client": {c.ClientID}}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a form of others: %d", resp.StatusCode)
	}
	w.lives(t, "before", tok)
	for range 2 { // who clicks twice is told no error
		resp := send(t, b, w.url+"/auth/account/consents", form)
		if page, _ := read(t, resp); resp.StatusCode != http.StatusOK || strings.Contains(page, "<strong>Test</strong>") {
			t.Errorf("afterwards: %d %s", resp.StatusCode, page)
		}
	}
	if status, _ := w.refresh(t, tok.RefreshToken); status != 400 || w.active(t, tok.AccessToken) {
		t.Errorf("refresh: %d, or the access token is active", status)
	}
	w.ends(t, "a withdrawn consent", tok.AccessToken)
	if page, _ := open(t, b, at); !strings.Contains(page, "Test asks for access") {
		t.Errorf("who is logged in still is not asked again: %s", page)
	}
	var entry string
	var n int
	w.db.Scan(t, &entry, "select event->>'actor' || ' ' || (event->>'subject') from audit_events where event->>'action' = 'consent.withdrawn'")
	if w.db.Scan(t, &n, "select count(*) from audit_events where event->>'action' = 'consent.withdrawn'"); n != 1 || entry != "user:"+w.user.String()+" client:"+c.ClientID {
		t.Errorf("%d entries, the first is %q", n, entry)
	}
}

func TestFormsOfOthersAreForbidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	page, form := open(t, b, at)
	if strings.Contains(page, "<script") || !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, `autocomplete="current-password"`) {
		t.Error("the page has a script, or lacks what people need")
	}
	form.Set("email", email)
	form.Set("password", password)
	wrong := url.Values{"csrf": {strings.Repeat("A", 43)}, "request": form["request"], "email": form["email"], "password": form["password"]}
	for _, path := range []string{"/auth/login", "/auth/consent"} {
		for what, resp := range map[string]*http.Response{
			"another token":        send(t, b, w.url+path, wrong),
			"another origin":       send(t, b, w.url+path, form, "Origin", "https://evil.example"),
			"an origin of nobody":  send(t, b, w.url+path, form, "Origin", "null"),
			"a browser without it": send(t, w.browser(t), w.url+path, form),
		} {
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %d, want 403", path, what, resp.StatusCode)
			}
		}
	}
	if resp := send(t, b, w.url+"/auth/consent", form, "Origin", w.url); resp.StatusCode != http.StatusOK || w.cookie(t, b, sessionCookie) != "" {
		t.Errorf("consent of nobody: %d", resp.StatusCode)
	}
}

func TestSessionIsNewAfterEachLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", "login"))
	seen := map[string]bool{}
	for range 3 {
		w.logIn(t, b, at, email, password)
		seen[w.cookie(t, b, sessionCookie)] = true
	}
	if len(seen) != 3 || seen[""] {
		t.Errorf("three logins have %d sessions", len(seen))
	}
	var n int
	w.db.Scan(t, &n, "select count(*) from login_sessions")
	if n != 1 {
		t.Errorf("%d sessions of one browser live", n)
	}
}

func (w *world) cookie(t *testing.T, b *http.Client, name string) string {
	t.Helper()
	u, err := url.Parse(w.url + "/auth/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}
