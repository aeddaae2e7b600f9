package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// Clients that ask for all there is and hang up leave nothing behind: each has
// the only connection to the database, and the next one gets it.
func TestExportEndsWithItsClient(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	app, err := postgres.Open(t.Context(), strings.Replace(db.AppURL, "pool_max_conns=8", "pool_max_conns=1", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	issuer := resttest.NewIssuer(t)
	who := identity.Caller{Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"tasks"}}
	store := tasksdb.New(app)
	project, err := task.NewService(store, accessfake.Gate{}).CreateProject(t.Context(), who, task.ProjectDraft{Name: "Many"})
	if err != nil {
		t.Fatal(err)
	}
	db.Exec(t, `insert into tasks (tenant_id, id, project_id, number, key, title, description, status, priority, assignees, labels, rank, version, created_at, created_by, updated_at)
		select $1, gen_random_uuid(), $2, n, 'X-' || n, 'T', repeat('x', 1000), 'open', 'low', '{}', '{}', n::text, 1, now(), 'x', now() from generate_series(1, 50000) n`, who.Tenant, project.ID)
	cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
	srv := httptest.NewServer(surface(cfg, issuer.Verifier(), nil, store, accessfake.Gate{}).Handler())
	t.Cleanup(srv.Close)
	token := issuer.Token(t, who)
	for range 5 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /tasks/v1/task-export HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("%s, %v", line, err)
		}
		_ = conn.Close()
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/tasks/v1/tasks?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the next request: %s, %v", fmt.Sprint(resp), err)
	}
	_ = resp.Body.Close()
}

// Exports whose clients do not read leave connections to everybody else, and a
// further one is told to come later.
func TestExportsLeaveRoom(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	app, err := postgres.Open(t.Context(), strings.Replace(db.AppURL, "pool_max_conns=8", "pool_max_conns=2", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	who, store := identity.Caller{Tenant: uuid.New(), User: uuid.New()}, tasksdb.New(app)
	w := task.NewService(store, accessfake.Gate{})
	project, err := w.CreateProject(t.Context(), who, task.ProjectDraft{Name: "One"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(t.Context(), who, task.Draft{ProjectID: project.ID, Title: "T"}); err != nil {
		t.Fatal(err)
	}
	reading, ended := make(chan bool), make(chan error)
	read := make(chan bool)
	go func() {
		ended <- store.Export(t.Context(), who, task.Query{}, func(*task.Task) error {
			reading <- true
			<-read
			return nil
		})
	}()
	<-reading
	if _, err := w.Project(t.Context(), who, project.ID); err != nil {
		t.Errorf("a read beside an export: %v", err)
	}
	err = store.Export(t.Context(), who, task.Query{}, func(*task.Task) error { return nil })
	if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("one export too many: %v", err)
	}
	close(read)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// cutOff loses the answer of the second part that is written, which was done or not.
type cutOff struct {
	task.Store
	parts int
	done  bool
}

func (c *cutOff) Bulk(ctx context.Context, who identity.Caller, writes []task.Write, all bool) (out []task.Outcome, err error) {
	if c.parts++; c.parts == 2 && !c.done {
		return nil, io.ErrUnexpectedEOF
	}
	out, err = c.Store.Bulk(ctx, who, writes, all)
	if c.parts == 2 {
		err = io.ErrUnexpectedEOF
	}
	return out, err
}

// A bulk that breaks off half-way goes on under its key: every item is done
// once, and the answers are one.
func TestBulkGoesOnWhereItBrokeOff(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		store := tasksdb.New(pgtest.New(t, "tasks", tasksdb.Migrations).App)
		p := &platform{issuer: resttest.NewIssuer(t)}
		p.handler = surface(config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}, p.issuer.Verifier(), nil, &cutOff{store, 0, done}, accessfake.Gate{}).Handler()
		p.a = p.person(t)
		project, items := p.project(t), make([]any, 55)
		for i := range items {
			items[i] = map[string]any{"create": map[string]any{"project_id": project, "title": strings.Repeat("x", i%4*80)}} // every fourth has none, every fourth too much
		}
		send := func(body any) resttest.Response {
			return p.do(t, p.a, "POST", "task-bulk", body, "Idempotency-Key", "k", "X-Request-Id", "r")
		}
		send(map[string]any{"items": items}).Want(t, 500)
		first := send(map[string]any{"items": items}).Want(t, 200)
		if again := send(map[string]any{"items": items}); string(again.Body) != string(first.Body) {
			t.Errorf("answered %.500s, and later %.500s", first.Body, again.Body)
		}
		send(map[string]any{"items": items[1:]}).Want(t, 422)
		got := resttest.JSON[struct{ Items []struct{ Status int } }](t, first)
		var numbers []int64
		for i, x := range got.Items {
			if want := []int{422, 201, 201, 422}[i%4]; x.Status != want {
				t.Errorf("item %d: %d, want %d", i, x.Status, want)
			}
		}
		for _, x := range resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, "GET", "tasks?limit=100&sort=number", nil).Want(t, 200)).Items {
			numbers = append(numbers, x.Number)
		}
		if len(numbers) != 28 || numbers[27] != 28 {
			t.Errorf("numbers %v, want 1 to 28", numbers)
		}
	}
}

// Who creates a task while a bulk of a thousand runs waits for a part of it only.
func TestBulkLetsOthersCreate(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project, items := p.project(t), make([]any, task.MaxBulk)
	for i := range items {
		items[i] = map[string]any{"create": map[string]any{"project_id": project, "title": "x"}}
	}
	over := make(chan resttest.Response, 1)
	go func() { over <- p.do(t, p.a, "POST", "task-bulk", map[string]any{"items": items}) }()
	between := 0
	for mine := int64(1); len(over) == 0; mine++ {
		if before := p.task(t, project).Number - mine; 0 < before && before < task.MaxBulk {
			between++
		}
	}
	(<-over).Want(t, 200)
	if between < 5 {
		t.Errorf("%d tasks were created meanwhile, want many", between)
	}
}
