package main

import (
	"context"
	"fmt"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

func (a *api) registerPolicy(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "list-policy-changes", Method: http.MethodGet, Path: "/v1/policy-changes", Tag: "policy", Scope: scope,
		Summary: "List changes of the policy", Description: "Who changed what when, from what to what, oldest first; each made one version. Of those after a version if that is named.",
	}, a.listChanges)
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
