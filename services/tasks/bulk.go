package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

func (a *api) registerBulk(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "bulk-tasks", Method: http.MethodPost, Path: "/v1/task-bulk", Tag: "tasks", Scope: scope,
		Example: `{"mode": "each", "items": [{"create": {"project_id": "0199a1b2-c3d4-7e5f-8a6b-000000000001", "title": "Order desks"}},
			{"change": {"id": "0199a1b2-c3d4-7e5f-8a6b-000000000002", "version": 1, "patch": {"priority": "high"}}}, {"delete": {"id": "0199a1b2-c3d4-7e5f-8a6b-000000000003", "version": 1}}]}`,
		Summary: "Create, change and delete many tasks",
		Description: "Up to 1,000 items within 1 MiB. The answer has a result for each item, in their order. In the mode `each`, what fails does not keep the others from being done, and what was done stays if the request is cut off: sent again with its Idempotency-Key it goes on there. " +
			"In the mode `all`, nothing is done unless all of it can be. " +
			"The limits of a single request hold for each item; what cannot be read as an item refuses the whole request.",
	}, a.bulk)
}

// BulkItem is one thing to do.
type BulkItem struct {
	Create *BulkDraft `json:"create,omitempty" doc:"A task to create"`
	Change *BulkPatch `json:"change,omitempty" doc:"A task to change"`
	Delete *BulkRef   `json:"delete,omitempty" doc:"A task to move to the trash"`
}

// BulkRef names a version of a task.
type BulkRef struct {
	ID      uuid.UUID `json:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Version int64     `json:"version" minimum:"1" doc:"What a single request says in If-Match" example:"1"`
}

// BulkPatch is a merge patch of a version of a task.
type BulkPatch struct {
	BulkRef
	Patch BulkFields `json:"patch" doc:"As the body of an update"`
}

// BulkDraft is a TaskDraft, and BulkFields a TaskPatch, whose limits are held
// item by item: what breaks a rule fails its item and not the request.
type (
	BulkDraft  TaskDraft
	BulkFields TaskPatch
)

// TransformSchema implements huma.SchemaTransformer.
func (BulkDraft) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return unlimited(s) }

// TransformSchema implements huma.SchemaTransformer.
func (BulkFields) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return unlimited(s) }

// unlimited moves the limits into the descriptions: by those alone huma refuses nothing.
func unlimited(s *huma.Schema) *huma.Schema {
	for _, p := range s.Properties {
		limits := huma.Schema{Enum: p.Enum, MinLength: p.MinLength, MaxLength: p.MaxLength, MaxItems: p.MaxItems, Minimum: p.Minimum, Maximum: p.Maximum}
		p.Enum, p.MinLength, p.MaxLength, p.MaxItems, p.Minimum, p.Maximum = nil, nil, nil, nil, nil, nil
		if i := p.Items; i != nil {
			limits.Items, p.Items = i, &huma.Schema{Type: i.Type, Format: i.Format}
		}
		if text, err := limits.MarshalJSON(); err == nil && string(text) != "{}" {
			p.Description = strings.TrimPrefix(p.Description+"; limits: "+string(text), "; ")
		}
	}
	return s
}

// BulkRequest is what to do.
type BulkRequest struct {
	Mode  string     `json:"mode,omitempty" enum:"each,all" default:"each" doc:"Whether a failure of one keeps the others from being done" example:"each"`
	Items []BulkItem `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"Each with exactly one of create, change and delete: what has none or several fails"`
}

// BulkResult is what became of an item.
type BulkResult struct {
	Status  int           `json:"status" doc:"What a single request would have been answered; 424: it was not done because another failed" example:"201"`
	Task    *task.Task    `json:"task,omitempty" doc:"The task as it is now"`
	Problem *rest.Problem `json:"problem,omitempty" doc:"Why it was not done"`
}

// BulkAnswer has the results.
type BulkAnswer struct {
	Done  bool         `json:"done" doc:"Whether anything was done: false if everything failed or, in the mode all, something" example:"true"`
	Items []BulkResult `json:"items" nullable:"false" doc:"In the order of the request"`
}

type bulkOutput struct{ Body BulkAnswer }

func (a *api) bulk(ctx context.Context, who identity.Caller, in *struct{ Body BulkRequest }) (*bulkOutput, error) {
	items := make([]task.Item, len(in.Body.Items))
	for i, x := range in.Body.Items {
		if x.Create != nil {
			d := task.Draft(*x.Create)
			items[i].Create = &d
		}
		if x.Change != nil {
			items[i].Change = &task.ItemChange{ID: x.Change.ID, Version: x.Change.Version, Patch: TaskPatch(x.Change.Patch).patch()}
		}
		if x.Delete != nil {
			items[i].Delete = &task.ItemDelete{ID: x.Delete.ID, Version: x.Delete.Version}
		}
	}
	got, done, err := a.tasks.Bulk(ctx, who, items, in.Body.Mode == "all")
	if err != nil {
		return nil, err
	}
	out := &bulkOutput{BulkAnswer{Done: done, Items: make([]BulkResult, len(got))}}
	for i, o := range got {
		out.Body.Items[i] = bulkResult(ctx, i, items[i], o)
	}
	return out, nil
}

func bulkResult(ctx context.Context, i int, item task.Item, o task.Outcome) BulkResult {
	switch {
	case o.Fault != nil:
		p, at := rest.ProblemOf(ctx, o.Fault), "create"
		if item.Change != nil {
			at = "change/patch"
		}
		for f := range p.Errors {
			p.Errors[f].Pointer = fmt.Sprintf("/items/%d/%s%s", i, at, p.Errors[f].Pointer)
		}
		return BulkResult{Status: p.Status, Problem: p}
	case o.Task == nil:
		return BulkResult{Status: http.StatusFailedDependency}
	case item.Create != nil:
		return BulkResult{Status: http.StatusCreated, Task: o.Task}
	case item.Delete != nil:
		return BulkResult{Status: http.StatusNoContent}
	}
	return BulkResult{Status: http.StatusOK, Task: o.Task}
}
