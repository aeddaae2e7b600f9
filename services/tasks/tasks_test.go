package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
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
	if r := p.do(t, p.a, "PATCH", at, `{"title":null}`, "If-Match", `"2"`).Want(t, 422); !strings.Contains(string(r.Body), `"pointer":"/title"`) {
		t.Errorf("a title that cannot be cleared: %s", r.Body)
	}
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

// A body that names a project which is not there is told from a path that is not.
func TestUnknownProjectIsPointedAt(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	draft := map[string]string{"project_id": uuid.NewString(), "title": "Desks"}
	const want = `"errors":[{"pointer":"%s/project_id","code":"not_found"`
	if r := p.do(t, p.a, "POST", "tasks", draft).Want(t, 404); !strings.Contains(string(r.Body), fmt.Sprintf(want, "")) {
		t.Errorf("one: %s", r.Body)
	}
	bulk := map[string]any{"items": []any{map[string]any{"create": draft}}}
	if r := p.do(t, p.a, "POST", "task-bulk", bulk).Want(t, 200); !strings.Contains(string(r.Body), fmt.Sprintf(want, "/items/0/create")) {
		t.Errorf("bulk: %s", r.Body)
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
}

func TestEachOperationAsksTheGate(t *testing.T) {
	t.Parallel()
	no, away := fault.New(fault.Forbidden, "forbidden", ""), fault.New(fault.Unavailable, "decision_unavailable", "")
	p := newPlatform(t, accessfake.Gate{task.TasksRead: no, task.TasksWrite: no, task.TasksDelete: no, task.CommentsWrite: no,
		task.ProjectsWrite: no, task.ProjectsRead: away})
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

func TestTasksOfAProjectFollowItsRules(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	made := resttest.JSON[task.Project](t, p.do(t, p.a, "POST", "projects", `{"name":"Operations","key":"OPS","statuses":[{"name":"open","next":["review"]},{"name":"review","next":["open"]}]}`).Want(t, 201))
	if r := p.do(t, p.a, "POST", "projects", `{"name":"Other","key":"OPS"}`).Want(t, 409); !strings.Contains(string(r.Body), `"/key"`) {
		t.Errorf("a key that is taken: %s", r.Body)
	}
	one := p.task(t, made.ID.String())
	if one.Key != "OPS-1" || one.Status != "open" {
		t.Errorf("the first task %+v, want OPS-1, open", one)
	}
	at := "tasks/" + one.ID.String()
	p.do(t, p.a, "PATCH", at, `{"status":"review","labels":["b","a","b"]}`, "If-Match", `"1"`).Want(t, 200)
	if r := p.do(t, p.a, "PATCH", at, `{"status":"done"}`, "If-Match", `"2"`).Want(t, 422); !strings.Contains(string(r.Body), `"/status"`) {
		t.Errorf("an unknown status: %s", r.Body)
	}
	p.do(t, p.a, "PATCH", at, `{"start_at":"2026-02-02T00:00:00Z","due_at":"2026-02-01T00:00:00Z"}`, "If-Match", `"2"`).Want(t, 422)
	two := p.task(t, made.ID.String())
	p.do(t, p.a, "POST", "tasks/"+two.ID.String()+"/move", map[string]any{"before": one.ID}, "If-Match", `"1"`).Want(t, 200)
	if got := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks?sort=rank&project_id="+made.ID.String(), nil).Want(t, 200)); got.Items[0].ID != two.ID {
		t.Errorf("by rank %s comes first, want OPS-2", got.Items[0].Key)
	}
	p.do(t, p.a, "DELETE", at, nil, "If-Match", `"2"`).Want(t, 204)
	p.do(t, p.a, "GET", at, nil).Want(t, 404)
	if got := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks?trash=true", nil).Want(t, 200)); len(got.Items) != 1 {
		t.Errorf("%d in the trash, want 1", len(got.Items))
	}
	p.do(t, p.a, "POST", at+"/restore", nil, "If-Match", `"3"`).Want(t, 200)
	if got := resttest.JSON[rest.Page[task.Change]](t, p.do(t, p.a, "GET", at+"/history", nil).Want(t, 200)); len(got.Items) != 4 || got.Items[1].RequestID == "" {
		t.Errorf("history %+v, want four entries with their requests", got.Items)
	}
	user := uuid.NewString()
	p.do(t, p.a, "PUT", "projects/"+made.ID.String()+"/members/"+user, nil).Want(t, 204)
	if r := p.do(t, p.a, "GET", "projects/"+made.ID.String()+"/members", nil).Want(t, 200); !strings.Contains(string(r.Body), user) {
		t.Errorf("members %s", r.Body)
	}
	p.do(t, p.a, "DELETE", "projects/"+made.ID.String()+"/members/"+user, nil).Want(t, 204)
	p.do(t, p.a, "PATCH", "projects/"+made.ID.String(), `{"archived":true}`, "If-Match", `"1"`).Want(t, 200)
	p.do(t, p.a, "POST", "tasks", map[string]any{"project_id": made.ID, "title": "late"}).Want(t, 409)
}

// What is wrong by itself is refused by the document, which speaks of what it expected.
func TestDocumentSaysWhatIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	one := p.task(t, project).ID.String()
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "projects", `{"name":"Move","statuses":[]}`, `"pointer":"/statuses","code":"out_of_range","detail":"expected`},
		{"PATCH", "projects/" + project, `{"statuses":[]}`, `"pointer":"/statuses","code":"out_of_range","detail":"expected`},
		{"POST", "tasks", fmt.Sprintf(`{"project_id":%q,"title":"x","labels":["two\nlines"," x"]}`, project), `[{"pointer":"/labels/1","code":"invalid_format","detail":"expected`},
		{"PATCH", "tasks/" + one, `{"labels":["x","x "]}`, `[{"pointer":"/labels/1","code":"invalid_format","detail":"expected`},
		{"PATCH", "tasks/" + one, `{"labels":[""]}`, `{"pointer":"/labels/0","code":"out_of_range","detail":"expected`},
		{"PATCH", "tasks/" + one, fmt.Sprintf(`{"labels":[%q]}`, strings.Repeat("x", 51)), `[{"pointer":"/labels/0","code":"out_of_range","detail":"expected`},
		{"POST", "tasks/" + one + "/move", `{}`, `[{"code":"required","detail":"expected`},
	} {
		r := p.do(t, p.a, c.method, c.path, c.body, "If-Match", `"1"`).Want(t, 422)
		if !strings.Contains(string(r.Body), c.want) {
			t.Errorf("%s %s %s: %s, want %s", c.method, c.path, c.body, r.Body, c.want)
		}
	}
}

func TestFiltersSayWhatIsWrongWhere(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.task(t, p.project(t))
	for query, want := range map[string]string{
		"filter=owner+%3D+me":              `"parameter":"filter","position":1,"code":"unknown_field"`,
		"filter=status+%3D+open+and":       `"position":18,"code":"syntax"`,
		"sort=owner":                       `"parameter":"sort"`,
		"sort=due,due":                     `"code":"duplicate"`,
		"color=red":                        `"parameter":"color"`,
		"filter=title+%3D+%22secret%5C%22": `"position":9`,
	} {
		r := p.do(t, p.a, "GET", "tasks?"+query, nil).Want(t, 422)
		if !strings.Contains(string(r.Body), want) || strings.Contains(string(r.Body), "secret") {
			t.Errorf("%s: %s, want %s and none of the input", query, r.Body, want)
		}
	}
	for query, want := range map[string]int{"filter=status+in+(open,done)+and+not+due+%3C+now": 1, "filter=assignee+%3D+me": 0, "q=desks": 1, "q=chairs": 0, "filter=project_id+%3D+" + uuid.NewString() + "&sort=-due_at,created_at": 0} {
		if got := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks?"+query, nil).Want(t, 200)); len(got.Items) != want {
			t.Errorf("%s: %d tasks, want %d", query, len(got.Items), want)
		}
	}
	for short, shown := range map[string]string{"assignee": "assignees", "label": "labels", "project": "project_id"} {
		want, got := p.do(t, p.a, "GET", "task-counts?by="+short, nil).Want(t, 200), p.do(t, p.a, "GET", "task-counts?by="+shown, nil).Want(t, 200)
		if string(got.Body) != string(want.Body) {
			t.Errorf("counts by %s %s, want %s", shown, got.Body, want.Body)
		}
	}
	if r := p.do(t, p.a, "GET", "task-counts?by=status", nil).Want(t, 200); string(r.Body) != `{"items":[{"value":"open","count":1}]}`+"\n" {
		t.Errorf("counts %s", r.Body)
	}
}

// Markdown would eat the backslash of a description.
func TestFilterShowsHowAQuoteIsEscaped(t *testing.T) {
	t.Parallel()
	doc := surface(config.Server{}, nil, nil, nil, nil).OpenAPI()
	for _, path := range []string{"/tasks/v1/tasks", "/tasks/v1/task-counts", "/tasks/v1/task-export"} {
		for _, p := range doc.Paths[path].Get.Parameters {
			if p.Name == "filter" && !strings.Contains(p.Description, "`\\\"` is a quote") {
				t.Errorf("%s: %s", path, p.Description)
			}
		}
	}
}

func TestBulkAnswersEachItem(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	old := p.task(t, project)
	body := map[string]any{"items": []any{
		map[string]any{"create": map[string]any{"project_id": project, "title": "new"}},
		map[string]any{"change": map[string]any{"id": old.ID, "version": 1, "patch": map[string]any{"priority": "high"}}},
		map[string]any{"change": map[string]any{"id": uuid.New(), "version": 1, "patch": map[string]any{"priority": "high"}}},
		map[string]any{},
	}}
	type answer struct {
		Done  bool
		Items []struct{ Status int }
	}
	for _, key := range []string{"k", "k"} { // the second is the first again
		got := resttest.JSON[answer](t, p.do(t, p.a, "POST", "task-bulk", body, "Idempotency-Key", key).Want(t, 200))
		if fmt.Sprint(got) != "{true [{201} {200} {404} {422}]}" {
			t.Errorf("each: %v", got)
		}
	}
	long := map[string]any{"items": []any{
		map[string]any{"create": map[string]any{"project_id": project, "title": strings.Repeat("x", 201)}},
		map[string]any{"create": map[string]any{"project_id": project, "title": "x", "priority": "urgentest", "estimate_minutes": -1, "labels": []string{""}}},
		map[string]any{"change": map[string]any{"id": old.ID, "version": 2, "patch": map[string]any{"labels": make([]int, 21)}}},
	}}
	p.do(t, p.a, "POST", "task-bulk", long).Want(t, 422) // labels are no numbers: it cannot be read
	long["items"].([]any)[2] = map[string]any{"change": map[string]any{"id": old.ID, "version": 2, "patch": map[string]any{"title": ""}}}
	if r := p.do(t, p.a, "POST", "task-bulk", long).Want(t, 200); strings.Count(string(r.Body), `"status":422,"problem"`) != 3 || !strings.Contains(string(r.Body), `"pointer":"/items/1/create/estimate_minutes"`) || !strings.Contains(string(r.Body), `"done":false`) {
		t.Errorf("items that break rules: %s", r.Body)
	}
	long["mode"] = "all"
	if r := p.do(t, p.a, "POST", "task-bulk", long).Want(t, 200); !strings.Contains(string(r.Body), `"pointer":"/items/0/create/title"`) || !strings.Contains(string(r.Body), `"pointer":"/items/2/change/patch/title"`) {
		t.Errorf("all of them break rules: %s", r.Body)
	}
	body["mode"] = "all"
	if got := resttest.JSON[answer](t, p.do(t, p.a, "POST", "task-bulk", body).Want(t, 200)); got.Done {
		t.Errorf("all: %v, want nothing done", got)
	}
	if got := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks", nil).Want(t, 200)); len(got.Items) != 2 {
		t.Errorf("%d tasks, want 2", len(got.Items))
	}
	p.do(t, p.a, "POST", "task-bulk", `{"items":[]}`).Want(t, 422)
}

func TestExportStreamsEveryTask(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	p.do(t, p.a, "POST", "tasks", map[string]any{"project_id": project, "title": "=1+1", "description": "two\nlines", "labels": []string{"a,b", "c"}}).Want(t, 201)
	p.task(t, project)
	r := p.do(t, p.a, "GET", "task-export?filter=status+%3D+open", nil, "Accept", "application/x-ndjson").Want(t, 200)
	if lines := strings.Split(strings.TrimSpace(string(r.Body)), "\n"); len(lines) != 2 || !strings.Contains(string(r.Body), `"title":"=1+1"`) {
		t.Errorf("NDJSON %s", r.Body)
	}
	r = p.do(t, p.a, "GET", "task-export?format=csv", nil, "Accept", "text/*").Want(t, 200)
	if rows, err := csv.NewReader(strings.NewReader(string(r.Body))).ReadAll(); err != nil || len(rows) != 3 || !strings.Contains(string(r.Body), "'=1+1,\"two\nlines\",") || !strings.Contains(string(r.Body), `,"""a,b"", c",`) {
		t.Errorf("CSV %s, %v", r.Body, err)
	}
	for accept, want := range map[string]string{"text/csv": "text/csv", "text/csv; charset=utf-8": "text/csv", "text/csv;q=1, application/problem+json": "text/csv", "text/*": "text/csv", "*/*": "application/x-ndjson", "application/x-ndjson, text/csv": "application/x-ndjson"} {
		if r := p.do(t, p.a, "GET", "task-export", nil, "Accept", accept).Want(t, 200); r.Header.Get("Content-Type") != want {
			t.Errorf("to who accepts %s it is %s, want %s", accept, r.Header.Get("Content-Type"), want)
		}
	}
	p.do(t, p.a, "GET", "task-export?sort=due", nil).Want(t, 422)
	p.do(t, p.a, "GET", "task-export?filter=x", nil).Want(t, 422)
	p.do(t, p.a, "GET", "task-export", nil, "Accept", "image/png").Want(t, 406)
}

// An export is sent in large parts, whatever its format: a call for each row
// would cost more than the row.
func TestExportIsGathered(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string]func(io.Writer) func(*task.Task) error{"NDJSON": jsonLines, "CSV": csvLines} {
		var sent bytes.Buffer
		out := bufio.NewWriterSize(&sent, exported)
		write := lines(out)
		for range 3 {
			if err := write(&task.Task{Title: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if sent.Len() > 0 || out.Buffered() == 0 {
			t.Errorf("%s: three rows are sent as soon as written: %q", name, sent.Bytes())
		}
	}
}

// What is long is compressed for who asks. Its entity tag is another one, and
// names the same version.
func TestLongAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	long := resttest.JSON[task.Task](t, p.do(t, p.a, "POST", "tasks", map[string]string{"project_id": project, "title": "Long", "description": strings.Repeat("again ", 1000)}).Want(t, 201))
	at := "tasks/" + long.ID.String()
	got := p.do(t, p.a, "GET", at, nil, "Accept-Encoding", "gzip").Want(t, 200)
	if got.Header.Get("Content-Encoding") != "gzip" || got.Header.Get("ETag") != `"1-gzip"` || !strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "Accept-Encoding") {
		t.Errorf("a long answer: %v", got.Header)
	}
	if plain := p.do(t, p.a, "GET", at, nil).Want(t, 200); plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("ETag") != `"1"` {
		t.Errorf("to who does not ask: %v", plain.Header)
	}
	p.do(t, p.a, "PATCH", at, `{"title":"Longer"}`, "If-Match", `"1-gzip"`).Want(t, 200)
	p.do(t, p.a, "PATCH", at, `{"title":"Longest"}`, "If-Match", `"1-gzip"`).Want(t, 412)
	short := p.task(t, project)
	if got := p.do(t, p.a, "GET", "tasks/"+short.ID.String(), nil, "Accept-Encoding", "gzip").Want(t, 200); got.Header.Get("Content-Encoding") != "" {
		t.Errorf("a short answer: %v", got.Header)
	}
}

// A role for one project lets a person do the work there, and nowhere else.
func TestRoleForOneProjectHoldsThereAlone(t *testing.T) {
	t.Parallel()
	tenant, boss, guest := uuid.New(), uuid.New(), uuid.New()
	roles := &accessfake.Store{}
	p := newPlatform(t, accessfake.Policies{Store: roles})
	service := access.NewService(roles, accessfake.Policies{Store: roles}, &accessfake.People{}, accessfake.Compile)
	inner := identity.Caller{Tenant: tenant, Client: "svc-users", Scopes: []string{identity.PlatformScope}}
	if _, err := service.Register(t.Context(), inner, "tasks", task.Permissions); err != nil {
		t.Fatal(err)
	}
	if err := service.Seed(t.Context(), inner); err != nil {
		t.Fatal(err)
	}
	give := func(g access.Grant) {
		if _, err := service.Assign(t.Context(), inner, g); err != nil {
			t.Fatal(err)
		}
	}
	token := func(user uuid.UUID) string {
		return p.issuer.Token(t, identity.Caller{Tenant: tenant, User: user, Scopes: []string{"tasks"}})
	}
	give(access.Grant{Subject: access.Subject{User: boss}, Role: access.Owner})
	p.a = token(boss)
	here, there := p.project(t), p.project(t)
	mine, theirs := p.task(t, here), p.task(t, there)
	give(access.Grant{Subject: access.Subject{User: guest}, Role: access.Member, Project: uuid.MustParse(here)})
	who := token(guest)

	for _, c := range []struct {
		method, path string
		body         any
		want         int
	}{
		{"GET", "projects/" + here, nil, 200}, {"GET", "projects/" + there, nil, 403},
		{"POST", "tasks", map[string]string{"project_id": here, "title": "x"}, 201}, {"POST", "tasks", map[string]string{"project_id": there, "title": "x"}, 403},
		{"GET", "tasks/" + mine.ID.String(), nil, 200}, {"GET", "tasks/" + theirs.ID.String(), nil, 403}, {"GET", "tasks/" + uuid.NewString(), nil, 403},
		{"GET", "tasks?project_id=" + here, nil, 200}, {"GET", "tasks?project_id=" + there, nil, 403}, {"GET", "tasks", nil, 403},
		{"GET", "tasks/" + mine.ID.String() + "/history", nil, 200}, {"GET", "tasks/" + theirs.ID.String() + "/comments", nil, 403},
		{"PATCH", "tasks/" + theirs.ID.String(), `{"title":"y"}`, 403}, {"PATCH", "tasks/" + mine.ID.String(), `{"title":"y"}`, 200},
		{"DELETE", "tasks/" + theirs.ID.String(), nil, 403}, {"POST", "tasks/" + theirs.ID.String() + "/restore", nil, 403},
		{"GET", "task-imports", nil, 403}, {"GET", "task-imports?project_id=" + there, nil, 403}, {"GET", "task-imports?project_id=" + here, nil, 200},
	} {
		if r := p.do(t, who, c.method, c.path, c.body, "If-Match", `"1"`); r.Status != c.want {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, r.Status, c.want, r.Body)
		}
	}

	for _, c := range []struct {
		who  string
		want int
	}{{who, 1}, {p.a, 2}} {
		if shown := resttest.JSON[rest.Page[task.Project]](t, p.do(t, c.who, "GET", "projects", nil).Want(t, 200)); len(shown.Items) != c.want || shown.Items[0].ID.String() != here {
			t.Errorf("projects %+v, want %d", shown.Items, c.want)
		}
	}
	p.do(t, token(uuid.New()), "GET", "projects", nil).Want(t, 403)

	ref := func(id uuid.UUID) map[string]any { return map[string]any{"id": id, "version": 1} }
	change := func(id uuid.UUID) map[string]any {
		return map[string]any{"change": map[string]any{"id": id, "version": 1, "patch": map[string]string{"title": "z"}}}
	}
	first, second := p.task(t, here), p.task(t, here)
	got := resttest.JSON[struct{ Items []struct{ Status int } }](t, p.do(t, who, "POST", "task-bulk", map[string]any{"items": []any{
		change(first.ID), map[string]any{"delete": ref(second.ID)}, change(theirs.ID), map[string]any{"delete": ref(theirs.ID)}, change(uuid.New()),
	}}).Want(t, 200))
	if fmt.Sprint(got.Items) != "[{200} {204} {403} {403} {403}]" {
		t.Errorf("in bulk: %v", got.Items)
	}
	p.do(t, who, "POST", "tasks/"+second.ID.String()+"/restore", nil, "If-Match", `"2"`).Want(t, 200)
}
