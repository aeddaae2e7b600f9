package main

import (
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// userinfo tells about the person whom the token names (OpenID Connect Core,
// section 5.3). It refuses at once what was revoked: here is the store, and no
// need to wait for what every service hears within two seconds.
func (s *server) userinfo(w http.ResponseWriter, r *http.Request) {
	who := rest.Caller(r.Context())
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	of, _ := s.accessToken(token) // which Authenticate has let pass
	living, err := s.living(r.Context(), of)
	if err == nil && !living {
		err = fault.New(fault.Unauthenticated, "unauthenticated", "a valid access token is needed")
	}
	var c login.Credential
	if err == nil {
		c, err = s.store.Credential(r.Context(), who.Tenant, who.User)
	}
	if err != nil {
		rest.WriteProblem(w, r, err)
		return
	}
	claims := claimsOf(c, who.HasScope)
	claims["sub"] = c.User.String()
	noStore(w)
	writeJSON(w, http.StatusOK, claims)
}

// claimsOf is what scopes let a client know of a person (OpenID Connect Core,
// section 5.4). The ID token says it too: many libraries read nothing else.
func claimsOf(c login.Credential, has func(scope string) bool) map[string]any {
	claims := map[string]any{}
	if has("email") {
		claims["email"], claims["email_verified"] = c.Email, c.EmailVerified
	}
	if has("profile") {
		claims["name"] = c.Name
	}
	return claims
}

// bearerInForm takes a token from the body too (RFC 6750, section 2.2), which
// OpenID Connect Core, section 5.3.1, leaves open to clients: in one of the two
// places, once. It is never taken from the query. Whose page may read the answer
// is known only here.
func (s *server) bearerInForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isForm(r) {
			next.ServeHTTP(w, r)
			return
		}
		err := parseForm(w, r)
		token := r.PostForm.Get("access_token")
		if claims, ok := s.accessToken(token); ok {
			rest.AllowOrigin(w, r, claims.Origins)
		}
		switch {
		case err == nil && token != "" && r.Header.Get("Authorization") != "":
			err = fosite.ErrInvalidRequest.WithHint("The token is in the header or in the body, not in both.")
		case token != "":
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="bailiwick", error="invalid_request"`)
			writeError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
