package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/task"
)

// Twenty at once under one key are one, whatever they write, and all are given
// its answer; so is the one that comes after.
func TestEachWriteUnderOneKeyHappensOnce(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	project := p.project(t)
	one, two, three, four := p.task(t, project), p.task(t, project), p.task(t, project), p.task(t, project)
	ref := func(x task.Task) map[string]any { return map[string]any{"id": x.ID, "version": 1} }
	patched := map[string]any{"id": two.ID, "version": 1, "patch": map[string]any{"parent_id": one.ID}}
	user := uuid.NewString()
	for _, c := range []struct {
		method, path, version string
		body                  any
		want                  int
	}{
		{"POST", "projects", "", `{"name":"Once"}`, 201},
		{"PUT", "projects/" + project + "/members/" + user, "", nil, 204},
		{"DELETE", "projects/" + project + "/members/" + user, "", nil, 204},
		{"POST", "tasks", "", map[string]any{"project_id": project, "title": "x"}, 201},
		{"POST", "tasks/" + one.ID.String() + "/comments", "", `{"body":"x"}`, 201},
		{"POST", "tasks/" + one.ID.String() + "/move", `"9", "1"`, map[string]any{"after": four.ID}, 200},
		{"PATCH", "tasks/" + one.ID.String(), `"1", "2"`, `{"status":"done"}`, 200},
		{"DELETE", "tasks/" + one.ID.String(), `"3", "8"`, nil, 204},
		{"POST", "tasks/" + one.ID.String() + "/restore", `"4"`, nil, 200},
		{"POST", "task-bulk", "", map[string]any{"items": []any{map[string]any{"create": map[string]any{"project_id": project, "title": "x"}}, map[string]any{"change": patched}, map[string]any{"delete": ref(three)}}}, 200},
		{"POST", "task-bulk", "", map[string]any{"mode": "all", "items": []any{map[string]any{"create": map[string]any{"project_id": project, "title": "x"}}, map[string]any{"delete": ref(four)}}}, 200},
		{"PATCH", "projects/" + project, `"1"`, `{"name":"Other"}`, 200},
	} {
		key := uuid.NewString()
		send := func() resttest.Response {
			return p.do(t, p.a, c.method, c.path, c.body, "If-Match", c.version, "Idempotency-Key", key, "X-Request-Id", "r")
		}
		var wg sync.WaitGroup
		var answers sync.Map
		for range 20 {
			wg.Go(func() {
				r := send()
				answers.Store(fmt.Sprint(r.Status, r.Header.Get("ETag"), " ", string(r.Body)), true)
			})
		}
		wg.Wait()
		last, n := send().Want(t, c.want), 0
		answers.Range(func(k, _ any) bool {
			if n++; k != fmt.Sprint(last.Status, last.Header.Get("ETag"), " ", string(last.Body)) {
				t.Errorf("%s %s: answered %s, and later %s", c.method, c.path, k, last.Body)
			}
			return true
		})
	}
	if got := resttest.JSON[rest.Page[task.Task]](t, p.do(t, p.a, http.MethodGet, "tasks", nil).Want(t, 200)); len(got.Items) != 5 {
		t.Errorf("%d tasks, want the two that are left and three new ones", len(got.Items))
	}
}
