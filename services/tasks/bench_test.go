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

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// onePage is a store without a database, which always answers the same.
type onePage struct {
	task.Store
	page page.Result[task.Task]
}

// Tasks implements task.Store.
func (s onePage) Tasks(context.Context, identity.Caller, task.Query, page.Request) (page.Result[task.Task], error) {
	return s.page, nil
}

// BenchmarkPage asks for a page of 50 over eight connections, of PostgreSQL and
// of a store that has it at hand: what is between them is the database's.
func BenchmarkPage(b *testing.B) {
	issuer := resttest.NewIssuer(b)
	who := identity.Caller{Tenant: uuid.New(), Client: "bench", Scopes: []string{"tasks"}}
	store := tasksdb.New(pgtest.New(b, "tasks", tasksdb.Migrations).App)
	tasks := task.NewService(store, accessfake.Gate{})
	project, err := tasks.CreateProject(b.Context(), who, task.ProjectDraft{Name: "Bench"})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 60 {
		if _, err := tasks.Create(b.Context(), who, task.Draft{ProjectID: project.ID, Title: fmt.Sprint("Carry desk ", i), Description: "From the first floor to the second"}); err != nil {
			b.Fatal(err)
		}
	}
	first, err := tasks.List(b.Context(), who, task.Filter{}, page.Request{Limit: 50})
	if err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]task.Store{"postgresql": store, "no database": onePage{store, first}} {
		b.Run(name, func(b *testing.B) {
			cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
			srv := httptest.NewServer(surface(cfg, issuer.Verifier(), nil, s, accessfake.Gate{}).Handler())
			defer srv.Close()
			request := "GET /tasks/v1/tasks?limit=50 HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer " + issuer.Token(b, who) + "\r\n\r\n"
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) { ask(b, pb, strings.TrimPrefix(srv.URL, "http://"), request) })
		})
	}
}

// ask sends a request over and over on one connection.
func ask(b *testing.B, pb *testing.PB, at, request string) {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for pb.Next() {
		_, err := io.WriteString(conn, request)
		resp, e := http.ReadResponse(answers, nil)
		if err != nil || e != nil || resp.StatusCode != 200 {
			b.Errorf("%v, %v, %v", resp, err, e)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // what was cut fails the next answer
	}
}
