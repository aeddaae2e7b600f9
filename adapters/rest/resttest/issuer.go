// Package resttest stands in for the token issuer in tests of a REST surface:
// real keys, real signatures, a real JWKS endpoint.
package resttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
)

// Audience is whom the tokens are for.
const Audience = "http://api.test"

// Issuer signs access tokens with ES256.
type Issuer struct {
	URL string
	Key *ecdsa.PrivateKey
	KID string
}

// NewIssuer starts an issuer that lives as long as the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{Key: key, KID: "test-key"}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: i.KID, Algorithm: "ES256", Use: "sig"}}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(set) // the client is gone if this fails
	}))
	t.Cleanup(srv.Close)
	i.URL = srv.URL
	return i
}

// Verifier returns a verifier of the issuer's tokens.
func (i *Issuer) Verifier() *rest.Verifier {
	return rest.NewVerifier(i.URL, Audience, i.URL)
}

// Claims returns those of a good token for who.
func (i *Issuer) Claims(who identity.Caller) map[string]any {
	sub := who.Client
	if who.User != uuid.Nil {
		sub = who.User.String()
	}
	now := time.Now()
	scope := ""
	for _, s := range who.Scopes {
		scope += s + " "
	}
	return map[string]any{
		"iss": i.URL, "aud": []string{Audience}, "sub": sub, "client_id": who.Client, "scope": scope,
		"tenant_id": who.Tenant.String(), "jti": uuid.NewString(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

// Token returns a good access token for who, whose Client defaults to "client-test".
func (i *Issuer) Token(t testing.TB, who identity.Caller) string {
	t.Helper()
	if who.Client == "" {
		who.Client = "client-test"
	}
	return i.Sign(t, "at+jwt", i.Claims(who), nil)
}

// Sign returns a token with any type, claims and further headers.
func (i *Issuer) Sign(t testing.TB, typ string, claims, headers map[string]any) string {
	t.Helper()
	all := map[jose.HeaderKey]any{jose.HeaderType: typ, "kid": i.KID}
	for k, v := range maps.All(headers) {
		all[jose.HeaderKey(k)] = v
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.Key}, &jose.SignerOptions{ExtraHeaders: all})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
