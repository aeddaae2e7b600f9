package rest

import (
	"net/http"

	"github.com/go-chi/cors"
)

// allowOrigins lets pages of these origins call, and no others (the Fetch
// standard's CORS). Callers bring tokens, never cookies.
func allowOrigins(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.Handler(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Accept", "If-Match", "If-None-Match", idempotencyKey, requestIDHeader, "Traceparent"},
		ExposedHeaders: []string{"ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", requestIDHeader, "WWW-Authenticate"},
		MaxAge:         600,
	})
}
