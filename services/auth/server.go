package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/login"
)

// How long things live.
const (
	accessTokenLife = login.AccessTokenLife
	idTokenLife     = time.Hour
	codeLife        = time.Minute
	refreshLife     = 14 * 24 * time.Hour // unused
	familyLife      = 90 * 24 * time.Hour // however much it is used
	sessionLife     = 12 * time.Hour
	graceLife       = 10 * time.Second // a refresh token repeated within it gets the same successor
)

// failing is what a login that fails takes at least: longer than to compare with
// a bcrypt hash of cost 12, which only people have who come from elsewhere.
const failing = 500 * time.Millisecond

// server is the protocol: its endpoints are found by discovery.
type server struct {
	cfg      config.Server
	store    *authdb.Store
	hasher   hasher
	failing  time.Duration
	people   *login.Service
	keys     *keyring
	refresh  []byte // the key from which successors of refresh tokens are derived
	forms    []byte // the key of the proofs that forms carry
	platform map[string][]byte
	recent   *expirable.LRU[string, login.Client]
	checked  *expirable.LRU[[sha256.Size]byte, accessClaims]
	provider fosite.OAuth2Provider
}

// newServer composes fosite factory by factory: ComposeAllEnabled would switch
// on the implicit, hybrid and password grants.
func newServer(cfg config.Server, store *authdb.Store, people *login.Service, hasher hasher, failing time.Duration, keys *keyring, refresh, forms []byte, platform map[string][]byte) *server {
	s := &server{cfg: cfg, store: store, people: people, hasher: hasher, failing: failing, keys: keys, refresh: refresh, forms: forms, platform: platform, recent: newRecent(), checked: newChecked()}
	fc := &fosite.Config{
		AccessTokenLifespan: accessTokenLife, RefreshTokenLifespan: refreshLife, AuthorizeCodeLifespan: codeLife, IDTokenLifespan: idTokenLife,
		IDTokenIssuer: cfg.Issuer, AccessTokenIssuer: cfg.Issuer, EnforcePKCE: true, MinParameterEntropy: 1, // how long a nonce is, is the client's business
		ScopeStrategy: fosite.ExactScopeStrategy, AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy,
		ClientAuthenticationStrategy: s.authenticateClient, RefreshTokenScopes: []string{},
		SanitationWhiteList:   []string{"redirect_uri", "code_challenge", "code_challenge_method", "nonce"},
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true }, // checked when a client is made
	}
	st, tokens := &storage{s}, &tokens{s}
	s.provider = compose.Compose(fc, st, tokens,
		func(c fosite.Configurator, _, _ any) any {
			return &oauth2.AuthorizeExplicitGrantHandler{AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, AuthorizeCodeStrategy: tokens,
				CoreStorage: st, TokenRevocationStorage: st, Config: fc}
		},
		func(c fosite.Configurator, _, _ any) any {
			return &oauth2.ClientCredentialsGrantHandler{HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: tokens, AccessTokenStorage: st, Config: fc}, Config: fc}
		},
		func(fosite.Configurator, any, any) any { return &refreshHandler{s, tokens} },
		func(fosite.Configurator, any, any) any { return &delegateHandler{s, tokens} },
		func(fosite.Configurator, any, any) any { return &passwordHandler{s, tokens} },
		func(c fosite.Configurator, _, _ any) any {
			ids := &openid.DefaultStrategy{Signer: keys, Config: fc}
			return &openid.OpenIDConnectExplicitHandler{OpenIDConnectRequestStorage: st, Config: fc,
				OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(ids, fc),
				IDTokenHandleHelper:           &openid.IDTokenHandleHelper{IDTokenStrategy: ids}}
		},
		func(c fosite.Configurator, _, _ any) any {
			return &pkce.Handler{AuthorizeCodeStrategy: tokens, Storage: st, Config: fc}
		},
	)
	return s
}

// mount adds the endpoints.
func (s *server) mount(r *rest.API) {
	m := r.Router()
	page := m.With(s.understood)
	for _, path := range []string{"/auth/.well-known/openid-configuration", "/auth/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/auth"} {
		m.Get(path, public(s.discovery))
	}
	m.Get("/auth/jwks.json", public(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, _ = w.Write(s.keys.set.Load().public) // the client is gone if this fails
	}))
	page.Get("/auth/authorize", s.authorize)
	m.Post("/auth/authorize", s.authorize)
	m.Post("/auth/login", s.login)
	m.Post("/auth/consent", s.consent)
	for _, path := range []string{"/auth/login", "/auth/consent"} { // what the browser shows as a form's address is opened again
		m.Get(path, http.RedirectHandler("/auth/account", http.StatusSeeOther).ServeHTTP)
	}
	page.Get("/auth/forgot", s.forgot)
	m.Post("/auth/forgot", s.sendReset)
	page.Get("/auth/reset", s.reset)
	m.Post("/auth/reset", s.setPassword)
	page.Get("/auth/verify", s.verify)
	m.Post("/auth/verify", s.verified)
	m.Get("/auth/account", s.account)
	m.Post("/auth/account/password", s.changePassword)
	m.Post("/auth/account/sessions", s.endSessions)
	m.Post("/auth/account/consents", s.withdraw)
	m.Post("/auth/token", s.readable(s.token))
	m.Post("/auth/par", s.readable(s.push))
	m.Post("/auth/revoke", s.readable(s.revoke))
	m.Post("/auth/introspect", s.introspect)
	m.With(r.Authenticate("openid")).Get("/auth/userinfo", s.userinfo)
	m.With(s.bearerInForm, r.Authenticate("openid")).Post("/auth/userinfo", s.userinfo)
	page.Get("/auth/logout", s.logout)
	m.Post("/auth/logout", s.logout)
}

// discovery is the metadata of OpenID Connect Discovery 1.0 and RFC 8414.
func (s *server) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return s.cfg.Issuer + path }
	auth := []string{login.AuthBasic, login.AuthPost, login.AuthPrivateKey, login.AuthNone}
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": s.cfg.Issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "userinfo_endpoint": at("/userinfo"),
		"jwks_uri": at("/jwks.json"), "revocation_endpoint": at("/revoke"), "introspection_endpoint": at("/introspect"), "end_session_endpoint": at("/logout"),
		"scopes_supported": supportedScopes, "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": supportedGrants, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		"token_endpoint_auth_methods_supported": auth, "revocation_endpoint_auth_methods_supported": auth,
		"introspection_endpoint_auth_methods_supported":    auth[:3],
		"token_endpoint_auth_signing_alg_values_supported": assertionAlgorithms, "revocation_endpoint_auth_signing_alg_values_supported": assertionAlgorithms,
		"introspection_endpoint_auth_signing_alg_values_supported": assertionAlgorithms, "code_challenge_methods_supported": []string{"S256"},
		"claims_supported":        []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "email", "email_verified", "name"},
		"prompt_values_supported": supportedPrompts, "pushed_authorization_request_endpoint": at("/par"),
		"require_pushed_authorization_requests": false, "authorization_response_iss_parameter_supported": true,
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "claims_parameter_supported": false,
		"service_documentation": s.cfg.PublicURL + "/docs/",
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}
