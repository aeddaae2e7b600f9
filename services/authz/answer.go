package main

import (
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// ByID is embedded in inputs; huma reads only what is exported.
type ByID struct {
	ID uuid.UUID `path:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
}

// Versioned is the input of an operation that needs no more than a version.
type Versioned struct {
	ByID
	rest.IfMatch
}

// Tagged is embedded in answers that have an ETag: a 304 tells the version by it.
type Tagged struct {
	ETag          string `header:"ETag" doc:"The version"`
	PolicyVersion int64  `header:"Policy-Version" doc:"The version of the policy, as in the body"`
}

// gone is the answer to a deletion.
type gone struct {
	PolicyVersion int64 `header:"Policy-Version" doc:"The version of the policy that was made"`
}

func showGone(version int64, err error) (*gone, error) { return &gone{version}, err }

// Listing is one page of a list, and the version of the policy that was seen.
type Listing[T any] struct {
	rest.Page[T]
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that was seen"`
}

// listed reads a page; name tells this list, with its filters, from all others.
func listed[T any](a *api, who identity.Caller, name string, in rest.PageInput, read func(page.Request) (access.Listing[T], error)) (Listing[T], error) {
	r, err := a.cursors.Request(who, name, in)
	if err != nil {
		return Listing[T]{}, err
	}
	got, err := read(r)
	return Listing[T]{rest.PageOf(a.cursors, who, name, got.Result), got.PolicyVersion}, err
}

// inAddress has err, which points into a body, name the parameter of the
// address instead: the request has no body.
func inAddress(err error, parameter string) error {
	f := fault.As(err)
	if f == nil || len(f.Fields) == 0 {
		return err
	}
	moved := *f
	moved.Fields = slices.Clone(f.Fields)
	for i := range moved.Fields {
		moved.Fields[i].Pointer, moved.Fields[i].Parameter = "", parameter
	}
	return &moved
}
