package resttest

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Response is what a surface answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request to a surface; headers come as name, value pairs. A body
// that is no string is sent as JSON.
func Do(t testing.TB, h http.Handler, token, method, path string, body any, headers ...string) Response {
	t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return Response{w.Code, w.Header(), w.Body.Bytes()}
}

// Want fails the test unless the status is the one wanted.
func (r Response) Want(t testing.TB, status int) Response {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	return r
}

// JSON reads the body.
func JSON[T any](t testing.TB, r Response) (v T) {
	t.Helper()
	if err := json.Unmarshal(r.Body, &v); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
	return v
}

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) } // a line for each request would bury what failed
