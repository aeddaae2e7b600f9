package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/login"
)

// send is call with headers; it returns the answer's.
func (w *world) send(t *testing.T, method, path string, body any, want int, out any, headers ...string) http.Header {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), method, w.url+path, bytes.NewReader(raw))
	req.Header.Set("Authorization", "Bearer "+w.ofPerson(t))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
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
	return resp.Header
}

// gets reports whether the client of the world gets a token with secret.
func (w *world) gets(t *testing.T, secret string) bool {
	t.Helper()
	_, err := (&clientcredentials.Config{ClientID: w.client.ID, ClientSecret: secret, TokenURL: w.url + "/auth/token"}).Token(t.Context())
	return err == nil
}

func TestClientIsChangedUnderItsVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "/auth/v1/clients/" + w.client.ID
	w.send(t, "PATCH", at, map[string]any{"name": "New"}, 428, nil)
	w.send(t, "PATCH", at, map[string]any{"name": "New"}, 412, nil, "If-Match", `"7"`)
	var got OAuthClient
	h := w.send(t, "PATCH", at, map[string]any{"name": "New"}, 200, &got, "If-Match", `"1"`)
	if got.Name != "New" || len(got.RedirectURIs) != 2 || h.Get("ETag") != `"2"` {
		t.Errorf("after the change: %+v, ETag %s", got, h.Get("ETag"))
	}
	w.send(t, "PATCH", at, map[string]any{"redirect_uris": []string{"http://elsewhere.example/"}}, 422, nil, "If-Match", `"2"`)
	for _, field := range []string{"first_party", "type", "client_id", "version", "tenant_id"} {
		w.send(t, "PATCH", at, map[string]any{field: true}, 422, nil, "If-Match", `"2"`)
	}
	w.send(t, "PATCH", at, map[string]any{"grant_types": []string{"password"}}, 422, nil, "If-Match", `"2"`)
	w.send(t, "DELETE", at, nil, 428, nil)
	w.send(t, "DELETE", at, nil, 412, nil, "If-Match", `"1"`)
	w.send(t, "DELETE", at, nil, 204, nil, "If-Match", `"2"`)
	w.send(t, "DELETE", at, nil, 404, nil, "If-Match", `"2"`)
}

// What is wrong by itself is refused by the document.
func TestDocumentSaysWhatNoClientHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for pointer, field := range map[string]any{
		"/name": " ", "/grant_types": []string{}, "/grant_types/1": []string{"authorization_code", "implicit"}, "/scopes/0": []string{"platform"},
		"/redirect_uris/1": []string{callback, "http://elsewhere.example/"}, "/post_logout_redirect_uris/0": []string{"https://a.example/#x"},
		"/web_origins/0": []string{"https://*.example"},
	} {
		name := strings.Split(pointer, "/")[1]
		draft := map[string]any{"name": "c", "type": "confidential", "redirect_uris": []string{callback}}
		draft[name] = field
		for _, send := range []func(out *rest.Problem){
			func(out *rest.Problem) { w.send(t, "POST", "/auth/v1/clients", draft, 422, out) },
			func(out *rest.Problem) {
				w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{name: field}, 422, out, "If-Match", `"1"`)
			},
		} {
			var got rest.Problem
			if send(&got); got.Detail != "validation failed" || len(got.Errors) != 1 || got.Errors[0].Pointer != pointer {
				t.Errorf("%s %v: %s, %+v", pointer, field, got.Detail, got.Errors)
			} else if name == "redirect_uris" && got.Errors[0].Detail != login.RedirectForm {
				t.Errorf("%s: it is said to be %s", pointer, got.Errors[0].Detail)
			}
		}
	}
}

// RFC 6749, section 5.2: who may not use a grant is told so, whatever else is wrong.
func TestPublicClientHasNoCredentialsToGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var page ClientWithSecret
	w.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "Page", "type": "public", "redirect_uris": []string{callback}}, 201, &page)
	for _, scope := range []string{"", "tasks", "platform"} {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {page.ID}, "scope": {scope}}
		if status, body := w.anonymous(t, "/auth/token", form); status != 400 || body["error"] != "unauthorized_client" {
			t.Errorf("%q: %d %v", scope, status, body)
		}
	}
	w.client = page // who sends the id in Basic, with nothing behind it, is the same client
	if status, body := w.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}}); status != 400 || body["error"] != "unauthorized_client" {
		t.Errorf("in Basic: %d %v", status, body)
	}
}

// An empty list is never the widest grant.
func TestEmptyListsGiveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := map[string]any{"name": "c", "type": "confidential", "scopes": []string{}}
	w.send(t, "POST", "/auth/v1/clients", draft, 201, &w.client)
	if status, body := w.post(t, "/auth/token", url.Values{"grant_type": {"client_credentials"}}); len(w.client.Scopes) != 0 || status != 400 || body["error"] != "invalid_scope" {
		t.Errorf("%+v gets %d %v", w.client, status, body)
	}
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"scopes": []string{"tasks"}}, 200, nil, "If-Match", `"1"`)
	draft["grant_types"] = []string{}
	w.send(t, "POST", "/auth/v1/clients", draft, 422, nil)
}

func TestTwoSecretsWorkDuringARotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at, first := "/auth/v1/clients/"+w.client.ID, w.client.ClientSecret
	if !w.gets(t, first) {
		t.Fatal("the secret does not work")
	}
	w.send(t, "DELETE", at+"/secret/previous", nil, 404, nil)
	var second, again, third ClientWithSecret
	w.send(t, "POST", at+"/secret", nil, 200, &second, "Idempotency-Key", "k")
	w.send(t, "POST", at+"/secret", nil, 200, &again, "Idempotency-Key", "k")
	if second.ClientSecret == first || again.ClientSecret != second.ClientSecret || second.PreviousUntil == nil || time.Until(*second.PreviousUntil) > 24*time.Hour {
		t.Errorf("rotated: %+v, again: %+v", second, again)
	}
	if !w.gets(t, first) || !w.gets(t, second.ClientSecret) {
		t.Error("not both secrets work during the change")
	}
	w.send(t, "DELETE", at+"/secret/previous", nil, 204, nil)
	time.Sleep(recentLife)
	if w.gets(t, first) || !w.gets(t, second.ClientSecret) {
		t.Error("the previous secret works after its end, or the new one does not")
	}
	w.send(t, "POST", at+"/secret", nil, 200, &third)
	w.db.Exec(t, "update clients set previous_until = now() where id = $1", w.client.ID)
	time.Sleep(recentLife)
	if w.gets(t, second.ClientSecret) || !w.gets(t, third.ClientSecret) {
		t.Error("the previous secret works after the overlap, or the new one does not")
	}
}

func TestDisabledClientGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	at := "/auth/v1/clients/" + w.client.ID
	w.send(t, "PATCH", at, map[string]any{"enabled": false}, 200, nil, "If-Match", `"1"`)
	if status, body := w.refresh(t, tok.RefreshToken); status == 200 {
		t.Errorf("a refresh at once: %d %v", status, body)
	}
	time.Sleep(recentLife)
	if w.gets(t, w.client.ClientSecret) {
		t.Error("it gets a token")
	}
	if resp, err := http.Get(c.AuthCodeURL("s")); err != nil || resp.StatusCode != 400 {
		t.Errorf("it may ask people to log in: %v, %v", resp.StatusCode, err)
	}
	w.send(t, "PATCH", at, map[string]any{"enabled": true}, 200, nil, "If-Match", `"2"`)
	if !w.gets(t, w.client.ClientSecret) {
		t.Error("it gets none when it is enabled again")
	}
}

// What is taken from a client is no longer in what its people granted before.
func TestScopesTakenFromAClientAreGrantedNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, at := newSuite(t, w), "/auth/v1/clients/"+w.client.ID
	all := map[string]string{"scope": "openid tasks reports"}
	tok, _ := s.tokensFor(t, s.authorize(t, all))
	form := url.Values{"grant_type": {"authorization_code"}, "code": {s.authorize(t, all).Get("code")}, "redirect_uri": {s.c.RedirectURL}, "code_verifier": {s.verifier}}
	gone := url.Values{"grant_type": {"authorization_code"}, "code": {s.authorize(t, map[string]string{"scope": "tasks"}).Get("code")}, "redirect_uri": {s.c.RedirectURL}, "code_verifier": {s.verifier}}
	w.send(t, "PATCH", at, map[string]any{"scopes": []string{"reports", "users"}}, 200, nil, "If-Match", `"1"`)
	time.Sleep(recentLife)
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}, "scope": {"tasks"}}
	if status, body := w.post(t, "/auth/token", refresh); status != 400 || body["error"] != "invalid_scope" {
		t.Errorf("what was taken is asked for: %d %v", status, body)
	}
	if _, body := w.post(t, "/auth/introspect", url.Values{"token": {tok.RefreshToken}}); body["scope"] != "reports" {
		t.Errorf("the refresh token is said to give %v", body["scope"])
	}
	status, body := w.refresh(t, tok.RefreshToken)
	if status != 200 || body["scope"] != "reports" {
		t.Errorf("refresh: %d %v", status, body)
	}
	if status, body := w.post(t, "/auth/token", form); status != 200 || body["scope"] != "reports" || body["id_token"] != nil {
		t.Errorf("exchange: %d %v", status, body)
	}
	if status, body := w.post(t, "/auth/token", gone); status != 400 || body["error"] != "invalid_scope" {
		t.Errorf("exchange of what is gone as a whole: %d %v", status, body)
	}
	w.send(t, "PATCH", at, map[string]any{"scopes": []string{"users"}}, 200, nil, "If-Match", `"2"`)
	time.Sleep(recentLife)
	second, _ := body["refresh_token"].(string)
	if status, body := w.refresh(t, second); status != 400 || body["error"] != "invalid_scope" {
		t.Errorf("refresh of what is gone as a whole: %d %v", status, body)
	}
}

func TestOnlyThePlatformMarksAFirstPartyClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "/auth/v1/platform/clients/" + w.client.ID + "/first-party"
	req, _ := http.NewRequestWithContext(t.Context(), "PUT", w.url+at, strings.NewReader(`{"first_party":true}`))
	req.Header.Set("Authorization", "Bearer "+w.machineToken(t))
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 403 {
		t.Errorf("a tenant's own client: %v, %v", resp.StatusCode, err)
	}
	w.send(t, "PUT", at, map[string]any{"first_party": true}, 204, nil)
	var got OAuthClient
	h := w.send(t, "GET", "/auth/v1/clients/"+w.client.ID, nil, 200, &got)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"password", "refresh_token"}}, 200, &got, "If-Match", h.Get("ETag"))
	if !got.FirstParty {
		t.Errorf("%+v", got)
	}
	w.send(t, "PUT", "/auth/v1/platform/clients/"+uuid.NewString()+"/first-party", map[string]any{"first_party": true}, 404, nil)
	w.send(t, "PUT", at, map[string]any{"first_party": false}, 204, nil)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"enabled": false}, 200, &got, "If-Match", `"4"`)
	if got.Enabled || got.FirstParty {
		t.Errorf("disabled, after the mark was taken away: %+v", got)
	}
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"authorization_code"}}, 200, nil, "If-Match", `"5"`)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"password"}}, 422, nil, "If-Match", `"6"`)
}

// A client proves itself in one way, in one place.
func TestWaysToProveAClientAreNotMixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, secret := w.client.ID, w.client.ClientSecret
	for what, c := range map[string]struct {
		query, form string
		basic       bool
		want        string
	}{
		"basic":                       {"", "", true, ""},
		"basic with its id":           {"", "client_id=" + id, true, ""},
		"body":                        {"", "client_id=" + id + "&client_secret=" + secret, false, ""},
		"both":                        {"", "client_id=" + id + "&client_secret=" + secret, true, "invalid_request"},
		"basic and another's id":      {"", "client_id=" + uuid.NewString(), true, "invalid_request"},
		"the query":                   {"?client_id=" + id + "&client_secret=" + secret, "", false, "invalid_request"},
		"the query beside basic":      {"?client_secret=" + secret, "", true, "invalid_request"},
		"no secret":                   {"", "client_id=" + id, false, "invalid_client"},
		"nothing":                     {"", "", false, "invalid_client"},
		"an assertion that is none":   {"", "client_id=" + id + "&client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", false, "invalid_client"},
		"an assertion of another age": {"", "client_assertion=x&client_assertion_type=saml", false, "invalid_request"},
		"twice":                       {"", "client_id=" + id + "&client_id=" + id + "&client_secret=" + secret, false, "invalid_request"},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/auth/token"+c.query, strings.NewReader("grant_type=client_credentials&"+c.form))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.basic {
			req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		_ = json.NewDecoder(resp.Body).Decode(&body)
		resp.Body.Close()
		if got, _ := body["error"].(string); got != c.want || got == "invalid_client" && (resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "") {
			t.Errorf("%s: %d %v, want %q", what, resp.StatusCode, body, c.want)
		}
	}
}

// An unknown client and a wrong secret are told alike, in about the same time:
// there is no slow hash that one of them is spared.
func TestUnknownClientIsToldLikeAWrongSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := url.Values{"grant_type": {"client_credentials"}}
	w.client.ClientSecret = "bws_wrong"
	status, wrong := w.post(t, "/auth/token", form)
	w.client.ID = uuid.NewString()
	status2, unknown := w.post(t, "/auth/token", form)
	if status != 401 || status2 != 401 || wrong["error"] != unknown["error"] || wrong["error_description"] != unknown["error_description"] {
		t.Errorf("%d %v and %d %v", status, wrong, status2, unknown)
	}
}
