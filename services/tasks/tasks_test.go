package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// platform is the service on a database of its own.
type platform struct {
	handler http.Handler
	issuer  *resttest.Issuer
	a, b    string // tokens of two tenants
}

func newPlatform(t *testing.T, gate access.Gate) *platform {
	t.Helper()
	p := &platform{issuer: resttest.NewIssuer(t)}
	cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
	p.handler = surface(cfg, p.issuer.Verifier(), nil, tasksdb.New(pgtest.New(t, "tasks", tasksdb.Migrations).App), gate).Handler()
	p.a, p.b = p.person(t), p.person(t)
	return p
}

func (p *platform) person(t *testing.T) string {
	return p.issuer.Token(t, identity.Caller{Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"tasks"}})
}

func (p *platform) do(t testing.TB, token, method, path string, body any, headers ...string) resttest.Response {
	t.Helper()
	return resttest.Do(t, p.handler, token, method, "/tasks/v1/"+path, body, headers...)
}

func (p *platform) project(t testing.TB) string {
	t.Helper()
	return resttest.JSON[task.Project](t, p.do(t, p.a, "POST", "projects", `{"name":"Move"}`).Want(t, 201)).ID.String()
}

func (p *platform) task(t testing.TB, project string) task.Task {
	t.Helper()
	return resttest.JSON[task.Task](t, p.do(t, p.a, "POST", "tasks", map[string]string{"project_id": project, "title": "Desks"}).Want(t, 201))
}

func TestTaskChangesByVersionAndByNameOnly(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	made := p.task(t, p.project(t))
	at := "tasks/" + made.ID.String()
	p.do(t, p.a, "PATCH", at, `{"status":"done"}`).Want(t, 428)
	first := p.do(t, p.a, "PATCH", at, `{"status":"done","due_at":"2026-12-01T00:00:00Z"}`, "If-Match", `"1"`).Want(t, 200)
	if first.Header.Get("ETag") != `"2"` {
		t.Errorf("ETag %s, want \"2\"", first.Header.Get("ETag"))
	}
	p.do(t, p.a, "PATCH", at, `{"status":"open"}`, "If-Match", `"1"`).Want(t, 412)
	p.do(t, p.a, "PATCH", at, `{"status":"open"}`, "If-Match", `*`).Want(t, 412)
	p.do(t, p.a, "PATCH", at, `{"version":9}`, "If-Match", `"2"`).Want(t, 422)
	p.do(t, p.a, "PATCH", at, `{"tenant_id":"x","owner":"y"}`, "If-Match", `"2"`).Want(t, 422)
	p.do(t, p.a, "PATCH", at, `{"due_at":null}`, "If-Match", `"2"`).Want(t, 200)
	got := resttest.JSON[task.Task](t, p.do(t, p.a, "GET", at, nil).Want(t, 200))
	if got.Status != "done" || got.DueAt != nil || got.Title != "Desks" || got.Version != 3 {
		t.Errorf("after three changes: %+v", got)
	}
	p.do(t, p.a, "DELETE", at, nil, "If-Match", `"2"`).Want(t, 412)
	p.do(t, p.a, "DELETE", at, nil, "If-Match", `"3"`).Want(t, 204)
	p.do(t, p.a, "GET", at, nil).Want(t, 404)
}

func TestAnotherTenantIsUnknown(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	at := "tasks/" + p.task(t, project).ID.String()
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", at, nil}, {"PATCH", at, `{"title":"x"}`}, {"DELETE", at, nil}, {"POST", at + "/comments", `{"body":"x"}`}, {"GET", at + "/comments", nil},
		{"GET", "projects/" + project, nil}, {"DELETE", "projects/" + project, nil}, {"GET", "tasks?project_id=" + project, nil},
		{"POST", "tasks", map[string]string{"project_id": project, "title": "x"}},
	} {
		unknown := strings.NewReplacer(project, uuid.NewString(), at, "tasks/"+uuid.NewString())
		body := r.body
		if _, ok := body.(map[string]string); ok {
			body = map[string]string{"project_id": uuid.NewString(), "title": "x"}
		}
		theirs := p.do(t, p.b, r.method, r.path, r.body, "If-Match", `"1"`, "X-Request-Id", "same")
		none := p.do(t, p.b, r.method, unknown.Replace(r.path), body, "If-Match", `"1"`, "X-Request-Id", "same")
		if theirs.Status != none.Status || string(theirs.Body) != string(none.Body) || theirs.Status < 400 && r.method != "GET" {
			t.Errorf("%s %s: %d %s, of an unknown id %d %s", r.method, r.path, theirs.Status, theirs.Body, none.Status, none.Body)
		}
	}
	if page := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.b, "GET", "tasks", nil)); len(page.Items) != 0 {
		t.Errorf("another tenant lists %+v", page.Items)
	}
}

// Fifty at once under one key are one task; the same key for another request is refused.
func TestKeyMakesOneOfManyParallelCreates(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	body := map[string]string{"project_id": p.project(t), "title": "Once"}
	var wg sync.WaitGroup
	var ids sync.Map
	for range 50 {
		wg.Go(func() {
			r := p.do(t, p.a, "POST", "tasks", body, "Idempotency-Key", "k-1")
			ids.Store(fmt.Sprint(r.Status, string(r.Body), r.Header.Get("Location")), true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(k, _ any) bool { n++; return strings.HasPrefix(k.(string), "201") || t.Failed() })
	if page := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks", nil)); n != 1 || len(page.Items) != 1 {
		t.Errorf("%d answers and %d tasks, want one", n, len(page.Items))
	}
	body["title"] = "Twice"
	p.do(t, p.a, "POST", "tasks", body, "Idempotency-Key", "k-1").Want(t, 422)
}

func TestPagesEndAndCursorsAreBound(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	for range 7 {
		p.task(t, project)
	}
	seen, cursor := map[uuid.UUID]bool{}, ""
	for range 4 {
		page := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks?limit=3&cursor="+cursor, nil).Want(t, 200))
		for _, x := range page.Items {
			seen[x.ID] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
		for _, query := range []string{"tasks?limit=3&status=open&cursor=" + cursor, "tasks?cursor=" + cursor[1:], "projects?cursor=" + cursor} {
			p.do(t, p.a, "GET", query, nil).Want(t, 400)
		}
		p.do(t, p.b, "GET", "tasks?cursor="+cursor, nil).Want(t, 400)
	}
	if len(seen) != 7 || cursor != "" {
		t.Errorf("%d tasks seen, cursor %q; want 7 and an end", len(seen), cursor)
	}
	p.do(t, p.a, "GET", "tasks?sort=title", nil).Want(t, 422)
}

func TestEachOperationAsksTheGate(t *testing.T) {
	t.Parallel()
	no, away := fault.New(fault.Forbidden, "forbidden", ""), fault.New(fault.Unavailable, "decision_unavailable", "")
	p := newPlatform(t, accessfake.Gate{access.TasksRead: no, access.TasksWrite: no, access.TasksDelete: no, access.CommentsWrite: no,
		access.ProjectsWrite: no, access.ProjectsRead: away})
	id := uuid.NewString()
	for _, r := range []resttest.Response{
		p.do(t, p.a, "POST", "projects", `{"name":"x"}`), p.do(t, p.a, "PATCH", "projects/"+id, `{"name":"x"}`, "If-Match", `"1"`),
		p.do(t, p.a, "DELETE", "projects/"+id, nil, "If-Match", `"1"`), p.do(t, p.a, "POST", "tasks", map[string]string{"project_id": id, "title": "x"}),
		p.do(t, p.a, "GET", "tasks", nil), p.do(t, p.a, "GET", "tasks/"+id, nil), p.do(t, p.a, "PATCH", "tasks/"+id, `{"title":"x"}`, "If-Match", `"1"`),
		p.do(t, p.a, "DELETE", "tasks/"+id, nil, "If-Match", `"1"`), p.do(t, p.a, "POST", "tasks/"+id+"/comments", `{"body":"x"}`),
		p.do(t, p.a, "GET", "tasks/"+id+"/comments", nil),
	} {
		r.Want(t, 403)
	}
	p.do(t, p.a, "GET", "projects", nil).Want(t, 503)
	p.do(t, p.a, "GET", "projects/"+id, nil).Want(t, 503)
}
