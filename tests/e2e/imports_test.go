package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// importTasks asks for an import and waits until it is over.
func importTasks(ctx context.Context, t *testing.T, api *bailiwick.ClientWithResponses, project uuid.UUID, file string) bailiwick.Import {
	t.Helper()
	asked, err := api.CreateTaskImportWithBodyWithResponse(ctx, &bailiwick.CreateTaskImportParams{ProjectId: project}, "text/csv", strings.NewReader(file))
	if err != nil || asked.JSON202 == nil {
		t.Fatalf("import: %v %s", err, asked.Body)
	}
	for {
		got, err := api.GetTaskImportWithResponse(ctx, asked.JSON202.Id, nil)
		if err != nil || got.JSON200 == nil {
			t.Fatalf("import: %v %s", err, got.Body)
		}
		if got.JSON200.FinishedAt != nil {
			return *got.JSON200
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// The worker is killed while it imports: each row is tried once, and those
// that are refused say why.
func TestImportSurvivesItsWorker(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	c, err := platform.Register(ctx, "Import Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Import"})
	if err != nil || project.JSON201 == nil {
		t.Fatalf("project: %v %s", err, project.Body)
	}
	const rows = 5_000
	var file strings.Builder
	file.WriteString("title,labels,due_at\r\n")
	for i := range rows {
		fmt.Fprintf(&file, "Row %d,imported,%s\r\n", i, []string{"2026-02-28", "2026-02-28T17:00:00Z", "", "soon"}[i%4])
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range 2 {
			time.Sleep(1500 * time.Millisecond)
			kill(t, "tasks-work")
			up(t)
		}
	}()
	im := importTasks(ctx, t, owner, project.JSON201.Id, file.String())
	<-killed
	if im.Status != bailiwick.ImportStatusSucceeded || im.RowsDone != rows || im.RowsRefused != rows/4 {
		t.Errorf("the import ended as %+v", im)
	}
	counts, err := owner.CountTasksWithResponse(ctx, &bailiwick.CountTasksParams{ProjectId: &project.JSON201.Id})
	if err != nil || counts.JSON200 == nil || len(counts.JSON200.Items) != 1 || counts.JSON200.Items[0].Count != rows-rows/4 {
		t.Errorf("counts: %v %s, want %d tasks", err, counts.Body, rows-rows/4)
	}
	limit := int64(1000)
	refused, err := owner.ListTaskImportErrorsWithResponse(ctx, im.Id, &bailiwick.ListTaskImportErrorsParams{Limit: &limit})
	if err != nil || refused.JSON200 == nil || len(refused.JSON200.Items) != 1000 || refused.JSON200.Items[0].Line != 5 || *refused.JSON200.Items[0].Errors[0].Column != "due_at" {
		t.Errorf("errors: %v %.300s", err, refused.Body)
	}
	wrong, err := owner.CreateTaskImportWithBodyWithResponse(ctx, &bailiwick.CreateTaskImportParams{ProjectId: project.JSON201.Id}, "text/csv", strings.NewReader("name\nA\n"))
	if err != nil || wrong.StatusCode() != http.StatusUnprocessableEntity || !strings.Contains(string(wrong.Body), `"/0/0"`) {
		t.Errorf("a file with an unknown column: %v %s", err, wrong.Body)
	}
}
