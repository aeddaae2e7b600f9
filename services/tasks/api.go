package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
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
	a.registerBulk(r)
	a.registerExport(r)
	a.registerImports(r)
	rest.Register(r, rest.Operation{
		ID: "create-task", Method: http.MethodPost, Path: "/v1/tasks", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksWrite}, Status: http.StatusCreated, Errors: []int{404, 409},
		Summary: "Create a task", Description: "Adds a task to a project, which gives it the next number. A status that is left out is the project's first.",
	}, a.createTask)
	rest.Register(r, rest.Operation{
		ID: "list-tasks", Method: http.MethodGet, Path: "/v1/tasks", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead},
		Summary: "List tasks", Description: "Tasks of the tenant, oldest first unless sort says otherwise. Who has a role for one project alone names it in project_id.\n\n" + filterHelp,
	}, a.listTasks)
	rest.Register(r, rest.Operation{
		ID: "get-task", Method: http.MethodGet, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead}, Errors: []int{404},
		Summary: "Read a task", Description: "The ETag names its version.",
	}, a.getTask)
	rest.Register(r, rest.Operation{
		ID: "update-task", Method: http.MethodPatch, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Change a task", Description: "A merge patch (RFC 7396): what it does not name stays, what it names as null is cleared. The project says which status can follow which.",
	}, a.updateTask)
	rest.Register(r, rest.Operation{
		ID: "delete-task", Method: http.MethodDelete, Path: "/v1/tasks/{id}", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksDelete}, Status: http.StatusNoContent, Errors: []int{404, 409, 412, 428},
		Summary: "Delete a task", Description: "Moves it to the trash, from where it can be restored for 30 days. What is a part of it stays, and names it as its parent until it is dropped.",
	}, a.deleteTask)
	rest.Register(r, rest.Operation{
		ID: "restore-task", Method: http.MethodPost, Path: "/v1/tasks/{id}/restore", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksDelete}, Errors: []int{404, 409, 412, 428},
		Summary: "Restore a task", Description: "Takes it out of the trash. The ETag to name is that of the version in the trash.",
	}, a.restoreTask)
	rest.Register(r, rest.Operation{
		ID: "move-task", Method: http.MethodPost, Path: "/v1/tasks/{id}/move", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Move a task", Description: "Gives it another place in the manual order of its project, which lists show with sort=rank: between two tasks, or next to one.",
	}, a.moveTask)
	rest.Register(r, rest.Operation{
		ID: "list-task-history", Method: http.MethodGet, Path: "/v1/tasks/{id}/history", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead}, Errors: []int{404},
		Summary: "List a task's history", Description: "Who changed what when, from what to what; oldest first. It is there for a task in the trash too.",
	}, a.listHistory)
	rest.Register(r, rest.Operation{
		ID: "count-tasks", Method: http.MethodGet, Path: "/v1/task-counts", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead},
		Summary: "Count tasks by group", Description: "How many of the tasks that the filter chooses have which value, most first: what a board shows above its columns.",
	}, a.countTasks)
}

const filterHelp = "The filter language compares fields with values and joins the comparisons by and, or, not and parentheses: " +
	"`status in (open, review) and due < now+7d and assignee = me and not label = \"x\"`. " +
	"Fields: key, number, project, parent, title, status, priority, assignee, label, start, due, estimate, created, updated; or as a task shows them: project_id, parent_id, assignees, labels, start_at, due_at, estimate_minutes, created_at, updated_at. " +
	"Operators: `=`, `!=`, `in (…)`, `not in (…)`; `<`, `<=`, `>`, `>=` of times and numbers; `~` for a part of a text in any case; `is empty`, `is not empty`. " +
	"Times: RFC 3339, a date (its beginning in UTC), `now`, `now+7d` (s, m, h, d, w). `me` is the user who asks. " +
	"A field that is empty satisfies no comparison; `not` turns that round."

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

// TaskFilter is what tasks are chosen by.
type TaskFilter struct {
	ProjectID uuid.UUID `query:"project_id" format:"uuid" doc:"Only of this project" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Status    string    `query:"status" maxLength:"40" doc:"Only with this status" example:"open"`
	Filter    string    `query:"filter" maxLength:"2000" doc:"The filter language, which list-tasks describes. In a text in quotes a backslash makes the next character plain: \x60\\\"\x60 is a quote. Nests at most 32 deep, compares at most 100 times, and an in has at most 200 values. A + is sent as %2B: now%2B7d" example:"priority in (high, urgent) and due < now+7d"`
	Search    string    `query:"q" maxLength:"200" doc:"Words that title and description hold, all of them; in Chinese, Japanese and Korean any part of their text" example:"desks"`
	Trash     bool      `query:"trash" doc:"Those in the trash instead"`
}

func (f TaskFilter) filter() task.Filter {
	return task.Filter{ProjectID: f.ProjectID, Status: f.Status, Where: f.Filter, Search: f.Search, Trash: f.Trash}
}

type listTasksInput struct {
	rest.PageInput
	TaskFilter
	Sort string `query:"sort" maxLength:"100" doc:"Fields, - before one for descending: created, updated, due, start, priority, status, title, number, estimate, rank; or as a task shows them, such as due_at. What is empty comes last." example:"-priority,due"`
}

type taskPage struct{ Body rest.Page[task.Task] }

func (a *api) listTasks(ctx context.Context, who identity.Caller, in *listTasksInput) (*taskPage, error) {
	f := in.filter()
	f.Sort = in.Sort
	list := fmt.Sprintf("tasks %s %q %q %q %q %t", f.ProjectID, f.Status, f.Where, f.Search, f.Sort, f.Trash)
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.List(ctx, who, f, r)
	return &taskPage{rest.PageOf(a.cursors, who, list, got)}, err
}

type countInput struct {
	TaskFilter
	By string `query:"by" enum:"status,priority,assignee,label,project,assignees,labels,project_id" default:"status" doc:"What they are grouped by: assignees, labels and project_id are assignee, label and project, as a task shows them" example:"status"`
}

type countOutput struct{ Body TaskCounts }

// TaskCounts are the groups.
type TaskCounts struct {
	Items []task.Count `json:"items" nullable:"false" doc:"At most a thousand"`
}

func (a *api) countTasks(ctx context.Context, who identity.Caller, in *countInput) (*countOutput, error) {
	got, err := a.tasks.Counts(ctx, who, in.filter(), in.By)
	if got == nil {
		got = []task.Count{}
	}
	return &countOutput{TaskCounts{got}}, err
}

// TaskPatch is the body of an update.
type TaskPatch struct {
	Title           rest.Optional[string]      `json:"title,omitempty" minLength:"1" maxLength:"200" example:"Order twelve desks"`
	Description     rest.Optional[string]      `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Height-adjustable"`
	Status          rest.Optional[string]      `json:"status,omitempty" maxLength:"40" doc:"One of the project's" example:"in_progress"`
	Priority        rest.Optional[string]      `json:"priority,omitempty" enum:"low,normal,high,urgent" example:"high"`
	Assignees       rest.Optional[[]uuid.UUID] `json:"assignees,omitempty" maxItems:"20" doc:"The users who do it" example:"[\"0199a1b2-c3d4-7e5f-8a6b-000000000009\"]"`
	Labels          rest.Optional[[]string]    `json:"labels,omitempty" maxItems:"20" minLength:"1" maxLength:"50" pattern:"^\\S([\\s\\S]*\\S)?$" doc:"Each without spaces at its ends" example:"[\"furniture\"]"`
	StartAt         rest.Nullable[time.Time]   `json:"start_at,omitempty" format:"date-time" doc:"null: no date" example:"2026-02-01T08:00:00Z"`
	DueAt           rest.Nullable[time.Time]   `json:"due_at,omitempty" format:"date-time" doc:"null: no date" example:"2026-02-28T17:00:00Z"`
	EstimateMinutes rest.Nullable[int64]       `json:"estimate_minutes,omitempty" minimum:"0" maximum:"1000000" doc:"null: not estimated" example:"90"`
	ParentID        rest.Nullable[uuid.UUID]   `json:"parent_id,omitempty" format:"uuid" doc:"A task of the same project; null: none" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
}

func (p TaskPatch) patch() task.Patch {
	return task.Patch{
		Title: p.Title.Field, Description: p.Description.Field, Status: p.Status.Field, Priority: p.Priority.Field, Assignees: p.Assignees.Field, Labels: p.Labels.Field,
		StartAt: p.StartAt.Field, DueAt: p.DueAt.Field, EstimateMinutes: p.EstimateMinutes.Field, ParentID: p.ParentID.Field,
	}
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
	return showTask(a.tasks.Change(ctx, who, task.ItemChange{ID: in.ID, Version: version, Patch: in.Body.patch()}))
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
	return nil, a.tasks.Delete(ctx, who, task.ItemDelete{ID: in.ID, Version: version})
}

func (a *api) restoreTask(ctx context.Context, who identity.Caller, in *Versioned) (*taskOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showTask(a.tasks.Restore(ctx, who, task.ItemDelete{ID: in.ID, Version: version}))
}

type moveTaskInput struct {
	ByID
	rest.IfMatch
	Body TaskMove
}

// TaskMove is the body of a move.
type TaskMove struct {
	After  uuid.UUID `json:"after,omitzero" format:"uuid" doc:"The task after which it comes" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
	Before uuid.UUID `json:"before,omitzero" format:"uuid" doc:"The task before which it comes" example:"0199a1b2-c3d4-7e5f-8a6b-000000000005"`
}

// TransformSchema implements huma.SchemaTransformer.
func (TaskMove) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.MinProperties = new(1)
	return s
}

func (a *api) moveTask(ctx context.Context, who identity.Caller, in *moveTaskInput) (*taskOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showTask(a.tasks.Move(ctx, who, task.Move{ID: in.ID, Version: version, After: in.Body.After, Before: in.Body.Before}))
}

type historyInput struct {
	ByID
	rest.PageInput
}

type historyPage struct{ Body rest.Page[task.Change] }

func (a *api) listHistory(ctx context.Context, who identity.Caller, in *historyInput) (*historyPage, error) {
	list := "history of " + in.ID.String()
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.History(ctx, who, in.ID, r)
	return &historyPage{rest.PageOf(a.cursors, who, list, got)}, err
}
