package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

const scope = "authz"

// api is the HTTP surface of the use cases.
type api struct {
	access  *access.Service
	cursors rest.Cursors
}

func (a *api) register(r *rest.API) {
	a.registerRoles(r)
	a.registerPermissions(r)
	a.registerAssignments(r)
	a.registerPlatform(r)
	rest.Register(r, rest.Operation{
		ID: "check", Method: http.MethodPost, Path: "/v1/check", Tag: "decisions", Scope: scope,
		Summary: "Decide", Description: "Whether the caller, or a subject that is named, holds a permission. Asking about others takes assignments:read.",
	}, a.check)
}

// CheckRequest asks for a decision.
type CheckRequest struct {
	Permission  access.Permission `json:"permission" minLength:"3" maxLength:"100" example:"tasks:write"`
	SubjectKind string            `json:"subject_kind,omitempty" enum:"user,client" example:"user" doc:"Left out: the caller"`
	SubjectID   string            `json:"subject_id,omitempty" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"The user's id or the client_id"`
	ProjectID   uuid.UUID         `json:"project_id,omitempty" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"Roles given for this project alone count too; left out: they do not"`
}

type checkInput struct{ Body CheckRequest }

type checkOutput struct{ Body access.Decision }

func (a *api) check(ctx context.Context, who identity.Caller, in *checkInput) (*checkOutput, error) {
	var about *access.Subject
	if in.Body.SubjectKind != "" || in.Body.SubjectID != "" {
		s, err := access.ParseSubject(in.Body.SubjectKind, in.Body.SubjectID)
		if err != nil {
			return nil, err
		}
		about = &s
	}
	d, err := a.access.Check(ctx, who, about, in.Body.Permission, in.Body.ProjectID)
	return &checkOutput{d}, err
}

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
}

// Versioned is the input of an operation that needs no more than a version.
type Versioned struct {
	ByID
	rest.IfMatch
}
