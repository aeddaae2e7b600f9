package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// Fifty requests under one Idempotency-Key have one effect, in every service,
// and the answer is the same after the services were killed.
func TestOneKeyHasOneEffect(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	c, err := platform.Register(ctx, "Once Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Once"})
	if err != nil || project.JSON201 == nil {
		t.Fatalf("project: %v %s", err, project.Body)
	}
	examples := map[string][]byte{}
	for _, op := range operations(t) {
		if op.method == http.MethodPost {
			examples[op.path] = op.body
		}
	}
	key, first := uuid.NewString(), map[string]string{}
	ask := func(path string, body []byte) (int, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, platform.URL+path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		req.Header.Set("Authorization", "Bearer "+token.AccessToken)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key+path)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		var is struct {
			ID       string `json:"id"`
			ClientID string `json:"client_id"`
		}
		if err := json.Unmarshal(answer, &is); err != nil || resp.StatusCode < 300 && is.ID+is.ClientID == "" {
			t.Errorf("%s: %s %.300s, %v", path, resp.Status, answer, err)
		}
		return resp.StatusCode, is.ID + is.ClientID
	}
	paths := []string{"/auth/v1/clients", "/users/v1/invitations", "/authz/v1/roles", "/tasks/v1/projects", "/tasks/v1/tasks", "/reports/v1/runs"}
	for _, path := range paths {
		var fields map[string]any
		if err := json.Unmarshal(examples[path], &fields); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch path {
		case "/tasks/v1/tasks":
			fields = map[string]any{"project_id": project.JSON201.Id, "title": "Once"}
		case "/tasks/v1/projects":
			fields = map[string]any{"name": "Twice"}
		case "/reports/v1/runs":
			fields = map[string]any{"format": "csv"}
		}
		if examples[path], err = json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		got := map[string]int{}
		for range 50 {
			all.Go(func() {
				status, id := ask(path, examples[path])
				mu.Lock()
				defer mu.Unlock()
				if status >= 300 {
					t.Errorf("%s is answered %d", path, status)
				}
				got[id]++
				first[path] = id
			})
		}
		all.Wait()
		if len(got) != 1 {
			t.Errorf("%s: fifty requests under one key made %v", path, got)
		}
		if status, _ := ask(path, []byte(`{"name":"another"}`)); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: the key for another request is answered %d", path, status)
		}
	}
	for _, service := range []string{"auth", "users", "authz", "tasks", "tasks-2", "reports"} {
		kill(t, service)
	}
	up(t)
	for _, path := range paths {
		if _, id := ask(path, examples[path]); id != first[path] {
			t.Errorf("%s: after a restart the answer is %s, not %s", path, id, first[path])
		}
	}
}
