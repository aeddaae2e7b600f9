package main

import (
	"net/http"
	"strings"

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
	claims := map[string]any{"sub": c.User.String()}
	if who.HasScope("email") {
		claims["email"], claims["email_verified"] = c.Email, c.EmailVerified
	}
	if who.HasScope("profile") {
		claims["name"] = c.Name
	}
	noStore(w)
	writeJSON(w, http.StatusOK, claims)
}

// bearerInForm takes a token from the body too (RFC 6750, section 2.2), which
// OpenID Connect Core, section 5.3.1, leaves open to clients. It is never taken
// from the query.
func bearerInForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" && parseForm(w, r) == nil && r.PostForm.Get("access_token") != "" {
			r.Header.Set("Authorization", "Bearer "+r.PostForm.Get("access_token"))
		}
		next.ServeHTTP(w, r)
	})
}
