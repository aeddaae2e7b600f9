package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

func (a *api) registerAssignments(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-assignment", Method: http.MethodPost, Path: "/v1/assignments", Tag: "assignments", Scope: scope, Needs: rest.Needs{access.AssignmentsWrite}, Status: http.StatusCreated, Unmade: "It was there; at most its end is another", Errors: []int{404, 409},
		Summary: "Give a role", Description: "To a person or a client, in one project or all, until a time or without end; giving it again changes only the end, and is answered with 200. Nobody gives what they do not hold themselves for as long. Whether there is such a person, client or project is not asked: other services keep those, and a role for what does not exist gives nothing.",
	}, a.createAssignment)
	rest.Register(r, rest.Operation{
		ID: "list-assignments", Method: http.MethodGet, Path: "/v1/assignments", Tag: "assignments", Scope: scope, Needs: rest.Needs{access.AssignmentsRead},
		Summary: "List who has which role", Description: "Oldest first, of one subject, one role or one project if that is named. Who may see those of a project names it.",
	}, a.listAssignments)
	rest.Register(r, rest.Operation{
		ID: "get-assignment", Method: http.MethodGet, Path: "/v1/assignments/{id}", Tag: "assignments", Scope: scope, Needs: rest.Needs{access.AssignmentsRead}, Errors: []int{404},
		Summary: "Read who has a role", Description: "The ETag names its version.",
	}, a.getAssignment)
	rest.Register(r, rest.Operation{
		ID: "update-assignment", Method: http.MethodPatch, Path: "/v1/assignments/{id}", Tag: "assignments", Scope: scope, Needs: rest.Needs{access.AssignmentsWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Change when a role ends", Description: "A merge patch (RFC 7396): what it does not name stays. Nobody gives what they do not hold themselves for as long, and the last owner who can log in stays. The platform's own clients keep what they have.",
	}, a.updateAssignment)
	rest.Register(r, rest.Operation{
		ID: "delete-assignment", Method: http.MethodDelete, Path: "/v1/assignments/{subject_kind}/{subject_id}/{role}", Tag: "assignments", Scope: scope, Needs: rest.Needs{access.AssignmentsWrite}, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Take a role away", Description: "The last owner who can log in keeps it, and so do the platform's own clients. It is enforced everywhere within a second.",
	}, a.deleteAssignment)
}

// AssignmentDraft says who is given which role.
type AssignmentDraft struct {
	SubjectKind string    `json:"subject_kind" enum:"user,client" example:"user"`
	SubjectID   string    `json:"subject_id" minLength:"1" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"The user's id or the client_id"`
	Role        string    `json:"role" minLength:"1" maxLength:"100" example:"member" doc:"The role's name"`
	ProjectID   uuid.UUID `json:"project_id,omitempty" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"The project that it is for; left out: the whole tenant"`
	Until       time.Time `json:"until,omitempty" example:"2030-01-01T00:00:00Z" doc:"From when on it holds no more; left out: without end"`
}

func (d AssignmentDraft) grant() (access.Grant, error) {
	s, err := access.ParseSubject(d.SubjectKind, d.SubjectID)
	return access.Grant{Subject: s, Role: d.Role, Project: d.ProjectID, Until: d.Until}, err
}

type assignmentOutput struct {
	Tagged
	Status   int
	Location string `header:"Location" doc:"Where it is, when it was given"`
	Body     access.AssignmentAnswer
}

func showAssignment(x access.AssignmentAnswer, err error) (*assignmentOutput, error) {
	return &assignmentOutput{Status: http.StatusOK, Tagged: Tagged{rest.ETag(x.Version), x.PolicyVersion}, Body: x}, err
}

func (a *api) createAssignment(ctx context.Context, who identity.Caller, in *struct{ Body AssignmentDraft }) (*assignmentOutput, error) {
	g, err := in.Body.grant()
	if err != nil {
		return nil, err
	}
	given, err := a.access.Assign(ctx, who, g)
	out, err := showAssignment(given.AssignmentAnswer, err)
	if !given.Again {
		out.Status = http.StatusCreated
	}
	out.Location = "/authz/v1/assignments/" + out.Body.ID.String()
	return out, err
}

func (a *api) getAssignment(ctx context.Context, who identity.Caller, in *ByID) (*assignmentOutput, error) {
	return showAssignment(a.access.Assignment(ctx, who, in.ID))
}

// AssignmentPatch is the body of an update.
type AssignmentPatch struct {
	Until rest.Nullable[time.Time] `json:"until,omitempty" format:"date-time" example:"2031-01-01T00:00:00Z" doc:"From when on it holds no more; null: without end"`
}

type updateAssignmentInput struct {
	Versioned
	Body AssignmentPatch
}

func (a *api) updateAssignment(ctx context.Context, who identity.Caller, in *updateAssignmentInput) (*assignmentOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showAssignment(a.access.UpdateAssignment(ctx, who, in.ID, version, access.AssignmentPatch{Until: in.Body.Until.Field}))
}

type listAssignmentsInput struct {
	rest.PageInput
	access.AssignmentFilter
}

type assignmentPage struct{ Body Listing[access.Assignment] }

func (a *api) listAssignments(ctx context.Context, who identity.Caller, in *listAssignmentsInput) (*assignmentPage, error) {
	got, err := listed(a, who, fmt.Sprintf("assignments %q", in.AssignmentFilter), in.PageInput, func(r page.Request) (access.Listing[access.Assignment], error) {
		return a.access.Assignments(ctx, who, in.AssignmentFilter, r)
	})
	return &assignmentPage{got}, err
}

type namedAssignment struct {
	SubjectKind string    `path:"subject_kind" enum:"user,client" example:"user"`
	SubjectID   string    `path:"subject_id" minLength:"1" maxLength:"100" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	Role        string    `path:"role" minLength:"1" maxLength:"100" example:"member"`
	ProjectID   uuid.UUID `query:"project_id" format:"uuid" doc:"The one for this project; left out: the one for the whole tenant"`
}

func (a *api) deleteAssignment(ctx context.Context, who identity.Caller, in *namedAssignment) (*gone, error) {
	s, err := access.ParseSubject(in.SubjectKind, in.SubjectID)
	if err != nil {
		return nil, inAddress(err, "subject_id")
	}
	return showGone(a.access.Unassign(ctx, who, s, in.Role, in.ProjectID))
}
