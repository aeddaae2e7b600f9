package rest_test

import (
	"context"
	"net/http"
	"testing"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// Who is denied something is told for which permission to ask.
func TestDenialNamesWhatIsNeeded(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	op := rest.Operation{ID: "get", Method: "GET", Path: "/v1/get", Tag: "things", Scope: "things", Summary: "Read", Needs: rest.Needs{access.RolesWrite, access.AssignmentsWrite}}
	rest.Register(a, op, func(context.Context, identity.Caller, *struct{}) (*struct{}, error) {
		return nil, access.ErrForbidden()
	})
	op.ID, op.Path, op.Needs = "export", "/v1/export", rest.Needs{access.RolesRead}
	rest.Stream(a, op, func(http.ResponseWriter, *http.Request, identity.Caller, *struct{}) error {
		return access.ErrForbidden()
	})
	op.ID, op.Path, op.Needs = "mine", "/v1/mine", nil
	rest.Register(a, op, func(context.Context, identity.Caller, *struct{}) (*struct{}, error) {
		return nil, access.ErrForbidden()
	})
	for path, want := range map[string]string{
		"get": "the policy does not allow this, which takes roles:write and assignments:write", "export": "the policy does not allow this, which takes roles:read", "mine": "the policy does not allow this",
	} {
		r := resttest.Do(t, a.Handler(), issuer.Token(t, caller()), "GET", "/things/v1/"+path, nil).Want(t, http.StatusForbidden)
		if p := resttest.JSON[rest.Problem](t, r); p.Detail != want || rest.CodeOf(p) != "forbidden" {
			t.Errorf("%s is denied with %s, want %s", path, r.Body, want)
		}
	}
}
