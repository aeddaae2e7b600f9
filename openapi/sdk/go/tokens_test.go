package bailiwick_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// machine returns a machine client of a platform that answers for tokens with
// token, and with api for the rest.
func machine(t *testing.T, token, api http.HandlerFunc) *bailiwick.ClientWithResponses {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/token", token)
	mux.HandleFunc("/", api)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	url := srv.URL + "/"
	c, err := bailiwick.New(url, bailiwick.ClientCredentials(t.Context(), url, "id", "s:e", "tasks"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// numbered answers with the tokens t1, t2 and so on, which last for ten minutes.
func numbered(n *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":600}`, n.Add(1))
	}
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{}`)
}

func TestNobodyWaitsForATokenLongerThanHeWants(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	leave := make(chan struct{})
	c := machine(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-leave
	}, ok)
	defer close(leave)
	var waiting sync.WaitGroup
	for range 5 {
		waiting.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := c.GetTaskWithResponse(ctx, [16]byte{}, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want that the time is over", err)
			}
		})
	}
	waiting.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked for %d tokens, want one for all", asked.Load())
	}
}

func TestTokenIsAskedForAgainAndOnce(t *testing.T) {
	t.Parallel()
	var asked, given atomic.Int64
	c := machine(t, func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "id" || secret != "s%3Ae" {
			t.Errorf("client %s with %s", id, secret)
		}
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		numbered(&given)(w, r)
	}, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer t1" {
			t.Errorf("sent with %q", got)
		}
		ok(w, r)
	})
	var calls sync.WaitGroup
	for range 10 {
		calls.Go(func() {
			if r, err := c.GetTaskWithResponse(t.Context(), [16]byte{}, nil); err != nil || r.StatusCode() != http.StatusOK {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	calls.Wait()
	if asked.Load() != 2 {
		t.Errorf("asked %d times, want one that fails and one more", asked.Load())
	}
}

func TestRefusedTokenSaysWhy(t *testing.T) {
	t.Parallel()
	asked, status, body := 0, http.StatusUnauthorized, `{"error":"invalid_client","error_description":"no"}`
	c := machine(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}, ok)
	_, err := c.GetTaskWithResponse(t.Context(), [16]byte{}, nil)
	if refused := (*oauth2.RetrieveError)(nil); !errors.As(err, &refused) || refused.ErrorCode != "invalid_client" || asked != 1 {
		t.Errorf("%v after %d attempts, want invalid_client after one", err, asked)
	}
	for _, body = range []string{`{"type":"x#internal","title":"Internal Server Error","status":500}`, `<html>`} {
		status = http.StatusInternalServerError
		_, err = c.GetTaskWithResponse(t.Context(), [16]byte{}, nil)
		if problem := (*bailiwick.Problem)(nil); !errors.As(err, &problem) || err.Error() != "500 Internal Server Error" {
			t.Errorf("%v, want a problem", err)
		}
	}
}

func TestRevokedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	var given atomic.Int64
	var seen []string
	revoked := "Bearer t1"
	c := machine(t, numbered(&given), func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Header.Get("Idempotency-Key")+string(body))
		if strings.Contains(revoked, r.Header.Get("Authorization")) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		ok(w, r)
	})
	r, err := c.CreateProjectWithResponse(t.Context(), nil, bailiwick.ProjectDraft{Name: "x"})
	if err != nil || r.StatusCode() != http.StatusOK || len(seen) != 2 || seen[0] != seen[1] {
		t.Errorf("%v, %v, sent %q, want the same twice", r, err, seen)
	}
	revoked = "Bearer t2 Bearer t3"
	if r, err = c.CreateProjectWithResponse(t.Context(), nil, bailiwick.ProjectDraft{Name: "x"}); err != nil || r.StatusCode() != http.StatusUnauthorized || given.Load() != 3 {
		t.Errorf("%v, %v after %d tokens, want the refusal after three", r, err, given.Load())
	}
}

func TestTokenStaysWithThePlatform(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("another host was shown %q", got)
		}
		ok(w, r)
	}))
	defer elsewhere.Close()
	c := machine(t, numbered(new(atomic.Int64)), func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	if r, err := c.GetTaskWithResponse(t.Context(), [16]byte{}, nil); err != nil || r.StatusCode() != http.StatusOK {
		t.Errorf("%v, %v", r, err)
	}
}
