package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// keyed is a client that proves itself with a key.
type keyed struct {
	*world
	id  string
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newKeyed(t *testing.T) *keyed {
	t.Helper()
	w := &keyed{world: newWorld(t)}
	var err error
	if w.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if w.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	var made ClientWithSecret
	w.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "Keyed", "type": "confidential", "token_endpoint_auth_method": "private_key_jwt",
		"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: w.ec.Public(), KeyID: "ec", Use: "sig"}, {Key: w.rsa.Public(), KeyID: "rsa"}}}}, 201, &made)
	if made.ClientSecret != "" || made.AuthMethod != "private_key_jwt" {
		t.Fatalf("made %+v", made)
	}
	w.id = made.ID
	return w
}

func (w *keyed) claims() map[string]any {
	return map[string]any{"iss": w.id, "sub": w.id, "aud": w.url + "/auth", "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()}
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func asserted(assertion string) url.Values {
	return url.Values{"client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
}

func (w *keyed) try(t *testing.T, assertion string) (int, map[string]any) {
	t.Helper()
	form := asserted(assertion)
	form.Set("grant_type", "client_credentials")
	return w.anonymous(t, "/auth/token", form)
}

// anonymous posts a form without an Authorization header.
func (w *world) anonymous(t *testing.T, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	resp, err := http.PostForm(w.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(resp)
}

func TestClientProvesItselfWithAKey(t *testing.T) {
	t.Parallel()
	w := newKeyed(t)
	for _, good := range []string{
		sign(t, jose.ES256, w.ec, "ec", w.claims()), sign(t, jose.RS256, w.rsa, "rsa", w.claims()), sign(t, jose.PS256, w.rsa, "rsa", w.claims()),
	} {
		if status, body := w.try(t, good); status != 200 {
			t.Errorf("%d %v", status, body)
		}
		if status, body := w.try(t, good); status != 401 || body["error"] != "invalid_client" {
			t.Errorf("the same assertion again: %d %v", status, body)
		}
	}
	beside := asserted(sign(t, jose.ES256, w.ec, "ec", w.claims()))
	beside["grant_type"], beside["client_id"], beside["client_secret"] = []string{"client_credentials"}, []string{""}, []string{""}
	if status, body := w.anonymous(t, "/auth/token", beside); status != 200 {
		t.Errorf("with an empty client_id beside it: %d %v", status, body)
	}
	with := func(name string, value any) map[string]any {
		c := w.claims()
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	public, _ := json.Marshal(jose.JSONWebKey{Key: w.ec.Public()})
	for what, bad := range map[string]string{
		"another key":          sign(t, jose.ES256, other, "ec", w.claims()),
		"an unknown kid":       sign(t, jose.ES256, w.ec, "none", w.claims()),
		"no kid of two":        sign(t, jose.ES256, w.ec, "", w.claims()),
		"another's kid":        sign(t, jose.ES256, w.ec, "rsa", w.claims()),
		"HMAC with public key": sign(t, jose.HS256, public, "ec", w.claims()),
		"RS512":                sign(t, jose.RS512, w.rsa, "rsa", w.claims()),
		"no exp":               sign(t, jose.ES256, w.ec, "ec", with("exp", nil)),
		"exp past":             sign(t, jose.ES256, w.ec, "ec", with("exp", time.Now().Add(-time.Minute).Unix())),
		"exp far away":         sign(t, jose.ES256, w.ec, "ec", with("exp", time.Now().Add(2*time.Hour).Unix())),
		"nbf ahead":            sign(t, jose.ES256, w.ec, "ec", with("nbf", time.Now().Add(time.Minute*2).Unix())),
		"no jti":               sign(t, jose.ES256, w.ec, "ec", with("jti", nil)),
		"a long jti":           sign(t, jose.ES256, w.ec, "ec", with("jti", strings.Repeat("x", 300))),
		"another aud":          sign(t, jose.ES256, w.ec, "ec", with("aud", w.url)),
		"aud by prefix":        sign(t, jose.ES256, w.ec, "ec", with("aud", w.url+"/auth/token/x")),
		"two aud":              sign(t, jose.ES256, w.ec, "ec", with("aud", []string{w.url + "/auth", "https://other.example"})),
		"another iss":          sign(t, jose.ES256, w.ec, "ec", with("iss", "x")),
		"another's sub":        sign(t, jose.ES256, w.ec, "ec", with("sub", w.client.ID)),
		"no signature":         b64(`{"alg":"none"}`) + "." + b64(`{"sub":"`+w.id+`"}`) + ".",
		"a long one":           sign(t, jose.ES256, w.ec, "ec", with("x", strings.Repeat("x", maxAssertion))),
	} {
		if status, body := w.try(t, bad); status != 401 || body["error"] != "invalid_client" {
			t.Errorf("%s: %d %v", what, status, body)
		}
	}
}

// Each way that the metadata names works at each endpoint that takes it.
func TestEachProofIsTakenAtEachEndpoint(t *testing.T) {
	t.Parallel()
	w := newKeyed(t)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.id, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code"}}, 200, nil, "If-Match", `"1"`)
	var page ClientWithSecret
	w.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "Page", "type": "public", "redirect_uris": []string{callback}}, 201, &page)
	request := url.Values{"response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid"}, "code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"}}
	signed := func(audience string) url.Values {
		c := w.claims()
		c["aud"] = w.url + "/auth" + audience
		return asserted(sign(t, jose.ES256, w.ec, "ec", c))
	}
	for path, want := range map[string]struct {
		status int
		form   url.Values
	}{"/par": {201, request}, "/revoke": {200, url.Values{"token": {"x"}}}, "/introspect": {200, url.Values{"token": {"x"}}}} {
		for what, proof := range map[string]url.Values{
			"none": {"client_id": {page.ID}}, "a secret in the body": {"client_id": {w.client.ID}, "client_secret": {w.client.ClientSecret}},
			"an assertion for the issuer": signed(""), "for the token endpoint": signed("/token"), "for this endpoint": signed(path),
		} {
			maps.Copy(proof, want.form)
			status, body := w.anonymous(t, "/auth"+path, proof)
			if alone := path == "/introspect" && what == "none"; status != want.status && !alone || alone && (status != 401 || body["error"] != "invalid_client") {
				t.Errorf("%s at %s: %d %v", what, path, status, body)
			}
		}
	}
}

func TestOneOfManyReplaysOfAnAssertionIsTaken(t *testing.T) {
	t.Parallel()
	w := newKeyed(t)
	assertion := sign(t, jose.ES256, w.ec, "ec", w.claims())
	var won atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if status, _ := w.try(t, assertion); status == 200 {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("one assertion gave %d tokens", won.Load())
	}
}

func TestKeysOfClientsAreJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	set := func(keys ...jose.JSONWebKey) any { return jose.JSONWebKeySet{Keys: keys} }
	for what, jwks := range map[string]any{
		"none": nil, "no keys": set(), "a private key": set(jose.JSONWebKey{Key: key}), "a symmetric key": set(jose.JSONWebKey{Key: []byte("0123456789abcdef")}),
		"a small key": set(jose.JSONWebKey{Key: small.Public()}), "another curve": set(jose.JSONWebKey{Key: p384.Public()}),
		"one kid twice":     set(jose.JSONWebKey{Key: key.Public(), KeyID: "a"}, jose.JSONWebKey{Key: key.Public(), KeyID: "a"}),
		"not on the curve":  map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "x": b64(strings.Repeat("x", 32)), "y": b64(strings.Repeat("y", 32))}}},
		"a remote location": map[string]any{"keys": []any{}, "jwks_uri": "http://169.254.169.254/"},
	} {
		w.send(t, "POST", "/auth/v1/clients", map[string]any{"name": "Keyed", "type": "confidential", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}, 422, nil)
		t.Log("refused:", what)
	}
}
