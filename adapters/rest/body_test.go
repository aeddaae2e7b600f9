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
	"bailiwick.dev/adapters/rest/resttest"
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

// Files are taken as far as there is room for them; a small one always is.
func TestFilesWaitForRoom(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	done := make(chan struct{})
	rest.Register(a, rest.Operation{ID: "import", Method: "POST", Path: "/v1/import", Tag: "things", Public: true, Summary: "Import", Consumes: "text/csv", MaxBody: 2 * size},
		func(_ context.Context, _ identity.Caller, in *struct {
			RawBody []byte `contentType:"text/csv"`
		}) (*struct{}, error) {
			if len(in.RawBody) == size {
				<-done
			}
			return nil, nil
		})
	file := strings.Repeat("x", size)
	send := func(file string) int {
		return resttest.Do(t, a.Handler(), "", "POST", "/things/v1/import", file, "Content-Type", "text/csv").Status
	}
	answers := make(chan int)
	for range 3 {
		go func() { answers <- send(file) }()
	}
	if status := <-answers; status != http.StatusServiceUnavailable {
		t.Errorf("the third of three files is answered %d", status)
	}
	if status := send("x"); status != http.StatusNoContent {
		t.Errorf("a small file is answered %d", status)
	}
	close(done)
	for range 2 {
		if status := <-answers; status != http.StatusNoContent {
			t.Errorf("a file for which there was room is answered %d", status)
		}
	}
	if status := send(file); status != http.StatusNoContent {
		t.Errorf("a file for which there is room again is answered %d", status)
	}
}

// What another media type means is not guessed from its suffix: a JSON Patch
// is no merge patch.
func TestBodyIsOfTheMediaTypeThatIsTaken(t *testing.T) {
	t.Parallel()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	done := func(context.Context, identity.Caller, *struct{ Body struct{ N int } }) (*struct{}, error) {
		return nil, nil
	}
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		rest.Register(a, rest.Operation{ID: method, Method: method, Path: "/v1/thing", Tag: "things", Public: true, Summary: "Write"}, done)
	}
	rest.Register(a, rest.Operation{ID: "cancel", Method: "POST", Path: "/v1/cancel", Tag: "things", Public: true, Summary: "Cancel"},
		func(context.Context, identity.Caller, *struct{}) (*struct{}, error) { return nil, nil })
	rest.Register(a, rest.Operation{ID: "import", Method: "POST", Path: "/v1/import", Tag: "things", Public: true, Summary: "Import", Consumes: "text/csv"},
		func(context.Context, identity.Caller, *struct {
			RawBody []byte `contentType:"text/csv"`
		}) (*struct{}, error) {
			return nil, nil
		})
	for _, c := range []struct {
		method, path, is string
		status           int
	}{
		{"POST", "thing", "application/json", 204}, {"POST", "thing", "Application/JSON; charset=utf-8", 204}, {"POST", "thing", "", 204},
		{"POST", "thing", "image/svg+json", 415}, {"POST", "thing", "json", 415}, {"POST", "thing", "application/json, text/plain", 415},
		{"PUT", "thing", "application/json", 204}, {"PUT", "thing", "application/merge-patch+json", 415},
		{"PATCH", "thing", "application/json", 204}, {"PATCH", "thing", "application/merge-patch+json", 204}, {"PATCH", "thing", "application/json-patch+json", 415},
		{"POST", "import", "text/csv", 204}, {"POST", "import", "text/csv; header=present; charset=UTF-8", 204},
		{"POST", "import", "text/csv; charset=iso-8859-1", 415}, {"POST", "import", "", 415}, {"POST", "import", "application/json", 415},
		{"POST", "cancel", "text/plain", 204},
	} {
		r := resttest.Do(t, a.Handler(), "", c.method, "/things/v1/"+c.path, `{"N":1}`, "Content-Type", c.is)
		if r.Status != c.status || c.status == 415 && rest.CodeOf(resttest.JSON[rest.Problem](t, r)) != "unsupported_media_type" {
			t.Errorf("%s %s of %q is answered %d %s, want %d", c.method, c.path, c.is, r.Status, r.Body, c.status)
		}
	}
	takes := a.OpenAPI().Paths["/things/v1/thing"].Patch.RequestBody.Content
	if m := takes["application/merge-patch+json"]; len(takes) != 2 || m == nil || m.Schema != takes["application/json"].Schema {
		t.Errorf("the document has PATCH take %v", takes)
	}
}
