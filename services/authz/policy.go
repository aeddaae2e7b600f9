package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// maxDocument leaves room for the layout and the escapes of whoever writes a
// document otherwise than an export does.
const maxDocument = access.MaxDocument + 1<<20

func (a *api) registerPolicy(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "export-policy", Method: http.MethodGet, Path: "/v1/policy", Tag: "policy", Scope: scope, Needs: rest.Needs{access.AssignmentsRead},
		Summary: "Export the policy", Description: "Permissions of the tenant's own, roles and assignments as one document. The ETag names the policy's version and how many assignments hold; with it in If-None-Match the answer is 304 until something changes or ends.",
	}, a.exportPolicy)
	rest.Register(r, rest.Operation{
		ID: "import-policy", Method: http.MethodPut, Path: "/v1/policy", Tag: "policy", Scope: scope, Needs: rest.Needs{access.RolesWrite, access.AssignmentsWrite}, Errors: []int{409, 412, 428}, MaxBody: maxDocument,
		Summary: "Import the policy", Description: "Puts a document in the place of the version that If-Match names, all of it or nothing: what it does not name is removed, but for the roles of the platform's own clients. Whatever was exported is taken: a policy is at most 8 MiB and 490,000 values so, a document 9 MiB. Nobody changes in this way what they could not change singly; a new role is named viewer, member, manager or admin only by who holds everything.",
	}, a.importPolicy)
	rest.Register(r, rest.Operation{
		ID: "dry-run-policy", Method: http.MethodPost, Path: "/v1/policy:dry-run", Tag: "policy", Scope: scope, Needs: rest.Needs{access.AssignmentsRead}, Errors: []int{409}, MaxBody: maxDocument,
		Example: `{"put": {"assignments": [{"subject_kind": "user", "subject_id": "0199a1b2-c3d4-7e5f-8a6b-000000000009", "role": "manager", "project_id": "0199a1b2-c3d4-7e5f-8a6b-000000000001"}]}}`,
		Summary: "See what a change would do", Description: "Who would gain and who would lose what: the first 1,000 at most, and how many it would be in all. The change is a document as an import takes it, or names single roles, permissions and assignments that are put or dropped. Nothing is changed.",
	}, a.dryRun)
	rest.Register(r, rest.Operation{
		ID: "list-policy-changes", Method: http.MethodGet, Path: "/v1/policy-changes", Tag: "policy", Scope: scope, Needs: rest.Needs{access.AssignmentsRead},
		Summary: "List changes of the policy", Description: "Who changed what when, from what to what, oldest first; each made one version. Of those after a version if that is named. A page may end early, after an import, which shows two whole policies: whether there is more, next_cursor says.",
	}, a.listChanges)
}

type policyOutput struct {
	Tagged
	Body access.DocumentAnswer
}

// showPolicy tags a policy with its version and with how many assignments hold:
// one that ends by its time makes no version.
func showPolicy(d access.DocumentAnswer, err error) (*policyOutput, error) {
	return &policyOutput{Tagged{fmt.Sprintf(`"%d.%d"`, d.PolicyVersion, len(d.Assignments)), d.PolicyVersion}, d}, err
}

// holding is the end of a tag of showPolicy, with which an import may be asked
// for; what it replaces, the version alone says.
var holding = regexp.MustCompile(`\.\d+(-gzip)?"$`)

func (a *api) exportPolicy(ctx context.Context, who identity.Caller, _ *struct{}) (*policyOutput, error) {
	return showPolicy(a.access.Export(ctx, who))
}

// PolicyImport is a document, which may be just as it was exported.
type PolicyImport struct {
	access.Document
	PolicyVersion int64 `json:"policy_version,omitempty" example:"7" doc:"As in an export; without effect: If-Match says what is replaced"`
}

// PolicyProposal is a proposal, which may be just what was exported.
type PolicyProposal struct {
	access.Proposal
	PolicyVersion int64 `json:"policy_version,omitempty" example:"7" doc:"As in an export; without effect"`
}

type importInput struct {
	rest.IfMatch
	Body PolicyImport
}

func (a *api) importPolicy(ctx context.Context, who identity.Caller, in *importInput) (*policyOutput, error) {
	in.IfMatch.IfMatch = holding.ReplaceAllString(in.IfMatch.IfMatch, `"`)
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return showPolicy(a.access.Import(ctx, who, version, in.Body.Document))
}

type dryRunOutput struct{ Body access.Effect }

func (a *api) dryRun(ctx context.Context, who identity.Caller, in *struct{ Body PolicyProposal }) (*dryRunOutput, error) {
	got, err := a.access.DryRun(ctx, who, in.Body.Proposal)
	return &dryRunOutput{got}, err
}

type listChangesInput struct {
	rest.PageInput
	Since int64 `query:"since" minimum:"0" doc:"Only what happened after this version"`
}

// PolicyChange is an access.Change under a name that no other service uses.
type PolicyChange access.Change

type changePage struct{ Body Listing[PolicyChange] }

func (a *api) listChanges(ctx context.Context, who identity.Caller, in *listChangesInput) (*changePage, error) {
	got, err := listed(a, who, fmt.Sprint("policy-changes ", in.Since), in.PageInput, func(r page.Request) (out access.Listing[PolicyChange], err error) {
		all, err := a.access.Changes(ctx, who, in.Since, r)
		out.Next, out.PolicyVersion = all.Next, all.PolicyVersion
		for _, c := range all.Items {
			out.Items = append(out.Items, PolicyChange(c))
		}
		return out, err
	})
	return &changePage{got}, err
}
