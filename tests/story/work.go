package story

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	openapi_types "github.com/oapi-codegen/runtime/types"
	"golang.org/x/sync/errgroup"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// Tasks is how many tasks a day has.
const Tasks = 500

// Work creates a project and its tasks, changes some by their ETags and
// comments on one. It returns the project and the last task.
func (p *Platform) Work(ctx context.Context, member *bailiwick.ClientWithResponses) (project, task openapi_types.UUID, err error) {
	made, err := member.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "The office move"})
	if err := checked(made, err, 201); err != nil {
		return project, task, fmt.Errorf("create a project: %w", err)
	}
	project = made.JSON201.Id
	all, each := errgroup.WithContext(ctx)
	all.SetLimit(8)
	ids := make([]openapi_types.UUID, Tasks)
	for i := range ids {
		all.Go(func() error {
			text := fmt.Sprintf("From the first floor to the second, trip %d", i+1)
			r, err := member.CreateTaskWithResponse(each, nil, bailiwick.TaskDraft{ProjectId: project, Title: fmt.Sprintf("Carry desk %d", i+1), Description: &text})
			if err := checked(r, err, 201); err != nil {
				return fmt.Errorf("create task %d: %w", i, err)
			}
			ids[i] = r.JSON201.Id
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return project, task, err
	}
	p.Say("a member created a project and %d tasks", Tasks)
	for _, id := range ids[:20] {
		if err := p.finish(ctx, member, id); err != nil {
			return project, task, err
		}
	}
	task = ids[len(ids)-1]
	said, err := member.CreateCommentWithResponse(ctx, task, nil, bailiwick.CommentDraft{Body: "Mind the stairs."})
	if err := checked(said, err, 201); err != nil {
		return project, task, fmt.Errorf("comment: %w", err)
	}
	p.Say("changed twenty of them by their ETags and commented on one")
	return project, task, nil
}

// finish changes a task in the version that was read, and finds that the
// version before is refused.
func (p *Platform) finish(ctx context.Context, member *bailiwick.ClientWithResponses, id openapi_types.UUID) error {
	read, err := member.GetTaskWithResponse(ctx, id, nil)
	if err := checked(read, err, 200); err != nil {
		return fmt.Errorf("read a task: %w", err)
	}
	etag, done := read.HTTPResponse.Header.Get("ETag"), "done"
	for _, want := range []int{http.StatusOK, http.StatusPreconditionFailed} {
		r, err := member.UpdateTaskWithResponse(ctx, id, &bailiwick.UpdateTaskParams{IfMatch: &etag}, bailiwick.TaskPatch{Status: &done})
		if err := checked(r, err, want); err != nil {
			return fmt.Errorf("change a task: %w", err)
		}
	}
	return nil
}

// checked returns an error unless an SDK's response has the status wanted.
func checked(r response, err error, want int) error {
	if err != nil {
		return err
	}
	v := reflect.Indirect(reflect.ValueOf(r))
	body, _ := v.FieldByName("Body").Interface().([]byte)
	resp, _ := v.FieldByName("HTTPResponse").Interface().(*http.Response)
	return bailiwick.Check(resp, body, want)
}
