package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
)

// A client that goes away is no failure of the server: nothing tells operators of one.
func TestClientThatHasGoneIsNoError(t *testing.T) {
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	rest.Register(a, rest.Operation{ID: "wait", Method: http.MethodGet, Path: "/v1/wait", Tag: "things", Public: true, Summary: "Wait", Description: "Waits."},
		func(ctx context.Context, _ identity.Caller, _ *struct{}) (*struct{}, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("read: %w", ctx.Err())
		})
	for gone, want := range map[bool]string{true: `"status":499`, false: `"status":500`} {
		log.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 0) // a bound of our own
		if gone {
			ctx, cancel = context.WithCancel(t.Context())
		}
		cancel()
		a.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/things/v1/wait", nil))
		if got := log.String(); !strings.Contains(got, want) || strings.Contains(got, `"ERROR"`) == gone {
			t.Errorf("gone: %v, want %s:\n%s", gone, want, got)
		}
	}
}
