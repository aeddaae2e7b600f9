package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the gateway lets through, four lines of 32 KiB, is answered by an
// operation: net/http's own refusal is no problem.
func TestHeadersOfTheGatewayPass(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = newServer(http.NotFoundHandler())
	srv.Start()
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"A", "B", "C", "D"} {
		req.Header.Set(name, strings.Repeat("x", 32<<10))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("answered %s", resp.Status)
	}
}
