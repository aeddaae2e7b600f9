package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

const (
	scope = "reports"
	tag   = "reports"
)

// api is the HTTP surface of the use cases.
type api struct {
	reports *report.Service
	cursors rest.Cursors
}

func (a *api) register(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-report-run", Method: http.MethodPost, Path: "/v1/runs", Tag: tag, Scope: scope, Needs: rest.Needs{report.ReportsCreate, task.TasksRead}, Status: http.StatusAccepted, Errors: []int{409},
		Summary: "Ask for a report", Description: "The file is made meanwhile: the answer's Location tells the progress, and has the file at its /file in the end. A caller who may read the tasks of some projects alone has to name one of them; one that the tenant has not is refused. A tenant has at most 100 runs that are not over. A run is kept, with its file, for 30 days after it is over.",
	}, a.create)
	rest.Register(r, rest.Operation{
		ID: "list-report-runs", Method: http.MethodGet, Path: "/v1/runs", Tag: tag, Scope: scope, Needs: rest.Needs{report.ReportsRead},
		Summary: "List runs", Description: "Runs of the tenant, oldest first. They are kept, with their files, for 30 days after they are over.",
	}, a.list)
	rest.Register(r, rest.Operation{
		ID: "get-report-run", Method: http.MethodGet, Path: "/v1/runs/{id}", Tag: tag, Scope: scope, Needs: rest.Needs{report.ReportsRead}, Errors: []int{404},
		Summary: "Read a run", Description: "Its status and progress. The ETag names its version. It is kept for 30 days after it is over.",
	}, a.get)
	rest.Register(r, rest.Operation{
		ID: "cancel-report-run", Method: http.MethodPost, Path: "/v1/runs/{id}/cancel", Tag: tag, Scope: scope, Needs: rest.Needs{report.ReportsCreate}, Status: http.StatusAccepted, Errors: []int{404, 409},
		Summary: "Cancel a run", Description: "Ends a run that is not over; within seconds nothing of its file is left. Again it changes nothing.",
	}, a.cancel)
}

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
}

type runOutput struct {
	ETag     string `header:"ETag" doc:"The version"`
	Location string `header:"Location" doc:"Where the progress is"`
	Body     report.Run
}

func show(r report.Run, err error) (*runOutput, error) {
	return &runOutput{ETag: rest.ETag(r.Version), Body: r}, err
}

func showAt(r report.Run, err error) (*runOutput, error) {
	out, err := show(r, err)
	out.Location = "/reports/v1/runs/" + r.ID.String()
	return out, err
}

func (a *api) create(ctx context.Context, who identity.Caller, in *struct{ Body report.RunDraft }) (*runOutput, error) {
	return showAt(a.reports.Create(ctx, who, in.Body))
}

func (a *api) get(ctx context.Context, who identity.Caller, in *ByID) (*runOutput, error) {
	return show(a.reports.Get(ctx, who, in.ID))
}

func (a *api) cancel(ctx context.Context, who identity.Caller, in *ByID) (*runOutput, error) {
	return showAt(a.reports.Cancel(ctx, who, in.ID))
}

type runPage struct{ Body rest.Page[report.Run] }

func (a *api) list(ctx context.Context, who identity.Caller, in *rest.PageInput) (*runPage, error) {
	const list = "runs"
	r, err := a.cursors.Request(who, list, *in)
	if err != nil {
		return nil, err
	}
	got, err := a.reports.List(ctx, who, r)
	return &runPage{rest.PageOf(a.cursors, who, list, got)}, err
}
