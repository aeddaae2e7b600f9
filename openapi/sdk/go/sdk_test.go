package bailiwick_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

func serve(t *testing.T, h http.HandlerFunc) *bailiwick.ClientWithResponses {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := bailiwick.NewClientWithResponses(srv.URL, bailiwick.WithHTTPClient(&http.Client{Transport: &bailiwick.Transport{Backoff: time.Millisecond}}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWriteIsSentAgainUnderOneKey(t *testing.T) {
	t.Parallel()
	keys, bodies := map[string]int{}, map[string]int{}
	n := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		keys[r.Header.Get("Idempotency-Key")]++
		bodies[string(body)]++
		if n++; n < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{}`)
	})
	r, err := c.CreateProjectWithResponse(t.Context(), nil, bailiwick.ProjectDraft{Name: "x"})
	if err != nil || r.StatusCode() != http.StatusCreated {
		t.Fatalf("%v, %v, want 201 at the third attempt", r, err)
	}
	if len(keys) != 1 || keys[""] > 0 || len(bodies) != 1 || n != 3 {
		t.Errorf("%d attempts with the keys %v and the bodies %v, want three of one", n, keys, bodies)
	}
}

func TestWhatIsRefusedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"type":"x#project_archived","title":"Conflict","status":409}`)
	})
	r, err := c.CreateProjectWithResponse(t.Context(), nil, bailiwick.ProjectDraft{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var p *bailiwick.Problem
	if err := bailiwick.Check(r.HTTPResponse, r.Body, http.StatusCreated); !errors.As(err, &p) || p.Status != 409 || p.Code() != "project_archived" || n.Load() != 1 {
		t.Errorf("%v after %d attempts, want a problem after one", err, n.Load())
	}
}

func TestCallerWhoLeavesEndsTheAttempts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		cancel()
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := c.GetTaskWithResponse(ctx, [16]byte{}, nil); !errors.Is(err, context.Canceled) || n.Load() != 1 {
		t.Errorf("%v after %d attempts, want canceled after one", err, n.Load())
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Duration{
		"7": 7 * time.Second, "Sat, 01 Jan 2000 00:00:09 GMT": 9 * time.Second, "3600": 30 * time.Second, "99999999999": 30 * time.Second,
		"Sun, 01 Jan 2040 00:00:00 GMT": 30 * time.Second, "Fri, 31 Dec 1999 00:00:00 GMT": 0, "-7": 0, "soon": 0, "": 0,
	} {
		synctest.Test(t, func(t *testing.T) { // its clock starts with the year 2000
			transport := &bailiwick.Transport{Attempts: 2, Backoff: time.Nanosecond, Base: answers(func() *http.Response {
				return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {asked}}, Body: http.NoBody}
			})}
			start := time.Now()
			resp, err := transport.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
			if waited := time.Since(start).Truncate(time.Millisecond); err != nil || resp.StatusCode != http.StatusTooManyRequests || waited != want {
				t.Errorf("%q: waited %v, %v, want %v", asked, waited, err, want)
			}
		})
	}
}

// answers is a transport.
type answers func() *http.Response

func (a answers) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

func TestRowsReadsEveryPageAndTellsOfAProblem(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch w.Header().Set("Content-Type", "application/json"); r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"items":[{"key":"A-1"},{"key":"A-2"}],"next_cursor":"b"}`)
		case "b":
			fmt.Fprint(w, `{"items":[{"key":"A-3"}],"next_cursor":"c"}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"type":"x#invalid_cursor","title":"Bad Request","status":400}`)
		}
	})
	var keys []string
	var problem *bailiwick.Problem
	for task, err := range bailiwick.Rows[bailiwick.Task](func(cursor *string) (*http.Response, error) {
		return c.ListTasks(t.Context(), &bailiwick.ListTasksParams{Cursor: cursor})
	}) {
		if err == nil {
			keys = append(keys, task.Key)
		} else if !errors.As(err, &problem) {
			t.Errorf("error %v, want a problem", err)
		}
	}
	if got := strings.Join(keys, " "); got != "A-1 A-2 A-3" || problem == nil {
		t.Errorf("rows %s and problem %v, want three and a problem", got, problem)
	}
}

func TestExportYieldsTasksUntilItBreaksOff(t *testing.T) {
	t.Parallel()
	status, broken := http.StatusOK, false
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.WriteHeader(status)
		fmt.Fprint(w, "{\"key\":\"A-1\"}\n{\"key\":\"A-2\"}\n")
		if broken {
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	read := func() (keys string, last error) {
		for task, err := range bailiwick.Exported(c.ExportTasks(t.Context(), nil)) {
			keys, last = keys+task.Key+" ", err
		}
		return keys, last
	}
	if keys, err := read(); keys != "A-1 A-2 " || err != nil {
		t.Errorf("%q, %v", keys, err)
	}
	broken = true
	if keys, err := read(); keys != "A-1 A-2  " || err == nil {
		t.Errorf("broken off: %q, %v, want an error", keys, err)
	}
	broken, status = false, http.StatusForbidden
	var p *bailiwick.Problem
	if _, err := read(); !errors.As(err, &p) || p.Status != http.StatusForbidden {
		t.Errorf("refused: %v", err)
	}
}

func TestFailedReportSaysWhy(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status":"failed","failure":{"code":"cell_too_long","message":"OPS-3: Title is too long"}}`)
	})
	_, err := bailiwick.WaitForReport(t.Context(), c, [16]byte{1}, nil)
	if want := "the report run is failed: cell_too_long: OPS-3: Title is too long"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if failed := (*bailiwick.ReportError)(nil); !errors.As(err, &failed) || failed.Run.Failure.Code != "cell_too_long" {
		t.Errorf("%v, want the failed run", err)
	}
}

func TestWhatAProxyAnswersIsAnError(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"text/html; charset=utf-8", "text/plain"} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", kind) })
		if _, err := bailiwick.WaitForReport(t.Context(), c, [16]byte{1}, nil); err == nil || !strings.Contains(err.Error(), kind) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
