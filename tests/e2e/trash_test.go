package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// An operator finds the schedule that empties the trash, and sees that it works.
func TestTrashIsEmptiedBySchedule(t *testing.T) {
	var found struct {
		Schedule struct {
			Spec struct {
				Interval []struct {
					Interval string `json:"interval"`
				} `json:"interval"`
			} `json:"spec"`
		} `json:"schedule"`
	}
	for deadline := time.Now().Add(20 * time.Second); len(found.Schedule.Spec.Interval) == 0 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		resp, err := http.Get(address(8233) + "/api/v1/namespaces/default/schedules/purge-trash")
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&found)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if every := found.Schedule.Spec.Interval; len(every) != 1 || every[0].Interval != "3600s" {
		t.Errorf("the schedule is %+v, want every hour", found)
	}

	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Trash Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Trash"})
	if err != nil || project.JSON201 == nil {
		t.Fatalf("project: %v %s", err, project.Body)
	}
	var made []string // one that was thrown away long ago, one just now, one that is kept
	for i := range 3 {
		r, err := owner.CreateTaskWithResponse(ctx, nil, bailiwick.TaskDraft{ProjectId: project.JSON201.Id, Title: "x"})
		if err != nil || r.JSON201 == nil {
			t.Fatalf("task: %v %s", err, r.Body)
		}
		made = append(made, r.JSON201.Id.String())
		version := `"1"`
		if i == 2 {
			break
		}
		if r, err := owner.DeleteTaskWithResponse(ctx, r.JSON201.Id, &bailiwick.DeleteTaskParams{IfMatch: &version}); err != nil || r.StatusCode() != http.StatusNoContent {
			t.Fatalf("delete: %v %s", err, r.Body)
		}
	}
	queryIn(ctx, t, "tasks", "update tasks set deleted_at = now() - interval '31 days' where id = '"+made[0]+"'")
	trigger(t)
	left := func() []string {
		return queryIn(ctx, t, "tasks", "select id from tasks where id in ('"+strings.Join(made, "','")+"') order by number")
	}
	for !slices.Equal(left(), made[1:]) {
		select {
		case <-ctx.Done():
			t.Fatalf("%v are left of %v, want the last two", left(), made)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// trigger has the schedule run now, as an operator does.
func trigger(t *testing.T) {
	t.Helper()
	cli := os.Getenv("TEMPORAL_CLI")
	if cli == "" {
		if cli, _ = exec.LookPath("temporal"); cli == "" {
			cli = filepath.Join(root, ".local", "bin", "temporal")
		}
	}
	out, err := exec.CommandContext(t.Context(), cli, "schedule", "trigger", "--schedule-id", "purge-trash", "--address", "127.0.0.1:"+strconv.Itoa(7233+offset)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
