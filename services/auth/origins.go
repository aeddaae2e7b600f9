package main

import (
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/login"
)

// readable lets pages of a public client read the answers of an endpoint that
// takes its form. A confidential client has no business in a browser.
func (s *server) readable(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			if err := parseForm(w, r); err != nil { // the endpoint could not read it a second time
				writeError(w, r, err)
				return
			}
			if c, err := s.findClient(r.Context(), r.PostForm.Get("client_id")); err == nil && c.Type == login.Public {
				rest.AllowOrigin(w, r, c.WebOrigins)
			}
		}
		next(w, r)
	}
}

// public lets every page read what everybody may know.
func public(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rest.AllowEveryOrigin(w)
		next(w, r)
	}
}
