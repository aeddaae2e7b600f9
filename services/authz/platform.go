package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// registerPlatform adds what our own services need: declaring permissions,
// seeding, and assignments that workflows make and undo.
func (a *api) registerPlatform(r *rest.API) {
	internal := func(id, method, path string, status int) rest.Operation {
		return rest.Operation{ID: id, Method: method, Path: "/v1/platform/" + path, Status: status, Internal: true}
	}
	rest.Register(r, internal("platform-seed", http.MethodPut, "seed", http.StatusNoContent), func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.access.Seed(ctx, who)
	})
	rest.Register(r, internal("platform-unseed", http.MethodDelete, "seed", http.StatusNoContent), func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.access.Unseed(ctx, who)
	})
	rest.Register(r, internal("platform-register-permissions", http.MethodPut, "permissions/{service}", http.StatusNoContent), a.registerDeclared)
	rest.Register(r, internal("platform-put-assignment", http.MethodPut, "assignments", http.StatusNoContent), a.putAssignment)
	rest.Register(r, internal("platform-givable", http.MethodPost, "givable", http.StatusOK), a.givable)
	rest.Register(r, internal("platform-covers", http.MethodPost, "covers", http.StatusNoContent), a.covers)
	rest.Register(r, internal("platform-check", http.MethodPost, "check", http.StatusOK), a.check)
}

// declaredInput is what a service declares; its client is not a tenant's.
type declaredInput struct {
	Service string `path:"service" minLength:"1" maxLength:"100"`
	Body    struct {
		Permissions []access.Declared `json:"permissions" nullable:"false" maxItems:"1000"`
	}
}

func (a *api) registerDeclared(ctx context.Context, who identity.Caller, in *declaredInput) (*struct{}, error) {
	news, err := a.access.Register(ctx, who, in.Service, in.Body.Permissions)
	if news && a.grow != nil {
		a.grow()
	}
	return nil, err
}

func (a *api) putAssignment(ctx context.Context, who identity.Caller, in *struct{ Body AssignmentDraft }) (*struct{}, error) {
	g, err := in.Body.grant()
	if err == nil {
		_, err = a.access.Assign(ctx, who, g)
	}
	return nil, err
}

// givableOutput names the role that a subject may give.
type givableOutput struct {
	Body struct {
		RoleID uuid.UUID `json:"role_id" format:"uuid"`
	}
}

func (a *api) givable(ctx context.Context, who identity.Caller, in *struct{ Body AssignmentDraft }) (*givableOutput, error) {
	var out givableOutput
	g, err := in.Body.grant()
	if err == nil {
		out.Body.RoleID, err = a.access.Givable(ctx, who, g.Subject, g.Role)
	}
	return &out, err
}

// coversInput asks whether a subject may act as another.
type coversInput struct {
	Body struct {
		SubjectKind string `json:"subject_kind"`
		SubjectID   string `json:"subject_id"`
		OtherKind   string `json:"other_kind"`
		OtherID     string `json:"other_id"`
	}
}

func (a *api) covers(ctx context.Context, who identity.Caller, in *coversInput) (*struct{}, error) {
	by, err := access.ParseSubject(in.Body.SubjectKind, in.Body.SubjectID)
	if err != nil {
		return nil, err
	}
	other, err := access.ParseSubject(in.Body.OtherKind, in.Body.OtherID)
	if err != nil {
		return nil, err
	}
	return nil, a.access.Covers(ctx, who, by, other)
}
