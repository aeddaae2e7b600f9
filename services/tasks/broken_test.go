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
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
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
