package rest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// A cursor that was not given out is refused, whatever it is.
func FuzzCursor(f *testing.F) {
	c := rest.Cursors{Key: []byte("0123456789abcdef0123456789abcdef")}
	who := identity.Caller{Tenant: uuid.New()}
	good := c.Next(who, "list", &page.Key{ID: uuid.New(), Sort: "a\x00b\x00"})
	for _, s := range []string{good, good[1:], good + "A", "", "AAAA", strings.Repeat("A", 56), "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		r, err := c.Request(who, "list", rest.PageInput{Cursor: cursor})
		if err == nil && cursor != good && r.After != (page.Key{}) {
			t.Errorf("the cursor %q is taken for %+v", cursor, r.After)
		}
	})
}

// A merge patch changes what it names, or is refused; nothing else happens.
func FuzzMergePatch(f *testing.F) {
	issuer := resttest.NewIssuer(f)
	token := issuer.Token(f, identity.Caller{Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"things"}})
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://api.test", Verifier: issuer.Verifier()})
	type patch struct {
		Name rest.Optional[string]  `json:"name,omitempty" maxLength:"5"`
		Note rest.Nullable[string]  `json:"note,omitempty"`
		Tags rest.Optional[[]int64] `json:"tags,omitempty" maxItems:"3"`
	}
	var got *patch
	rest.Register(a, rest.Operation{ID: "patch", Method: "PATCH", Path: "/v1/thing", Tag: "things", Scope: "things", Summary: "Patch"},
		func(_ context.Context, _ identity.Caller, in *struct{ Body patch }) (*struct{}, error) {
			got = &in.Body
			return nil, nil
		})
	for _, s := range []string{`{}`, `{"name":"a","note":null}`, `{"name":null}`, `{"tags":[1,2]}`, `{"NAME":"a"}`, `{"name":"a","name":"b"}`, `[]`, `{"tags":{"a":1}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got = nil
		r := resttest.Do(t, a.Handler(), token, "PATCH", "/things/v1/thing", body)
		switch {
		case r.Status == http.StatusNoContent:
			if got == nil || got.Name.Null || len([]rune(got.Name.To)) > 5 || len(got.Tags.To) > 3 {
				t.Errorf("%q is taken for %+v", body, got)
			}
		case r.Status >= 500 || r.Status < 400 || got != nil:
			t.Errorf("%q is answered %d %s, after %+v", body, r.Status, r.Body, got)
		}
	})
}
