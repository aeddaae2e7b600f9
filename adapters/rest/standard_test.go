package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

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

func TestOnlyAllowedOriginsMayCall(t *testing.T) {
	t.Parallel()
	h, _ := listing(t, rest.Config{CORSOrigins: []string{"https://app.test"}})
	for origin, want := range map[string]string{"https://app.test": "https://app.test", "https://app.test.evil": "", "null": ""} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/things/v1/things", nil)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "PATCH")
		req.Header.Set("Access-Control-Request-Headers", "authorization,if-match,idempotency-key")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("origin %s is answered %q, want %q and no credentials", origin, got, want)
		}
	}
}
