package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/task"
)

// What people do all day asks the database once, however far away it is. What
// needs one answer for the next question is said here too; an operation that is
// left out fails.
func TestOperationsAreOneRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	var d pgtest.Distant
	app, err := postgres.Open(t.Context(), d.URL(t, db.AppURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	p := &platform{issuer: resttest.NewIssuer(t)}
	api := surface(config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}, p.issuer.Verifier(), nil, tasksdb.New(app), accessfake.Gate{})
	p.handler = api.Handler()
	p.a = p.person(t)
	project, user := p.project(t), uuid.NewString()
	first := p.task(t, project).ID.String()

	left := map[string]bool{}
	for path, item := range api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op != nil {
				left[method+" "+strings.TrimPrefix(path, "/tasks/v1/")] = true
			}
		}
	}
	for _, c := range []struct {
		operation string // {id} stands for the task, project or import that is made for it
		query     string
		body      any
		headers   []string
		trips     int
	}{
		{operation: "GET tasks/{id}", trips: 1},
		{operation: "GET tasks", query: "?filter=status+%3D+open&sort=-due", trips: 1},
		{operation: "GET tasks", query: "?q=desks", trips: 1},
		{operation: "POST tasks", body: map[string]string{"project_id": project, "title": "Far"}, trips: 1},
		{operation: "POST tasks", body: map[string]string{"project_id": project, "title": "Far"}, headers: []string{"Idempotency-Key", "new"}, trips: 1},
		{operation: "PATCH tasks/{id}", body: `{"title":"x"}`, trips: 1},
		{operation: "PATCH tasks/{id}", body: `{"status":"done"}`, headers: []string{"Idempotency-Key", "new"}, trips: 1},
		{operation: "PATCH tasks/{id}", body: `{"parent_id":"` + first + `"}`, trips: 1},
		{operation: "DELETE tasks/{id}", trips: 1},
		{operation: "POST tasks/{id}/restore", trips: 1},
		{operation: "POST tasks/{id}/move", body: `{"after":"` + first + `"}`, trips: 6}, // begin, lock, two neighbours, move, commit
		{operation: "GET tasks/{id}/history", trips: 1},
		{operation: "GET tasks/{id}/comments", trips: 1},
		{operation: "POST tasks/{id}/comments", body: `{"body":"x"}`, trips: 1},
		{operation: "GET task-counts", trips: 1},
		{operation: "GET task-export", trips: 1},
		{operation: "POST task-bulk", body: map[string]any{"items": []any{map[string]any{"create": map[string]string{"project_id": project, "title": "a"}}, map[string]any{"create": map[string]string{"project_id": project, "title": "b"}}}}, trips: 3}, // begin, all of it, commit
		{operation: "GET projects", trips: 1},
		{operation: "POST projects", body: `{"name":"x","key":"{key}"}`, trips: 1},
		{operation: "GET projects/{id}", trips: 1},
		{operation: "PATCH projects/{id}", body: `{"name":"x"}`, trips: 2}, // read, change
		{operation: "DELETE projects/{id}", trips: 1},
		{operation: "GET projects/{id}/members", trips: 1},
		{operation: "PUT projects/{id}/members/{user_id}", trips: 1},
		{operation: "DELETE projects/{id}/members/{user_id}", trips: 1},
		{operation: "POST task-imports", query: "?project_id=" + project, body: "title\nA\n", headers: []string{"Content-Type", "text/csv"}, trips: 1},
		{operation: "GET task-imports", trips: 1},
		{operation: "GET task-imports/{id}", trips: 1},
		{operation: "GET task-imports/{id}/errors", trips: 1},
		{operation: "POST task-imports/{id}/cancel", trips: 1},
	} {
		t.Run(c.operation+c.query, func(t *testing.T) {
			delete(left, c.operation)
			for _, prepared := range []bool{false, true} { // the first time prepares the statements
				made, version := p.task(t, project).ID.String(), `"1"`
				if strings.HasSuffix(c.operation, "restore") {
					p.do(t, p.a, http.MethodDelete, "tasks/"+made, nil, "If-Match", version).Want(t, 204)
					version = `"2"`
				}
				imported := resttest.JSON[task.Import](t, p.do(t, p.a, http.MethodPost, "task-imports?project_id="+project, "title\nA\n", "Content-Type", "text/csv").Want(t, 202)).ID.String()
				ids := strings.NewReplacer("projects/{id}", "projects/"+p.project(t), "task-imports/{id}", "task-imports/"+imported, "{id}", made, "{user_id}", user, "new", made,
					"{key}", "K"+strings.ToUpper(made[len(made)-9:]))
				method, path, _ := strings.Cut(ids.Replace(c.operation), " ")
				headers := []string{"If-Match", version}
				for _, h := range c.headers {
					headers = append(headers, ids.Replace(h))
				}
				body := c.body
				if text, ok := body.(string); ok {
					body = ids.Replace(text)
				}
				d.Count()
				begun := time.Now()
				r := p.do(t, p.a, method, path+c.query, body, headers...)
				trips, took := d.Count(), time.Since(begun)
				if r.Status >= 300 || prepared && (trips != c.trips || took < time.Duration(c.trips)*pgtest.Distance) {
					t.Errorf("%d %s in %d round trips and %v, want %d of %v", r.Status, r.Body, trips, took, c.trips, pgtest.Distance)
				}
			}
		})
	}
	for operation := range left {
		t.Errorf("nobody counts the round trips of %s", operation)
	}
}
