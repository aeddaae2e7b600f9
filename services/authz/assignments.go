package main

import (
	"context"
	"fmt"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

func (a *api) registerAssignments(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-assignment", Method: http.MethodPost, Path: "/v1/assignments", Tag: "assignments", Scope: scope, Status: http.StatusCreated, Errors: []int{404},
		Summary: "Give a role", Description: "To a person or a client; giving it again changes nothing. Nobody gives what they do not hold themselves.",
	}, a.createAssignment)
	rest.Register(r, rest.Operation{
		ID: "list-assignments", Method: http.MethodGet, Path: "/v1/assignments", Tag: "assignments", Scope: scope,
		Summary: "List who has which role", Description: "Oldest first, of one subject or one role if that is named.",
	}, a.listAssignments)
	rest.Register(r, rest.Operation{
		ID: "delete-assignment", Method: http.MethodDelete, Path: "/v1/assignments/{subject_kind}/{subject_id}/{role}", Tag: "assignments", Scope: scope, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Take a role away", Description: "The last owner keeps it. It is enforced everywhere within a second.",
	}, a.deleteAssignment)
}

// AssignmentDraft says who is given which role.
type AssignmentDraft struct {
	SubjectKind string `json:"subject_kind" enum:"user,client" example:"user"`
	SubjectID   string `json:"subject_id" minLength:"1" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"The user's id or the client_id"`
	Role        string `json:"role" minLength:"1" maxLength:"100" example:"member" doc:"The role's name"`
}

type assignmentOutput struct{ Body access.Assignment }

func (a *api) createAssignment(ctx context.Context, who identity.Caller, in *struct{ Body AssignmentDraft }) (*assignmentOutput, error) {
	s, err := access.ParseSubject(in.Body.SubjectKind, in.Body.SubjectID)
	if err != nil {
		return nil, err
	}
	got, err := a.access.Assign(ctx, who, s, in.Body.Role)
	return &assignmentOutput{got}, err
}

type listAssignmentsInput struct {
	rest.PageInput
	access.AssignmentFilter
}

type assignmentPage struct{ Body rest.Page[access.Assignment] }

func (a *api) listAssignments(ctx context.Context, who identity.Caller, in *listAssignmentsInput) (*assignmentPage, error) {
	list := fmt.Sprintf("assignments %q", in.AssignmentFilter)
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.access.Assignments(ctx, who, in.AssignmentFilter, r)
	return &assignmentPage{rest.PageOf(a.cursors, who, list, got)}, err
}

type namedAssignment struct {
	SubjectKind string `path:"subject_kind" enum:"user,client" example:"user"`
	SubjectID   string `path:"subject_id" minLength:"1" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	Role        string `path:"role" minLength:"1" maxLength:"100" example:"member"`
}

func (a *api) deleteAssignment(ctx context.Context, who identity.Caller, in *namedAssignment) (*struct{}, error) {
	s, err := access.ParseSubject(in.SubjectKind, in.SubjectID)
	if err != nil {
		return nil, err
	}
	return nil, a.access.Unassign(ctx, who, s, in.Role)
}
