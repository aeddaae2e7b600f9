package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
)

// What people do all day asks the database once, however far away it is.
func TestEachOperationIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	var d pgtest.Distant
	app, err := postgres.Open(t.Context(), d.URL(t, db.AppURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	p := &platform{issuer: resttest.NewIssuer(t)}
	p.handler = surface(config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}, p.issuer.Verifier(), nil, tasksdb.New(app), accessfake.Gate{}).Handler()
	p.a = p.person(t)
	project := p.project(t)
	once := func(what string, do func(made string) resttest.Response) {
		t.Helper()
		for _, prepared := range []bool{false, true} { // the first time prepares the statement
			made := "tasks/" + p.task(t, project).ID.String()
			d.Count()
			begun := time.Now()
			r := do(made)
			trips, took := d.Count(), time.Since(begun)
			if r.Status >= 300 || prepared && (trips != 1 || took < pgtest.Distance) {
				t.Errorf("%s: %d %s in %d round trips and %v, want one of %v", what, r.Status, r.Body, trips, took, pgtest.Distance)
			}
		}
	}
	once("get", func(made string) resttest.Response { return p.do(t, p.a, http.MethodGet, made, nil) })
	once("list", func(string) resttest.Response {
		return p.do(t, p.a, http.MethodGet, "tasks?filter=status+%3D+open&sort=-due", nil)
	})
	once("create", func(string) resttest.Response {
		return p.do(t, p.a, http.MethodPost, "tasks", map[string]string{"project_id": project, "title": "Far"})
	})
	once("change", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodPatch, made, `{"status":"done"}`, "If-Match", `"1"`)
	})
	once("change under a key", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodPatch, made, `{"title":"x"}`, "If-Match", `"1"`, "Idempotency-Key", strings.TrimPrefix(made, "tasks/"))
	})
	once("delete", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodDelete, made, nil, "If-Match", `"1"`)
	})
}
