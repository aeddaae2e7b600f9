package main

import (
	"context"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

func (a *api) registerComments(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-comment", Method: http.MethodPost, Path: "/v1/tasks/{id}/comments", Tag: "comments", Scope: scope, Needs: rest.Needs{task.CommentsWrite}, Status: http.StatusCreated, Errors: []int{404},
		Summary: "Comment on a task", Description: "Adds a comment, which stays as it is.",
	}, a.createComment)
	rest.Register(r, rest.Operation{
		ID: "list-comments", Method: http.MethodGet, Path: "/v1/tasks/{id}/comments", Tag: "comments", Scope: scope, Needs: rest.Needs{task.TasksRead}, Errors: []int{404},
		Summary: "List a task's comments", Description: "Oldest first.",
	}, a.listComments)
}

type commentInput struct {
	ByID
	Body task.CommentDraft
}

type commentOutput struct{ Body task.Comment }

func (a *api) createComment(ctx context.Context, who identity.Caller, in *commentInput) (*commentOutput, error) {
	c, err := a.tasks.Comment(ctx, who, in.ID, in.Body)
	return &commentOutput{c}, err
}

type listCommentsInput struct {
	ByID
	rest.PageInput
}

type commentPage struct{ Body rest.Page[task.Comment] }

func (a *api) listComments(ctx context.Context, who identity.Caller, in *listCommentsInput) (*commentPage, error) {
	list := "comments of " + in.ID.String()
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.Comments(ctx, who, in.ID, r)
	return &commentPage{rest.PageOf(a.cursors, who, list, got)}, err
}
