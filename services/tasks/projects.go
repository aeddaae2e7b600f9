package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

func (a *api) registerProjects(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-project", Method: http.MethodPost, Path: "/v1/projects", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsWrite}, Status: http.StatusCreated, Errors: []int{409},
		Summary: "Create a project", Description: "Adds a project to the tenant, with its key and the statuses that its tasks can have.",
	}, a.createProject)
	rest.Register(r, rest.Operation{
		ID: "list-projects", Method: http.MethodGet, Path: "/v1/projects", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsRead},
		Summary: "List projects", Description: "Projects of the tenant, oldest first; with roles for some projects alone, those that may be seen by them.",
	}, a.listProjects)
	rest.Register(r, rest.Operation{
		ID: "get-project", Method: http.MethodGet, Path: "/v1/projects/{id}", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsRead}, Errors: []int{404},
		Summary: "Read a project", Description: "The ETag names its version.",
	}, a.getProject)
	rest.Register(r, rest.Operation{
		ID: "update-project", Method: http.MethodPatch, Path: "/v1/projects/{id}", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsWrite}, Errors: []int{404, 409, 412, 428},
		Summary: "Change a project", Description: "A merge patch (RFC 7396): what it does not name stays. While a project is archived, its tasks stay as they are.",
	}, a.updateProject)
	rest.Register(r, rest.Operation{
		ID: "delete-project", Method: http.MethodDelete, Path: "/v1/projects/{id}", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsWrite}, Status: http.StatusNoContent, Errors: []int{404, 412, 428},
		Summary: "Delete a project", Description: "Deletes it with its tasks, for good. Where they are more than a thousand, or its imports had many errors, they are dropped within moments; until then they are still shown, a change of one is answered with 404, and the project's key stays taken.",
	}, a.deleteProject)
	rest.Register(r, rest.Operation{
		ID: "list-project-members", Method: http.MethodGet, Path: "/v1/projects/{id}/members", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsRead}, Errors: []int{404},
		Summary: "List a project's members", Description: "Who works on it, first come first. What they may do is the policy's to say.",
	}, a.listMembers)
	rest.Register(r, rest.Operation{
		ID: "add-project-member", Method: http.MethodPut, Path: "/v1/projects/{id}/members/{user_id}", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsWrite}, Status: http.StatusNoContent, Errors: []int{404},
		Summary: "Add a member to a project", Description: "Nothing changes if the person is one. Whether there is such a person is not looked up.",
	}, a.addMember)
	rest.Register(r, rest.Operation{
		ID: "remove-project-member", Method: http.MethodDelete, Path: "/v1/projects/{id}/members/{user_id}", Tag: "projects", Scope: scope, Needs: rest.Needs{task.ProjectsWrite}, Status: http.StatusNoContent, Errors: []int{404},
		Summary: "Remove a member from a project", Description: "Nothing changes if the person is none.",
	}, a.removeMember)
}

type projectOutput struct {
	ETag     string `header:"ETag" doc:"The version"`
	Location string `header:"Location" doc:"Where it is, when it was created"`
	Body     task.Project
}

func showProject(p task.Project, err error) (*projectOutput, error) {
	return &projectOutput{ETag: rest.ETag(p.Version), Body: p}, err
}

func (a *api) createProject(ctx context.Context, who identity.Caller, in *struct{ Body task.ProjectDraft }) (*projectOutput, error) {
	out, err := showProject(a.tasks.CreateProject(ctx, who, in.Body))
	out.Location = "/tasks/v1/projects/" + out.Body.ID.String()
	return out, err
}

func (a *api) getProject(ctx context.Context, who identity.Caller, in *ByID) (*projectOutput, error) {
	return showProject(a.tasks.Project(ctx, who, in.ID))
}

type projectPage struct{ Body rest.Page[task.Project] }

func (a *api) listProjects(ctx context.Context, who identity.Caller, in *rest.PageInput) (*projectPage, error) {
	r, err := a.cursors.Request(who, "projects", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.Projects(ctx, who, r)
	return &projectPage{rest.PageOf(a.cursors, who, "projects", got)}, err
}

// ProjectPatch is the body of an update.
type ProjectPatch struct {
	Name        rest.Optional[string]        `json:"name,omitempty" minLength:"1" maxLength:"200" example:"The office move"`
	Description rest.Optional[string]        `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Until May"`
	Statuses    rest.Optional[[]task.Status] `json:"statuses,omitempty" minItems:"1" maxItems:"30" doc:"All of them; one that a task has cannot go" example:"[{\"name\":\"open\",\"next\":[\"done\"]},{\"name\":\"done\",\"next\":[\"open\"]}]"`
	Archived    rest.Optional[bool]          `json:"archived,omitempty" doc:"Whether its tasks stay as they are" example:"false"`
}

type updateProjectInput struct {
	ByID
	rest.IfMatch
	Body ProjectPatch
}

func (a *api) updateProject(ctx context.Context, who identity.Caller, in *updateProjectInput) (*projectOutput, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showProject(a.tasks.ChangeProject(ctx, who, in.ID, version, task.ProjectPatch{
		Name: in.Body.Name.Field, Description: in.Body.Description.Field, Statuses: in.Body.Statuses.Field, Archived: in.Body.Archived.Field,
	}))
}

func (a *api) deleteProject(ctx context.Context, who identity.Caller, in *Versioned) (*struct{}, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return nil, a.tasks.DeleteProject(ctx, who, in.ID, version)
}

type membersInput struct {
	ByID
	rest.PageInput
}

type memberPage struct{ Body rest.Page[task.Member] }

func (a *api) listMembers(ctx context.Context, who identity.Caller, in *membersInput) (*memberPage, error) {
	list := "members of " + in.ID.String()
	r, err := a.cursors.Request(who, list, in.PageInput)
	if err != nil {
		return nil, err
	}
	got, err := a.tasks.Members(ctx, who, in.ID, r)
	return &memberPage{rest.PageOf(a.cursors, who, list, got)}, err
}

type memberInput struct {
	ByID
	UserID uuid.UUID `path:"user_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
}

func (a *api) addMember(ctx context.Context, who identity.Caller, in *memberInput) (*struct{}, error) {
	return nil, a.tasks.AddMember(ctx, who, in.ID, in.UserID)
}

func (a *api) removeMember(ctx context.Context, who identity.Caller, in *memberInput) (*struct{}, error) {
	return nil, a.tasks.RemoveMember(ctx, who, in.ID, in.UserID)
}
