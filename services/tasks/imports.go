package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

func (a *api) registerImports(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-task-import", Method: http.MethodPost, Path: "/v1/task-imports", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksWrite}, Status: http.StatusAccepted, Errors: []int{404, 409},
		Consumes: textCSV, MaxBody: task.MaxImport, Example: "title,priority,due_at\r\nOrder desks,high,2026-02-28\r\n",
		Summary: "Import tasks", Description: "Makes tasks of the rows of a CSV file (RFC 4180, UTF-8, at most 16 MiB and 100,000 rows), meanwhile: the answer's Location tells the progress. A tenant has at most 100 imports that are not over. " +
			"The header names the columns: " + strings.Join(task.ImportColumns, ", ") + "; those others that an export has are passed over. " +
			"Assignees are ids with spaces between, labels have commas between; a label that holds a comma or a quote is in quotes, and its quotes are doubled. A row that is refused does not keep the others: see its errors. " +
			"Pointers of a problem name the line and the cell from 0: /0/2 is the header's third.",
	}, a.startImport)
	rest.Register(r, rest.Operation{
		ID: "list-task-imports", Method: http.MethodGet, Path: "/v1/task-imports", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead},
		Summary: "List imports", Description: "Imports of the tenant, oldest first, or those of a project; with a role for one project, name it. What is over for 30 days is dropped.",
	}, a.listImports)
	rest.Register(r, rest.Operation{
		ID: "get-task-import", Method: http.MethodGet, Path: "/v1/task-imports/{id}", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead}, Errors: []int{404},
		Summary: "Read an import", Description: "Its status and progress. The ETag names its version.",
	}, a.getImport)
	rest.Register(r, rest.Operation{
		ID: "list-task-import-errors", Method: http.MethodGet, Path: "/v1/task-imports/{id}/errors", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead}, Errors: []int{404},
		Summary: "List an import's errors", Description: "The rows of which no task was made, and why, in the file's order.",
	}, a.listImportErrors)
	rest.Register(r, rest.Operation{
		ID: "cancel-task-import", Method: http.MethodPost, Path: "/v1/task-imports/{id}/cancel", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksWrite}, Status: http.StatusAccepted, Errors: []int{404, 409},
		Summary: "Cancel an import", Description: "Ends an import that is not over; the tasks that it has made stay. Again it changes nothing.",
	}, a.cancelImport)
}

type importOutput struct {
	ETag     string `header:"ETag" doc:"The version"`
	Location string `header:"Location" doc:"Where the progress is"`
	Body     task.Import
}

func showImport(im task.Import, err error) (*importOutput, error) {
	return &importOutput{ETag: rest.ETag(im.Version), Body: im}, err
}

func showImportAt(im task.Import, err error) (*importOutput, error) {
	out, err := showImport(im, err)
	out.Location = "/tasks/v1/task-imports/" + im.ID.String()
	return out, err
}

type importInput struct {
	ProjectID uuid.UUID `query:"project_id" required:"true" format:"uuid" doc:"Where the tasks will belong" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	RawBody   []byte    `contentType:"text/csv"`
}

func (a *api) startImport(ctx context.Context, who identity.Caller, in *importInput) (*importOutput, error) {
	return showImportAt(a.tasks.StartImport(ctx, who, in.ProjectID, in.RawBody))
}

func (a *api) getImport(ctx context.Context, who identity.Caller, in *ByID) (*importOutput, error) {
	return showImport(a.tasks.GetImport(ctx, who, in.ID))
}

func (a *api) cancelImport(ctx context.Context, who identity.Caller, in *ByID) (*importOutput, error) {
	return showImportAt(a.tasks.CancelImport(ctx, who, in.ID))
}

type importPage struct{ Body rest.Page[task.Import] }

type listImportsInput struct {
	rest.PageInput
	ProjectID uuid.UUID `query:"project_id" format:"uuid" doc:"Only those for this project"`
}

func (a *api) listImports(ctx context.Context, who identity.Caller, in *listImportsInput) (*importPage, error) {
	list := "imports " + in.ProjectID.String()
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.ListImports(ctx, who, in.ProjectID, r)
	return &importPage{rest.PageOf(a.cursors, who, list, got)}, err
}

type importErrorPage struct{ Body rest.Page[task.ImportError] }

func (a *api) listImportErrors(ctx context.Context, who identity.Caller, in *struct {
	ByID
	rest.PageInput
}) (*importErrorPage, error) {
	list := "import errors " + in.ID.String()
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.ImportErrors(ctx, who, in.ID, r)
	return &importErrorPage{rest.PageOf(a.cursors, who, list, got)}, err
}
