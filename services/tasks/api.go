package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

const scope = "tasks"

// api is the HTTP surface of the use cases.
type api struct {
	tasks   *task.Service
	cursors rest.Cursors
}

func (a *api) register(r *rest.API) {
	a.registerProjects(r)
	a.registerComments(r)
	rest.Register(r, rest.Operation{
		ID: "create-task", Method: http.MethodPost, Path: "/v1/tasks", Tag: "tasks", Scope: scope, Status: http.StatusCreated, Errors: []int{404},
		Summary: "Create a task", Description: "Adds a task to a project.",
	}, a.createTask)
	rest.Register(r, rest.Operation{
		ID: "list-tasks", Method: http.MethodGet, Path: "/v1/tasks", Tag: "tasks", Scope: scope,
		Summary: "List tasks", Description: "Tasks of the tenant, oldest first, of one project or one status if that is named.",
	}, a.listTasks)
	rest.Register(r, rest.Operation{
		ID: "get-task", Method: http.MethodGet, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Errors: []int{404},
		Summary: "Read a task", Description: "The ETag names its version.",
	}, a.getTask)
	rest.Register(r, rest.Operation{
		ID: "update-task", Method: http.MethodPatch, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Errors: []int{404, 412, 428},
		Summary: "Change a task", Description: "A merge patch (RFC 7396): what it does not name stays, what it names as null is cleared.",
	}, a.updateTask)
	rest.Register(r, rest.Operation{
		ID: "delete-task", Method: http.MethodDelete, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Status: http.StatusNoContent, Errors: []int{404, 412, 428},
		Summary: "Delete a task", Description: "Deletes it with its comments and its history.",
	}, a.deleteTask)
}

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
}

// TaskDraft is a task.Draft under the name that SDKs show.
type TaskDraft task.Draft

type taskOutput struct {
	ETag     string `header:"ETag" doc:"The version"`
	Location string `header:"Location" doc:"Where it is, when it was created"`
	Body     task.Task
}

func showTask(t task.Task, err error) (*taskOutput, error) {
	return &taskOutput{ETag: rest.ETag(t.Version), Body: t}, err
}

func (a *api) createTask(ctx context.Context, who identity.Caller, in *struct{ Body TaskDraft }) (*taskOutput, error) {
	out, err := showTask(a.tasks.Create(ctx, who, task.Draft(in.Body)))
	out.Location = "/tasks/v1/tasks/" + out.Body.ID.String()
	return out, err
}

func (a *api) getTask(ctx context.Context, who identity.Caller, in *ByID) (*taskOutput, error) {
	return showTask(a.tasks.Get(ctx, who, in.ID))
}

type listTasksInput struct {
	rest.PageInput
	ProjectID uuid.UUID `query:"project_id" format:"uuid" doc:"Only of this project" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Status    string    `query:"status" enum:"open,in_progress,done,cancelled" doc:"Only with this status" example:"open"`
}

type taskPage struct{ Body rest.Page[task.Task] }

func (a *api) listTasks(ctx context.Context, who identity.Caller, in *listTasksInput) (*taskPage, error) {
	f := task.Filter{ProjectID: in.ProjectID, Status: in.Status}
	list := fmt.Sprint("tasks", f)
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.List(ctx, who, f, r)
	return &taskPage{rest.PageOf(a.cursors, who, list, got)}, err
}

// TaskPatch is the body of an update.
type TaskPatch struct {
	Title       rest.Optional[string]    `json:"title,omitempty" minLength:"1" maxLength:"200" example:"Order twelve desks"`
	Description rest.Optional[string]    `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Height-adjustable"`
	Status      rest.Optional[string]    `json:"status,omitempty" enum:"open,in_progress,done,cancelled" example:"in_progress"`
	Priority    rest.Optional[string]    `json:"priority,omitempty" enum:"low,normal,high,urgent" example:"high"`
	AssigneeID  rest.Nullable[uuid.UUID] `json:"assignee_id,omitempty" format:"uuid" doc:"null: nobody" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	DueAt       rest.Nullable[time.Time] `json:"due_at,omitempty" format:"date-time" doc:"null: no date" example:"2026-02-28T17:00:00Z"`
}

type updateTaskInput struct {
	ByID
	rest.IfMatch
	Body TaskPatch
}

func (a *api) updateTask(ctx context.Context, who identity.Caller, in *updateTaskInput) (*taskOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showTask(a.tasks.Change(ctx, who, in.ID, version, task.TaskPatch{
		Title: in.Body.Title.Field, Description: in.Body.Description.Field, Status: in.Body.Status.Field,
		Priority: in.Body.Priority.Field, AssigneeID: in.Body.AssigneeID.Field, DueAt: in.Body.DueAt.Field,
	}))
}

// Versioned is the input of an operation that needs no more than a version.
type Versioned struct {
	ByID
	rest.IfMatch
}

func (a *api) deleteTask(ctx context.Context, who identity.Caller, in *Versioned) (*struct{}, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return nil, a.tasks.Delete(ctx, who, in.ID, version)
}
