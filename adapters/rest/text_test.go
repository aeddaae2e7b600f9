package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

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
		if strings.Contains(path, ";") != strings.Contains(string(r.Body), "%3B") {
			t.Errorf("%s is answered %s, want a hint at %%3B for a semicolon alone", path, r.Body)
		}
		if r.Status != http.StatusBadRequest || rest.CodeOf(p) != "bad_request" || len(p.Errors) != 1 || p.Errors[0].Parameter != want || strings.Contains(string(r.Body), "secret") {
			t.Errorf("%s is answered %d %s, want a 400 that names %q", path, r.Status, r.Body, want)
		}
	}
	r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things/a?q=secret&%71=secret", nil)
	if p := resttest.JSON[rest.Problem](t, r.Want(t, http.StatusUnprocessableEntity)); len(p.Errors) != 1 || p.Errors[0].Parameter != "q" || strings.Contains(string(r.Body), "secret") {
		t.Errorf("given twice: %s", r.Body)
	}
	if r := resttest.Do(t, a.Handler(), token, "DELETE", "/things/v1/things/a%2Fb", nil).Want(t, http.StatusMethodNotAllowed); r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("a path with an escaped slash allows %q", r.Header.Get("Allow"))
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

// A parameter without its value is not one that was left out: what a client
// meant to narrow would be everything.
func TestEmptyParameterIsNotLeftOut(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	type in struct {
		rest.PageInput
		ID    uuid.UUID `query:"id" format:"uuid"`
		Since time.Time `query:"since"`
		Trash bool      `query:"trash"`
		By    string    `query:"by" enum:"a,b" default:"a"`
		Q     string    `query:"q" maxLength:"5"`
	}
	called := 0
	op := rest.Operation{ID: "list", Method: "GET", Path: "/v1/things", Tag: "things", Scope: "things", Summary: "List"}
	rest.Register(a, op, func(context.Context, identity.Caller, *in) (*struct{}, error) {
		called++
		return nil, nil
	})
	op.ID, op.Path = "export", "/v1/export"
	rest.Stream(a, op, func(http.ResponseWriter, *http.Request, identity.Caller, *in) error {
		called++
		return nil
	})
	token := issuer.Token(t, caller())
	for _, path := range []string{"/things/v1/things", "/things/v1/export"} {
		for _, name := range []string{"limit", "id", "since", "trash", "by"} {
			for _, query := range []string{name + "=", name, "q=a&" + name + "="} {
				r := resttest.Do(t, a.Handler(), token, "GET", path+"?"+query, nil).Want(t, http.StatusUnprocessableEntity)
				if p := resttest.JSON[rest.Problem](t, r); len(p.Errors) != 1 || p.Errors[0].Parameter != name || p.Errors[0].Code != "invalid_value" {
					t.Errorf("%s?%s is answered %s, want a problem that names %s", path, query, r.Body, name)
				}
			}
		}
		if called > 0 {
			t.Fatalf("%s was called %d times", path, called)
		}
	}
	resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things?q=&cursor=", nil).Want(t, http.StatusNoContent)
	for _, form := range []string{"1", "0", "t", "F", "TRUE", "False", "yes"} {
		r := resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things?trash="+form, nil).Want(t, http.StatusUnprocessableEntity)
		if p := resttest.JSON[rest.Problem](t, r); len(p.Errors) != 1 || p.Errors[0].Parameter != "trash" || p.Errors[0].Code != "invalid_type" {
			t.Errorf("the boolean %s is answered %s", form, r.Body)
		}
	}
	for _, form := range []string{"true", "false"} {
		resttest.Do(t, a.Handler(), token, "GET", "/things/v1/things?trash="+form, nil).Want(t, http.StatusNoContent)
	}
}

// A UUID has several forms; an address and a body, as the document says, have one.
func TestIDsHaveOneForm(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	type in struct {
		ID     uuid.UUID `path:"id" format:"uuid"`
		Parent uuid.UUID `query:"parent" format:"uuid"`
		Body   struct {
			ID     string                   `json:"id,omitempty" format:"uuid"`
			Email  string                   `json:"email,omitempty" format:"idn-email"`
			Owner  uuid.UUID                `json:"owner,omitzero"`
			Parent rest.Nullable[uuid.UUID] `json:"parent,omitempty"`
			Others []*uuid.UUID             `json:"others,omitempty"`
		}
	}
	rest.Register(a, rest.Operation{ID: "change", Method: "PUT", Path: "/v1/things/{id}", Tag: "things", Scope: "things", Summary: "Change"},
		func(context.Context, identity.Caller, *in) (*struct{}, error) { return nil, nil })
	token, id := issuer.Token(t, caller()), uuid.NewString()
	for _, form := range []string{"%7B" + id + "%7D", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), "mine", id[:35] + "x", id + "0"} {
		for name, r := range map[string]resttest.Response{
			"id":     resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+form, `{}`),
			"parent": resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+id+"?parent="+form, `{}`),
		} {
			p := resttest.JSON[rest.Problem](t, r.Want(t, http.StatusUnprocessableEntity))
			if len(p.Errors) != 1 || p.Errors[0].Parameter != name || p.Errors[0].Code != "invalid_format" || !strings.HasPrefix(p.Errors[0].Detail, "a UUID is wanted") {
				t.Errorf("%s %s is answered %s, want a problem that names it and asks for a UUID", name, form, r.Body)
			}
		}
	}
	for _, form := range []string{"{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), "mine"} {
		for body, pointer := range map[string]string{`{"owner":"%s"}`: "/owner", `{"parent":"%s"}`: "/parent", `{"others":["` + id + `","%s"]}`: "/others/1"} {
			r := resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+id, fmt.Sprintf(body, form))
			p := resttest.JSON[rest.Problem](t, r.Want(t, http.StatusUnprocessableEntity))
			if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || p.Errors[0].Code != "invalid_format" || !strings.HasPrefix(p.Errors[0].Detail, "a UUID is wanted") {
				t.Errorf("%s as %s is answered %s", form, pointer, r.Body)
			}
		}
	}
	for body, want := range map[string]string{`{"id":"mine"}`: "a UUID is wanted", `{"email":"Ada Lovelace"}`: "an e-mail address is wanted"} {
		r := resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+id, body)
		if p := resttest.JSON[rest.Problem](t, r.Want(t, http.StatusUnprocessableEntity)); len(p.Errors) != 1 || p.Errors[0].Code != "invalid_format" || !strings.HasPrefix(p.Errors[0].Detail, want) {
			t.Errorf("%s is answered %s, want %s", body, r.Body, want)
		}
	}
	resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+id, `{"owner":null,"parent":null,"others":[]}`).Want(t, http.StatusNoContent)
	resttest.Do(t, a.Handler(), token, "PUT", "/things/v1/things/"+strings.ToUpper(id)+"?parent="+id, `{"id":"`+id+`","email":"gräce@büro.example","owner":"`+strings.ToUpper(id)+`","parent":"`+id+`"}`).Want(t, http.StatusNoContent)
}
