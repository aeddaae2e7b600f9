package main

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/domain/login"
)

// sealed is a keyring that needs no database.
func sealed(f testing.TB) *keyring {
	f.Helper()
	seal, err := sealer([]byte("fedcba9876543210fedcba9876543210"))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Now()
	made, err := newKey(seal, now)
	if err != nil {
		f.Fatal(err)
	}
	made.ActiveFrom = &now
	k := &keyring{seal: seal}
	if err := k.open([]authdb.SealedKey{made}); err != nil {
		f.Fatal(err)
	}
	return k
}

// Whatever a token's text is, only what the keyring itself has signed is good.
func FuzzTokenParsing(f *testing.F) {
	k := sealed(f)
	good, _, err := k.Generate(f.Context(), map[string]any{"sub": "x"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{"sub":"x"}`) + ".")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		var claims accessClaims
		if _, err := k.verify(token, &claims); err == nil && !strings.HasPrefix(token, good[:strings.LastIndexByte(good, '.')]) {
			t.Errorf("accepted %q", token)
		}
		if id := namedBy(token); len(id) > maxAssertion {
			t.Errorf("a client_id of %d bytes", len(id))
		}
		if family, ok := familyOf(token); !ok && family != uuid.Nil {
			t.Errorf("%q names a family", token)
		}
	})
}

// A form is understood with each parameter once, or refused; nothing of it panics.
func FuzzFormDecoding(f *testing.F) {
	for _, s := range []string{"grant_type=x", "a=1&a=2", "resource=1&resource=2", "%zz", ";", "client_id=%00", strings.Repeat("a&", 100)} {
		f.Add(s, "application/x-www-form-urlencoded")
	}
	f.Add("{}", "application/json")
	s := &server{cfg: config.Server{Issuer: "https://api.example/auth", Audience: "https://api.example", PublicURL: "https://api.example"}}
	f.Fuzz(func(t *testing.T, body, kind string) {
		r := httptest.NewRequest("POST", "/auth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		if parseForm(httptest.NewRecorder(), r) != nil {
			return
		}
		for name, values := range r.PostForm {
			if len(values) > 1 && name != "resource" {
				t.Errorf("%q came %d times", name, len(values))
			}
		}
		p, err := s.proofOf(r, r.PostForm)
		if err == nil && p.assertion != "" && p.secret != "" {
			t.Errorf("two proofs in %q", body)
		}
		to, err := s.targetOf(&client{Client: login.Client{Tenant: uuid.Max}}, r.PostForm)
		for _, a := range to.audience {
			if err == nil && !strings.HasPrefix(a, "https://api.example/") {
				t.Errorf("audience %q", a)
			}
		}
	})
}

// Whatever a request asks for, it is answered at a registered address.
func FuzzAuthorizationRequest(f *testing.F) {
	for _, s := range []string{"redirect_uri=https://app.example/cb&response_type=code", "prompt=none+login", "max_age=-1", "scope=openid&scope=tasks", "redirect_uri=https://app.example/cb&state=%0d%0aSet-Cookie:x"} {
		f.Add(s)
	}
	s := &server{cfg: config.Server{Issuer: "https://api.example/auth", Audience: "https://api.example"}, keys: sealed(f)}
	c, err := login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://app.example/cb"}}.Client("c", time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil || !c.Redirect(params.Get("redirect_uri")) {
			return
		}
		a := &authorization{server: s, client: &client{Client: c, redirect: params.Get("redirect_uri")}, params: params}
		if err := a.problem(); err == nil {
			return
		}
		w := httptest.NewRecorder()
		a.fail(w, httptest.NewRequest("GET", "/auth/authorize", nil), a.problem())
		if to := w.Header().Get("Location"); !strings.HasPrefix(to, "https://app.example/cb?") || strings.ContainsAny(to, "\r\n") {
			t.Errorf("%q leads to %q", query, to)
		}
	})
}
