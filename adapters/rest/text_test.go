package rest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/identity"
)

// What is no text in the address is refused with the parameter's name and
// without its value, before the operation sees anything of it.
func TestParametersAreText(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	type in struct {
		Name string `path:"name"`
		Q    string `query:"q"`
	}
	var got *in
	rest.Register(a, rest.Operation{ID: "get-thing", Method: "GET", Path: "/v1/things/{name}", Tag: "things", Scope: "things", Summary: "Read"},
		func(_ context.Context, _ identity.Caller, i *in) (*struct{}, error) {
			got = i
			return nil, nil
		})
	token := issuer.Token(t, caller())
	for path, want := range map[string]string{
		"secret?q=secret%ff": "q", "secret?q=secret%00": "q", "secret?q=a&q=%C3": "q", "secret?q=secret%zz": "q", "secret?q=a;b=secret": "q", "secret?q=\xff": "q",
		"secret%ff?q=a": "name", "secret%FF?q=a": "name", "secret%00": "name", "%c0%af": "name", "secret?%ffsecret=a": "", "secret?%zz=secret": "",
	} {
		r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things/"+path, nil)
		p := resttest.JSON[rest.Problem](t, r)
		if r.Status != http.StatusBadRequest || rest.CodeOf(p) != "bad_request" || len(p.Errors) != 1 || p.Errors[0].Parameter != want || strings.Contains(string(r.Body), "secret") {
			t.Errorf("%s is answered %d %s, want a 400 that names %q", path, r.Status, r.Body, want)
		}
	}
	r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things/a?q=secret&%71=secret", nil)
	if p := resttest.JSON[rest.Problem](t, r.Want(t, http.StatusUnprocessableEntity)); len(p.Errors) != 1 || p.Errors[0].Parameter != "q" || strings.Contains(string(r.Body), "secret") {
		t.Errorf("given twice: %s", r.Body)
	}
	if got != nil {
		t.Fatalf("the operation was given %q", *got)
	}
	for path, want := range map[string]in{
		"a%2Fb?q=%E2%82%AC+%3B": {"a/b", "€ ;"}, "%E2%82%AC?q=": {"€", ""}, "a%41": {"aA", ""}, "a?&q=b&": {"a", "b"},
	} {
		resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things/"+path, nil).Want(t, http.StatusNoContent)
		if got == nil || *got != want {
			t.Errorf("%s is read as %q, want %q", path, got, want)
		}
	}
}
