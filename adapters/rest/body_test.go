package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
)

// Bodies that together hold more values than one may are not worked on at once,
// and a small one does not wait for them.
func TestLargeBodiesTakeTurns(t *testing.T) {
	type numbers struct{ Body struct{ N []int8 } }
	var working atomic.Int32
	var clients sync.WaitGroup
	var small func()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	rest.Register(a, rest.Operation{ID: "count", Method: "POST", Path: "/v1/count", Tag: "things", Public: true, Summary: "Count"},
		func(_ context.Context, _ identity.Caller, in *numbers) (*struct{}, error) {
			if len(in.Body.N) > 1 {
				if n := working.Add(1); n > 1 {
					t.Errorf("%d large bodies are worked on at once", n)
				}
				defer working.Add(-1)
				small()
			}
			return nil, nil
		})
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(srv.Close)
	send := func(numbers int) {
		resp, err := http.Post(srv.URL+"/things/v1/count", "application/json", strings.NewReader(`{"N":[`+strings.Repeat("1,", numbers-1)+`1]}`))
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("%d numbers: %s", numbers, resp.Status)
		}
	}
	small = func() { send(1) }
	for range 8 {
		clients.Go(func() { send(300_000) })
	}
	clients.Wait()
}
