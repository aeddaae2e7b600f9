package rest

import (
	"net/http"
	"slices"

	"github.com/go-chi/cors"
)

// crossOrigin lets a page read an answer when the installation names its
// origin, or the client of the token that it brings is allowed it (the Fetch
// standard's CORS). A preflight brings no token, and gives nothing away: it is
// answered to everybody. Callers bring tokens, never cookies.
func (a *API) crossOrigin() func(http.Handler) http.Handler {
	return cors.Handler(cors.Options{
		AllowOriginFunc: func(r *http.Request, origin string) bool {
			if r.Method == http.MethodOptions || slices.Contains(a.cfg.CORSOrigins, origin) {
				return true
			}
			v, _ := a.identify(r) // whoever is refused is told so further on
			return slices.Contains(v.origins, origin)
		},
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Accept", "If-Match", "If-None-Match", "Range", idempotencyKey, requestIDHeader, "Traceparent"},
		ExposedHeaders: []string{"ETag", "Link", "Location", "Policy-Version", "RateLimit", "RateLimit-Policy", "Retry-After", requestIDHeader, "WWW-Authenticate", "Content-Disposition", "Content-Range", "Repr-Digest"},
		MaxAge:         600,
	})
}

// AllowOrigin lets the page that asks read the answer if its origin is among
// origins: for endpoints that know their client by something else than a token.
func AllowOrigin(w http.ResponseWriter, r *http.Request, origins []string) {
	if origin := r.Header.Get("Origin"); slices.Contains(origins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

// AllowEveryOrigin lets every page read an answer that everybody may read.
func AllowEveryOrigin(w http.ResponseWriter) { w.Header().Set("Access-Control-Allow-Origin", "*") }
