package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// Who has logged in because of max_age may take time to read what is asked for.
func TestMaxAgeLeavesTimeToConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, age := range []string{"0", "1"} {
		s := newSuite(t, w)
		_, form := open(t, s.b, s.authorizeAt(map[string]string{"max_age": age, "prompt": "consent"}))
		form.Set("email", email)
		form.Set("password", password)
		_, form = read(t, send(t, s.b, w.url+"/auth/login", form))
		time.Sleep(1100 * time.Millisecond)
		form.Set("decision", "allow")
		resp := send(t, s.b, w.url+"/auth/consent", form)
		if resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("max_age=%s: consent leads to no client but to %d", age, resp.StatusCode)
		}
		s.tokensFor(t, location(t, resp).Query())
	}
}

// The page of consent is no way around the login that a request asks for.
func TestConsentNeedsTheLoginThatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	_, form := open(t, s.b, s.authorizeAt(map[string]string{"prompt": "consent"}))
	form.Set("email", email)
	form.Set("password", password)
	_, another := read(t, send(t, s.b, s.url+"/auth/login", form)) // request's page, with its proof
	for _, params := range []map[string]string{{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}} {
		_, form := open(t, s.b, s.authorizeAt(params))
		for _, proof := range []string{"", another.Get("proof")} {
			form.Set("decision", "allow")
			form.Set("proof", proof)
			resp := send(t, s.b, s.url+"/auth/consent", form)
			if page, _ := read(t, resp); resp.StatusCode != http.StatusOK || !strings.Contains(page, `action="/auth/login"`) {
				t.Errorf("%v with the proof %q: %d to %s", params, proof, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
	another.Set("decision", "allow")
	s.tokensFor(t, location(t, send(t, s.b, s.url+"/auth/consent", another)).Query())
}

func TestMaxAgeZeroAndSelectAccountAskForALogin(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	s.tokensFor(t, s.authorize(t, nil))
	for _, params := range []map[string]string{{"max_age": "0"}, {"prompt": "select_account"}} {
		if page, _ := open(t, s.b, s.authorizeAt(params)); !strings.Contains(page, `action="/auth/login"`) {
			t.Errorf("%v asks nobody:\n%s", params, page)
		}
	}
	if got := s.authorize(t, map[string]string{"max_age": "0", "prompt": "none"}).Get("error"); got != "login_required" {
		t.Errorf("silently, with max_age=0: %q", got)
	}
	for _, age := range []string{"10000000000", strings.Repeat("9", 400)} { // more than a time.Duration, and than a number, holds
		s.tokensFor(t, s.authorize(t, map[string]string{"max_age": age, "prompt": "none"}))
	}
}

// A hint that is no ID token of ours is refused; one that has expired, or whose key has
// gone since, still says who is meant.
func TestHintIsAnIDTokenOfOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	raw, _ := tok.Extra("id_token").(string)
	parts := strings.Split(raw, ".")
	foreign, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	claims := func(iss, sub string) map[string]any {
		return map[string]any{"iss": iss, "sub": sub, "aud": w.client.ID, "exp": 1}
	}
	expired, _, err := w.replica(t).Generate(t.Context(), claims(w.url+"/auth", w.user.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ hint, want string }{
		"expired":             {expired, ""},
		"a key that has gone": {sign(t, jose.ES256, foreign, "gone", claims(w.url+"/auth", w.user.String())), ""},
		"and another person":  {sign(t, jose.ES256, foreign, "gone", claims(w.url+"/auth", uuid.NewString())), "login_required"},
		"another issuer's":    {sign(t, jose.ES256, foreign, "gone", claims("https://other.example", w.user.String())), "invalid_request"},
		"another key":         {sign(t, jose.ES256, foreign, kidOf(t, raw), claims(w.url+"/auth", w.user.String())), "invalid_request"},
		"other claims":        {parts[0] + "." + b64(`{"iss":"`+w.url+`/auth","sub":"x"}`) + "." + parts[2], "invalid_request"},
		"no signature":        {b64(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", "invalid_request"},
		"an access token":     {tok.AccessToken, "invalid_request"},
		"no token":            {"x", "invalid_request"},
	} {
		if got := s.authorize(t, map[string]string{"prompt": "none", "id_token_hint": c.hint}); got.Get("error") != c.want || c.want == "" && got.Get("code") == "" {
			t.Errorf("%s: %v, want %q", what, got, c.want)
		}
	}
	s.b = w.browser(t)
	if got := s.authorize(t, map[string]string{"id_token_hint": "x"}).Get("error"); got != "invalid_request" {
		t.Errorf("where nobody is logged in: %q", got)
	}
}

// RFC 6749, section 3.1: parameters that are not known are ignored. That those of
// OpenID Connect are not supported is said before anybody logs in.
func TestForeignParametersAreIgnoredAndKnownOnesRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	resp, err := s.b.Get(s.authorizeAt(map[string]string{"registration": "{}"}))
	if err != nil || resp.StatusCode != 303 || location(t, resp).Query().Get("error") != "registration_not_supported" {
		t.Errorf("registration: %v, %v", resp, err)
	}
	s.tokensFor(t, s.authorize(t, map[string]string{"audience": "https://other.example"}))
}

// OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1: naming the mode
// that discovery names changes nothing.
func TestResponseModeMayBeNamed(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	if got := s.authorize(t, map[string]string{"response_mode": "query"}); got.Get("code") == "" {
		t.Errorf("response_mode=query: %v", got)
	}
}

func TestMeaninglessRequestsAreInvalid(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	for _, params := range []map[string]string{
		{"prompt": "none login"}, {"prompt": "no such"}, {"max_age": "-1"}, {"max_age": "+5"}, {"max_age": "soon"}, {"response_mode": "fragment"}, {"response_mode": "form_post"},
		{"code_challenge_method": ""}, {"code_challenge": strings.Repeat("c", 42)}, {"code_challenge": strings.Repeat("c", 42) + "."}, {"code_challenge": strings.Repeat("c", 42) + "="},
	} {
		if got := s.authorize(t, params).Get("error"); got != "invalid_request" {
			t.Errorf("%v: %q", params, got)
		}
	}
	if got := s.authorize(t, map[string]string{"scope": ""}).Get("error"); got != "invalid_scope" {
		t.Errorf("no scope: %q", got)
	}
	resp, err := s.b.Get(s.authorizeAt(nil) + "&nonce=another")
	if err != nil || location(t, resp).Query().Get("error") != "invalid_request" {
		t.Errorf("a parameter that comes twice: %v, %v", resp, err)
	}
}

func TestWhatEverybodyMayKnowIsCachedForAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/auth/jwks.json", "/auth/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/auth"} {
		resp, err := http.Get(w.url + path)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%s: %v, %v", path, resp, err)
		}
	}
}

// RFC 6749, section 5.2: what is wrong with a form is said as JSON, uncached.
func TestWrongFormsAreToldAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const form = "application/x-www-form-urlencoded"
	for what, c := range map[string]struct{ path, kind, body, want string }{
		"JSON":                    {"token", "application/json", `{"grant_type":"client_credentials"}`, "invalid_request"},
		"no media type":           {"token", "", "grant_type=client_credentials", "invalid_request"},
		"an escape that is cut":   {"token", form, "grant_type=%z", "invalid_request"},
		"a parameter twice":       {"token", form, "grant_type=client_credentials&scope=tasks&scope=tasks", "invalid_request"},
		"no grant":                {"token", form, "scope=tasks", "invalid_request"},
		"an unknown grant":        {"token", form, "grant_type=urn:x", "unsupported_grant_type"},
		"no code":                 {"token", form, "grant_type=authorization_code", "invalid_request"},
		"no refresh token":        {"token", form, "grant_type=refresh_token", "invalid_request"},
		"nothing to revoke":       {"revoke", form, "token_type_hint=access_token", "invalid_request"},
		"nothing to introspect":   {"introspect", form, "token_type_hint=access_token", "invalid_request"},
		"two tokens":              {"revoke", form, "token=a&token=b", "invalid_request"},
		"what is revoked already": {"revoke", form, "token=x", ""},
		"a charset is no harm":    {"introspect", form + "; charset=UTF-8", "token=x", ""},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/auth/"+c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", c.kind)
		req.SetBasicAuth(w.client.ID, w.client.ClientSecret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		status, body := answerOf(resp)
		if got, _ := body["error"].(string); got != c.want || c.want != "" && status != 400 || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v %v, want %q", what, status, body, resp.Header, c.want)
		}
	}
}

// RFC 6749, sections 3.1 and 3.2: a parameter without a value counts as left out.
func TestEmptyParametersAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	const empty = "&response_mode=&request=&request_uri=&max_age=&resource=&resource=&prompt=&id_token_hint=&nonce="
	s.tokensFor(t, s.authorize(t, nil))
	resp, err := s.b.Get(strings.Replace(s.authorizeAt(nil), "state=the+state", "state=", 1) + empty)
	if err != nil || location(t, resp).Query().Get("code") == "" || location(t, resp).Query().Has("state") {
		t.Errorf("authorization: %v, %v", resp, err)
	}
	at, _ := url.Parse(s.authorizeAt(nil) + empty)
	resp = send(t, s.b, w.url+"/auth/authorize", at.Query())
	if location(t, resp).Query().Get("code") == "" {
		t.Errorf("authorization by a form: %v", resp)
	}
	if status, body := w.push(t, at.Query().Get("code_challenge"), url.Values{"response_mode": {""}, "request": {""}, "request_uri": {""}, "max_age": {""}, "resource": {""}, "client_id": {""}, "client_secret": {""}}); status != 201 {
		t.Errorf("pushed: %d %v", status, body)
	}
	if status, body := w.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {""}, "client_secret": {""}, "client_assertion": {""}, "scope": {""}, "resource": {"", ""}}); status != 200 {
		t.Errorf("Basic with an empty secret beside it: %d %v", status, body)
	}
	resp, err = s.b.Get(w.url + "/auth/logout?client_id=&post_logout_redirect_uri=&state=")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("logout: %v, %v", resp, err)
	}
}

// What cannot be read of a query is not left out: it may be what forbids the rest.
func TestMalformedQueriesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	s.tokensFor(t, s.authorize(t, nil)) // from here on a code would come at once
	for _, part := range []string{"extra=a;b", "extra=%zz", "prompt=login;", "max_age=0;", "%zz=x", "extra=%00", "login_hint=%ff", "extra%ff=x"} {
		for _, at := range []string{s.authorizeAt(nil) + "&", s.url + "/auth/logout?", s.url + "/auth/forgot?", s.url + "/auth/reset?", s.url + "/auth/verify?"} {
			if resp, err := s.b.Get(at + part); err != nil || resp.StatusCode != 400 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s%s: %v, %v", at, part, resp, err)
			}
		}
	}
	if resp, err := s.b.Get(strings.Replace(s.authorizeAt(nil), "state=the+state", "state=%ff%00", 1)); err != nil || location(t, resp).Query().Get("state") != "\xff\x00" {
		t.Errorf("a state of any bytes: %v, %v", resp, err)
	}
}

// Whatever is in a form, nothing of it fails in the database.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := newSuite(t, w)
	_, page := open(t, s.b, s.authorizeAt(nil))
	at, _ := url.Parse(s.authorizeAt(map[string]string{"client_id": "a\x00"}))
	for path, bad := range map[string][]url.Values{
		"authorize":        {at.Query()},
		"login":            {{"request": {at.RawQuery}}, {"request": page["request"], "email": {"\x00@x.example"}, "password": {password}}, {"request": page["request"], "email": {"\xff@x.example"}, "password": {password}}},
		"account/consents": {{"client": {"a\x00"}}},
		"forgot":           {{"client_id": {"a\x00"}, "email": {email}}},
	} {
		for _, form := range bad {
			form.Set("csrf", page.Get("csrf"))
			if resp := send(t, s.b, w.url+"/auth/"+path, form); resp.StatusCode != 400 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s with %v: %v", path, form, resp)
			}
		}
	}
	for what, c := range map[string]struct{ path, id, body, want string }{
		"client_id":          {"token", "", "grant_type=client_credentials&client_id=%00", "invalid_request"},
		"to push":            {"par", "", "client_id=%00", "invalid_request"},
		"to revoke":          {"revoke", "", "client_id=%00&token=x", "invalid_request"},
		"to introspect":      {"introspect", "", "client_id=%ff&token=x", "invalid_request"},
		"a name":             {"token", "", "grant_type=client_credentials&%00=x", "invalid_request"},
		"Basic":              {"token", "a%00", "grant_type=client_credentials", "invalid_client"},
		"Basic, unescaped":   {"introspect", "a\x00\xff", "token=x", "invalid_client"},
		"a scope":            {"token", w.client.ID, "grant_type=refresh_token&refresh_token=x&scope=%00", "invalid_request"},
		"a part that is cut": {"token", w.client.ID, "grant_type=client_credentials&scope=%z", "invalid_request"},
		"an assertion": {"token", "", "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=" +
			b64(`{"alg":"ES256"}`) + "." + b64(`{"sub":"a\u0000"}`) + "." + b64(strings.Repeat("s", 64)), "invalid_client"},
	} {
		for _, origin := range []string{"", "https://app.example"} {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/auth/"+c.path, strings.NewReader(c.body))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.id != "" {
				req.SetBasicAuth(c.id, w.client.ClientSecret)
			}
			if origin != "" {
				req.Header.Set("Origin", origin)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if status, body := answerOf(resp); body["error"] != c.want || status >= 500 {
				t.Errorf("%s from %q: %d %v, want %s", what, origin, status, body, c.want)
			}
		}
	}
}

// RFC 6750: a token comes once, in one place, and what is no token is not called a bad one.
func TestUserinfoTakesOneToken(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	at, good, bad := s.url+"/auth/userinfo", tok.AccessToken, `Bearer realm="bailiwick", error="invalid_request"`
	for what, c := range map[string]struct {
		form      url.Values
		header    string
		status    int
		challenge string
	}{
		"in the body":                  {url.Values{"access_token": {good}}, "", 200, ""},
		"in the header of a form":      {url.Values{"x": {"y"}}, "Bearer " + good, 200, ""},
		"in both":                      {url.Values{"access_token": {good}}, "Bearer " + good, 400, bad},
		"in the body, and another way": {url.Values{"access_token": {good}}, "Basic eDp5", 400, bad},
		"twice":                        {url.Values{"access_token": {good, good}}, "", 400, bad},
		"no text":                      {url.Values{"access_token": {good}, "x": {"\xff"}}, "", 400, bad},
		"nowhere":                      {nil, "", 401, `Bearer realm="bailiwick"`},
		"another way":                  {nil, "Basic eDp5", 401, `Bearer realm="bailiwick"`},
		"a bad one":                    {url.Values{"access_token": {"x"}}, "", 401, `Bearer realm="bailiwick", error="invalid_token"`},
	} {
		resp := send(t, http.DefaultClient, at, c.form, "Authorization", c.header)
		if resp.StatusCode != c.status || resp.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %d %q", what, resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
		}
	}
}

// fosite looks for reuse before it looks whose token it is.
func TestAnotherClientsReplayEndsNoFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	if status, body := w.refresh(t, tok.RefreshToken); status != 200 {
		t.Fatalf("%d %v", status, body)
	}
	w.age(t, tok.RefreshToken)
	var other ClientWithSecret
	w.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "Other", "type": "confidential", "redirect_uris": []string{callback}}, 201, &other)
	if status, body := w.as(other.ID, other.ClientSecret).refresh(t, tok.RefreshToken); status != 400 || body["error"] != "invalid_grant" || !w.active(t, tok.AccessToken) {
		t.Errorf("another client's replay: %d %v, or the family is dead", status, body)
	}
}

func TestClientWithoutTheGrantGetsNoRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"authorization_code"}}, 200, nil, "If-Match", `"1"`)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	if tok.RefreshToken != "" || !w.active(t, tok.AccessToken) {
		t.Errorf("%+v", tok)
	}
	for grant, form := range map[string]url.Values{"refresh_token": {"refresh_token": {refreshPrefix + "x"}}, "client_credentials": {}} {
		form.Set("grant_type", grant)
		if status, body := w.post(t, "/auth/token", form); status != 400 || body["error"] != "unauthorized_client" {
			t.Errorf("%s: %d %v", grant, status, body)
		}
	}
}

// Who holds a connection waits for no other: a small pool is slow, and never stuck.
func TestSmallPoolServesACrowd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	small := func(at string) string {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("pool_max_conns", "1")
		u.RawQuery = q.Encode()
		return u.String()
	}
	far := w.replicaOn(t, small(w.db.AppURL), small(w.db.SystemURL))
	var crowd sync.WaitGroup
	for range 32 {
		crowd.Go(func() {
			far.machineToken(t)
			if status, body := far.refresh(t, tok.RefreshToken); status != 200 || !far.active(t, tok.AccessToken) {
				t.Errorf("%d %v", status, body)
			}
		})
	}
	served := make(chan struct{})
	go func() { crowd.Wait(); close(served) }()
	select {
	case <-served:
	case <-time.After(time.Minute):
		t.Fatal("it is stuck")
	}
}

// crossSite is what a browser does with another site's form: it keeps our
// cookies back from the POST, and not from the GET to which that leads.
func (s *suite) crossSite(t *testing.T, path string, form url.Values) *http.Response {
	t.Helper()
	resp := send(t, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s.url+path, form, "Origin", "https://app.example")
	to := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, path+"?") {
		t.Fatalf("a POST of another site to %s: %d to %q", path, resp.StatusCode, to)
	}
	resp, err := s.b.Get(s.url + to)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestFormsOfClientsFindTheSession(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	at, _ := url.Parse(s.authorizeAt(map[string]string{"prompt": "none"}))
	if got := location(t, s.crossSite(t, "/auth/authorize", at.Query())).Query(); got.Get("code") == "" || got.Get("state") != "the state" {
		t.Errorf("an authorization leads to %v", got)
	}
	id, _ := tok.Extra("id_token").(string)
	resp := s.crossSite(t, "/auth/logout", url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {afterLogout}, "state": {"x"}})
	if got := resp.Header.Get("Location"); got != afterLogout+"?state=x" || s.active(t, tok.RefreshToken) {
		t.Errorf("a logout leads to %q, or the session's tokens live", got)
	}
}
