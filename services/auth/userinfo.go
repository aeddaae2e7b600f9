package main

import (
	"net/http"

	"bailiwick.dev/adapters/rest"
)

// userinfo tells about the person whom the token names (OpenID Connect Core,
// section 5.3).
func (s *server) userinfo(w http.ResponseWriter, r *http.Request) {
	who := rest.Caller(r.Context())
	c, err := s.store.Credential(r.Context(), who.Tenant, who.User)
	if err != nil {
		rest.WriteProblem(w, r, err)
		return
	}
	claims := map[string]any{"sub": c.User.String()}
	if who.HasScope("email") {
		claims["email"], claims["email_verified"] = c.Email, true // only a mailed link makes a credential
	}
	if who.HasScope("profile") {
		claims["name"] = c.Name
	}
	noStore(w)
	writeJSON(w, http.StatusOK, claims)
}
