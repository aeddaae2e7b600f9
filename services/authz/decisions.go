package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

func (a *api) registerDecisions(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "check", Method: http.MethodPost, Path: "/v1/check", Tag: "decisions", Scope: scope, Errors: []int{409},
		Summary: "Decide", Description: "Whether the caller, or a subject that is named, holds a permission. Asking about others takes assignments:read. " + freshness,
	}, a.check)
	rest.Register(r, rest.Operation{
		ID: "check-batch", Method: http.MethodPost, Path: "/v1/check:batch", Tag: "decisions", Scope: scope, Errors: []int{409},
		Summary: "Decide many times", Description: "By one version of the policy, an answer for each id. An item that cannot be decided is denied and says why; the others are decided all the same. " + freshness,
	}, a.checkBatch)
	rest.Register(r, rest.Operation{
		ID: "explain-check", Method: http.MethodPost, Path: "/v1/check:explain", Tag: "decisions", Scope: scope, Errors: []int{409},
		Summary: "Explain a decision", Description: "By which roles, and over which that they inherit from, a subject holds a permission; or what is missing, and which roles would give it.",
	}, a.explain)
	rest.Register(r, rest.Operation{
		ID: "list-holders", Method: http.MethodGet, Path: "/v1/holders", Tag: "decisions", Scope: scope, Needs: rest.Needs{access.AssignmentsRead},
		Summary: "List who holds a permission", Description: "Everywhere or, if one is named, in a project; and by which role. Whoever has several such roles is there for each. Who may see that of a project names it.",
	}, a.listHolders)
	rest.Register(r, rest.Operation{
		ID: "list-my-permissions", Method: http.MethodGet, Path: "/v1/me/permissions", Tag: "decisions", Scope: scope, Errors: []int{409},
		Summary: "See what the caller holds", Description: "All permissions of the person or client that asks: what an application shows buttons by. " + freshness,
	}, a.myPermissions)
}

const freshness = "The policy is that of a quarter of a second ago at most, and with min_version that version or a later one: so a writer sees its own write. 409 while there is no such version."

// Check asks for one decision. Its schema refuses nothing, so that one of many
// that is malformed leaves the others alone.
type Check struct {
	Permission  access.Permission `json:"permission" example:"tasks:write" doc:"One that nobody knows is held by nobody"`
	SubjectKind string            `json:"subject_kind,omitempty" example:"user" doc:"user or client; left out: the caller"`
	SubjectID   string            `json:"subject_id,omitempty" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009" doc:"The user's id or the client_id"`
	ProjectID   string            `json:"project_id,omitempty" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"Roles given for this project alone count too; left out: they do not"`
}

func (c Check) question() (q access.Question, err error) {
	q.Permission = c.Permission
	if c.ProjectID != "" {
		if q.Project, err = uuid.Parse(c.ProjectID); err != nil {
			return q, fault.InvalidAt("/project_id", "malformed", "a project is named by a UUID")
		}
	}
	if c.SubjectKind == "" && c.SubjectID == "" {
		return q, nil
	}
	s, err := access.ParseSubject(c.SubjectKind, c.SubjectID)
	q.About = &s
	return q, err
}

// CheckRequest asks for a decision by a policy that is not too old.
type CheckRequest struct {
	Check
	MinVersion int64 `json:"min_version,omitempty" minimum:"0" example:"1" doc:"The policy_version that a write answered with; left out: any"`
}

// TransformSchema implements huma.SchemaTransformer: of one question, all that is wrong is refused.
func (CheckRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["subject_kind"].Enum = []any{access.KindUser, access.KindClient}
	s.Properties["project_id"].Format = "uuid"
	longest := 100
	s.Properties["subject_id"].MaxLength = &longest
	return s
}

type checkOutput struct{ Body access.Decision }

func (a *api) check(ctx context.Context, who identity.Caller, in *struct{ Body CheckRequest }) (*checkOutput, error) {
	q, err := in.Body.question()
	if err != nil {
		return nil, err
	}
	d, err := a.access.Check(ctx, who, q, in.Body.MinVersion)
	return &checkOutput{d}, err
}

// CheckItem is one of many questions.
type CheckItem struct {
	ID string `json:"id" minLength:"1" maxLength:"100" example:"row-1" doc:"What the answer is found by"`
	Check
}

// CheckBatch asks for many decisions at once.
type CheckBatch struct {
	Items      []CheckItem `json:"items" nullable:"false" minItems:"1" maxItems:"1000"`
	MinVersion int64       `json:"min_version,omitempty" minimum:"0" example:"1" doc:"The policy_version that a write answered with; left out: any"`
}

// CheckResult is the answer to one of many questions.
type CheckResult struct {
	ID      string             `json:"id" example:"row-1"`
	Allowed bool               `json:"allowed" example:"true" doc:"Whether the subject holds the permission; no if that cannot be told"`
	Error   *rest.ProblemField `json:"error,omitempty" doc:"Why it cannot be told"`
}

// CheckResults are the answers to many questions, in their order.
type CheckResults struct {
	Results       []CheckResult `json:"results" nullable:"false"`
	PolicyVersion int64         `json:"policy_version" example:"7" doc:"The version of the policy that decided all"`
}

type checkBatchOutput struct{ Body CheckResults }

func (a *api) checkBatch(ctx context.Context, who identity.Caller, in *struct{ Body CheckBatch }) (*checkBatchOutput, error) {
	n := len(in.Body.Items)
	results, questions, places := make([]CheckResult, n), make([]access.Question, 0, n), make([]int, 0, n)
	seen := make(map[string]bool, n)
	var c fault.Check
	for i, item := range in.Body.Items {
		if seen[item.ID] {
			c.That(false, fmt.Sprintf("/items/%d/id", i), "duplicate", "two items have this id")
		}
		seen[item.ID], results[i].ID = true, item.ID
		q, err := item.question()
		if err != nil {
			results[i].Error = itemError(i, fault.As(err))
			continue
		}
		questions, places = append(questions, q), append(places, i)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	verdicts, version, err := a.access.CheckAll(ctx, who, questions, in.Body.MinVersion)
	if err != nil {
		return nil, err
	}
	for i, v := range verdicts {
		results[places[i]].Allowed = v.Allowed
		if v.Fault != nil {
			results[places[i]].Error = itemError(places[i], v.Fault)
		}
	}
	return &checkBatchOutput{CheckResults{results, version}}, nil
}

func itemError(i int, f *fault.Error) *rest.ProblemField {
	e := &rest.ProblemField{Pointer: fmt.Sprintf("/items/%d", i), Code: f.Code, Detail: f.Message}
	if len(f.Fields) > 0 {
		e.Pointer, e.Code, e.Detail = e.Pointer+f.Fields[0].Pointer, f.Fields[0].Code, f.Fields[0].Message
	}
	return e
}

type explainOutput struct{ Body access.Explanation }

func (a *api) explain(ctx context.Context, who identity.Caller, in *struct{ Body CheckRequest }) (*explainOutput, error) {
	q, err := in.Body.question()
	if err != nil {
		return nil, err
	}
	e, err := a.access.Explain(ctx, who, q, in.Body.MinVersion)
	return &explainOutput{e}, err
}

type holdersInput struct {
	rest.PageInput
	Permission access.Permission `query:"permission" required:"true" maxLength:"100" example:"tasks:write" doc:"The permission"`
	ProjectID  uuid.UUID         `query:"project_id" format:"uuid" doc:"Those who hold it in this project too; left out: only those who hold it everywhere"`
}

type holdersPage struct{ Body Listing[access.Reason] }

func (a *api) listHolders(ctx context.Context, who identity.Caller, in *holdersInput) (*holdersPage, error) {
	got, err := listed(a, who, fmt.Sprintf("holders %q %s", in.Permission, in.ProjectID), in.PageInput, func(r page.Request) (access.Listing[access.Reason], error) {
		return a.access.Holders(ctx, who, in.Permission, in.ProjectID, r)
	})
	return &holdersPage{got}, err
}

type mineInput struct {
	ProjectID  uuid.UUID `query:"project_id" format:"uuid" doc:"Roles given for this project alone count too; left out: they do not"`
	MinVersion int64     `query:"min_version" minimum:"0" doc:"The policy_version that a write answered with; left out: any"`
}

type mineOutput struct{ Body access.Held }

func (a *api) myPermissions(ctx context.Context, who identity.Caller, in *mineInput) (*mineOutput, error) {
	held, err := a.access.Mine(ctx, who, in.ProjectID, in.MinVersion)
	return &mineOutput{held}, err
}
