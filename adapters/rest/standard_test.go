package rest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

func listing(t *testing.T, cfg rest.Config) (http.Handler, *resttest.Issuer) {
	t.Helper()
	issuer := resttest.NewIssuer(t)
	cfg.Service, cfg.Title, cfg.Version, cfg.PublicURL, cfg.Verifier = "things", "Things", "1", "https://api.test", issuer.Verifier()
	a := rest.New(cfg)
	cursors := rest.Cursors{Key: []byte("0123456789abcdef0123456789abcdef")}
	rest.Register(a, rest.Operation{ID: "list-things", Method: "GET", Path: "/v1/things", Tag: "things", Scope: "things", Summary: "List"},
		func(_ context.Context, who identity.Caller, in *rest.PageInput) (*struct{ Body rest.Page[string] }, error) {
			r, err := cursors.Request(who, "things", *in)
			if err != nil {
				return nil, err
			}
			got := page.Result[string]{Items: []string{"a"}}
			if r.After == (page.Key{}) {
				got.Next = &page.Key{At: time.Now(), ID: uuid.New(), Sort: "b&\x00"}
			}
			return &struct{ Body rest.Page[string] }{rest.PageOf(cursors, who, "things", got)}, nil
		})
	if h := a.OpenAPI().Paths["/things/v1/things"].Get.Responses["200"].Headers; h["Link"] == nil || h["RateLimit"] == nil {
		t.Errorf("the document shows the headers %v, want Link and RateLimit", h)
	}
	return a.Handler(), issuer
}

func caller() identity.Caller {
	return identity.Caller{Tenant: uuid.New(), User: uuid.New(), Client: "c", Scopes: []string{"things"}}
}

func TestPagesLinkToTheNext(t *testing.T) {
	t.Parallel()
	h, issuer := listing(t, rest.Config{})
	token := issuer.Token(t, caller())
	r := resttest.Do(t, h, token, "GET", "/things/v1/things?limit=7", nil).Want(t, 200)
	link, ok := strings.CutSuffix(r.Header.Get("Link"), `>; rel="next"`)
	next, err := url.Parse(strings.TrimPrefix(link, "<"))
	if !ok || err != nil || next.Host != "api.test" || next.Query().Get("limit") != "7" {
		t.Fatalf("Link %q, want the next page below the public URL, of the same size", r.Header.Get("Link"))
	}
	r = resttest.Do(t, h, token, "GET", next.RequestURI(), nil).Want(t, 200)
	if r.Header.Get("Link") != "" {
		t.Errorf("the last page links to %q", r.Header.Get("Link"))
	}
}

func TestQuotaIsOfEachClientOfEachTenant(t *testing.T) {
	t.Parallel()
	h, issuer := listing(t, rest.Config{RateLimit: 3})
	one, other := caller(), caller()
	for i, want := range []int{200, 200, 200, 429, 429} {
		r := resttest.Do(t, h, issuer.Token(t, one), "GET", "/things/v1/things", nil).Want(t, want)
		if left := map[bool]string{true: `"client";r=` + string(rune('2'-i)) + ";", false: `"client";r=0;`}[i < 3]; !strings.HasPrefix(r.Header.Get("RateLimit"), left) ||
			r.Header.Get("RateLimit-Policy") != `"client";q=3;w=60` {
			t.Errorf("request %d: RateLimit %q, Policy %q, want %s", i, r.Header.Get("RateLimit"), r.Header.Get("RateLimit-Policy"), left)
		}
		if want == 429 && r.Header.Get("Retry-After") != "20" {
			t.Errorf("Retry-After %q, want 20", r.Header.Get("Retry-After"))
		}
	}
	resttest.Do(t, h, issuer.Token(t, other), "GET", "/things/v1/things", nil).Want(t, 200)
	another := one
	another.Client = "d"
	resttest.Do(t, h, issuer.Token(t, another), "GET", "/things/v1/things", nil).Want(t, 200)
}

func TestOriginsAreTheInstallationsAndTheClients(t *testing.T) {
	t.Parallel()
	h, issuer := listing(t, rest.Config{CORSOrigins: []string{"https://console.test"}})
	claims := issuer.Claims(caller())
	claims["allowed-origins"] = []string{"https://app.test"}
	token := issuer.Sign(t, "at+jwt", claims, nil)
	claims["exp"] = time.Now().Add(-time.Hour).Unix()
	expired := issuer.Sign(t, "at+jwt", claims, nil)
	for _, c := range []struct {
		origin, token string
		status        int
		want          string
	}{
		{"https://app.test", token, 200, "https://app.test"},
		{"https://app.test", expired, 401, "https://app.test"}, // so that the page knows to refresh it
		{"https://app.test", issuer.Token(t, caller()), 200, ""},
		{"https://app.test", "forged" + token, 401, ""},
		{"https://app.test", "", 401, ""},
		{"https://app.test.evil", token, 200, ""},
		{"null", token, 200, ""},
		{"https://console.test", token, 200, "https://console.test"},
		{"https://console.test", "", 401, "https://console.test"},
	} {
		r := resttest.Do(t, h, c.token, "GET", "/things/v1/things", nil, "Origin", c.origin).Want(t, c.status)
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != c.want || r.Header.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Origin") {
			t.Errorf("%s with status %d: %v, want the origin %q, no credentials, and Vary", c.origin, c.status, r.Header, c.want)
		}
	}
}

func TestPreflightBringsNoToken(t *testing.T) {
	t.Parallel()
	h, _ := listing(t, rest.Config{})
	r := resttest.Do(t, h, "", "OPTIONS", "/things/v1/things", nil, "Origin", "https://app.test", "Access-Control-Request-Method", "PATCH",
		"Access-Control-Request-Headers", "authorization,if-match,idempotency-key").Want(t, 200)
	if r.Header.Get("Access-Control-Allow-Origin") != "https://app.test" || r.Header.Get("Access-Control-Allow-Methods") != "PATCH" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the preflight is answered %v", r.Header)
	}
	resttest.Do(t, h, "", "OPTIONS", "/things/v1/things", nil).Want(t, 405)
}

// What the client has is not sent again, and a tag of a compressed answer names
// the same version.
func TestUnchangedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	type out struct {
		ETag     string `header:"ETag"`
		Location string `header:"Location"` // of an operation that makes one
		Body     string
	}
	rest.Register(a, rest.Operation{ID: "get-thing", Method: "GET", Path: "/v1/thing", Tag: "things", Scope: "things", Summary: "Read"},
		func(context.Context, identity.Caller, *struct{}) (*out, error) {
			return &out{ETag: rest.ETag(3), Body: strings.Repeat("a", 10_000)}, nil
		})
	shown := a.OpenAPI().Paths["/things/v1/thing"].Get
	if shown.Responses["304"] == nil || !slices.ContainsFunc(shown.Parameters, func(p *huma.Param) bool { return p.Name == "If-None-Match" && p.In == "header" }) {
		t.Error("the document shows no 304, or not by what it is asked for")
	}
	if shown.Responses["200"].Headers["ETag"] == nil || shown.Responses["200"].Headers["Location"] != nil {
		t.Errorf("the document shows the headers %v, want an ETag and no Location of what was not made", shown.Responses["200"].Headers)
	}
	token := issuer.Token(t, caller())
	for tag, want := range map[string]string{`"3"`: `"3"`, `"3-gzip"`: `"3-gzip"`, `W/"3"`: `"3"`, `"1", "3"`: `"3"`, "*": `"3"`, `"2"`: "", `3`: "", `"33"`: ""} {
		for _, method := range []string{"GET", "HEAD"} {
			r := resttest.Do(t, a.Handler(), token, method, "/things/v1/thing", nil, "If-None-Match", tag, "Accept-Encoding", "gzip")
			if (r.Status == 304) != (want != "") || r.Status == 304 && (r.Header.Get("ETag") != want || len(r.Body) > 0 || r.Header.Get("Content-Encoding") != "") {
				t.Errorf("%s, If-None-Match %s: %d %v and %d bytes, want the tag %q", method, tag, r.Status, r.Header, len(r.Body), want)
			}
		}
	}
	for _, encodings := range []string{"gzip", "gzip, deflate, br, zstd"} { // the second is what browsers send
		r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/thing", nil, "Accept-Encoding", encodings).Want(t, 200)
		if r.Header.Get("ETag") != `"3-gzip"` || r.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Accept-Encoding") || len(r.Body) > 1000 {
			t.Errorf("compressed for %s: %v and %d bytes", encodings, r.Header, len(r.Body))
		}
	}
	for _, encoding := range []string{"", "identity", "gzip;q=0"} {
		r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/thing", nil, "Accept-Encoding", encoding).Want(t, 200)
		if r.Header.Get("ETag") != `"3"` || r.Header.Get("Content-Encoding") != "" || len(r.Body) < 10_000 {
			t.Errorf("Accept-Encoding %q: %v and %d bytes", encoding, r.Header, len(r.Body))
		}
	}
}

// A body that comes too slowly is given up, with and without an Idempotency-Key.
func TestSlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	w := start(t)
	resp, document := w.do(t, "GET", strings.TrimSuffix(w.url, "/v1/things")+"/openapi.json", "", "")
	if resp.StatusCode != http.StatusOK || strings.Count(document, `"408":`) != 1 {
		t.Errorf("%s: the document shows 408 %d times, want it of what has a body alone", resp.Status, strings.Count(document, `"408":`))
	}
	for _, key := range []string{"", "k"} {
		t.Run("key "+key, func(t *testing.T) {
			t.Parallel()
			body, end := io.Pipe()
			go func() {
				defer end.Close()
				for range 40 { // a space now and then
					time.Sleep(200 * time.Millisecond)
					if _, err := end.Write([]byte(" ")); err != nil {
						return
					}
				}
			}()
			req, err := http.NewRequestWithContext(t.Context(), "POST", w.url, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"Authorization": {"Bearer " + w.issuer.Token(t, w.who)}, "Content-Type": {"application/json"}}
			if key != "" {
				req.Header.Set("Idempotency-Key", key)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			if p := problem(t, resp, string(answer)); err != nil || p.Status != http.StatusRequestTimeout || rest.CodeOf(p) != "request_timeout" || p.Detail != "the body came too slowly" {
				t.Errorf("answered %s %s, %v", resp.Status, answer, err)
			}
		})
	}
}

// The time for a body is none for the work: a write without one, whose key has
// its body read, may take longer.
func TestKeyedWriteMayTakeLongerThanABody(t *testing.T) {
	t.Parallel()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	rest.Register(a, rest.Operation{ID: "delete", Method: "DELETE", Path: "/v1/thing", Tag: "things", Public: true, Summary: "Delete"},
		func(ctx context.Context, _ identity.Caller, _ *struct{}) (*struct{}, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(5500 * time.Millisecond):
				return nil, nil
			}
		})
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, srv.URL+"/things/v1/thing", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("answered %s", resp.Status)
	}
}

// Readiness shows how parts are; a part alone does not make a service unready.
func TestReadinessShowsParts(t *testing.T) {
	t.Parallel()
	r := rest.New(rest.Config{Service: "demo", PublicURL: "http://api.test"})
	r.Show("gate", func() any { return map[string]bool{"listening": false} })
	if got := resttest.Do(t, r.Handler(), "", "GET", "/readyz", nil).Want(t, 200); strings.TrimSpace(string(got.Body)) != `{"gate":{"listening":false}}` {
		t.Errorf("readiness shows %s", got.Body)
	}
}

// A key that no database could keep, or that is not one, is the client's fault,
// and the write does not happen without it.
func TestMalformedIdempotencyKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := w.issuer.Token(t, w.who)
	for name, keys := range map[string][]string{
		"empty": {""}, "invalid UTF-8": {"\xff"}, "beyond ASCII": {"clé"}, "too long": {strings.Repeat("k", 256)}, "two": {"a", "b"},
	} {
		req, err := http.NewRequest(http.MethodPost, w.url, strings.NewReader(`{"name":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": keys}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		p := problem(t, resp, string(body))
		if err != nil || p.Status != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Parameter != "Idempotency-Key" {
			t.Errorf("%s: %s %v, want a 400 that names the header", name, body, err)
		}
	}
	if w.called != 0 {
		t.Errorf("the operation was called %d times", w.called)
	}
	if resp, body := w.do(t, http.MethodPost, w.url, token, `{"name":"x"}`, "Idempotency-Key", strings.Repeat("k", 255)); resp.StatusCode >= 300 {
		t.Errorf("a key of 255 characters: %d %s", resp.StatusCode, body)
	}
}

// A path that another with a parameter would match has no more methods than its own.
func TestPathsHaveTheirOwnMethods(t *testing.T) {
	t.Parallel()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	done := func(context.Context, identity.Caller, *struct {
		ID string `path:"id"`
	}) (*struct{}, error) {
		return nil, nil
	}
	for _, method := range []string{"GET", "DELETE"} {
		rest.Register(a, rest.Operation{ID: method, Method: method, Path: "/v1/things/{id}", Tag: "things", Public: true, Summary: "One"}, done)
	}
	rest.Register(a, rest.Operation{ID: "accept", Method: "POST", Path: "/v1/things/acceptance", Tag: "things", Public: true, Summary: "Accept"},
		func(context.Context, identity.Caller, *struct{}) (*struct{}, error) { return nil, nil })
	for request, want := range map[string]string{
		"POST acceptance": "", "GET acceptance": "POST", "HEAD acceptance": "POST", "PUT acceptance": "POST", "DELETE acceptance": "POST",
		"GET x": "", "DELETE x": "", "POST x": "GET, HEAD, DELETE",
	} {
		method, path, _ := strings.Cut(request, " ")
		r := resttest.Do(t, a.Handler(), "", method, "/things/v1/things/"+path, nil)
		if got := r.Header.Get("Allow"); got != want || (r.Status == 405) != (want != "") {
			t.Errorf("%s: %d, Allow %q, want %q", request, r.Status, got, want)
		}
	}
}
