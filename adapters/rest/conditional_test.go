package rest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Any tag of a list may name the current version; the operation compares each
// itself, and is tried no more than it takes (RFC 9110, section 13.1.1).
func TestAnyTagOfAListMatches(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "https://api.test", Verifier: issuer.Verifier()})
	type in struct {
		rest.IfMatch
		Body struct {
			Name string `json:"name"`
		}
	}
	var tried []int64
	rest.Register(a, rest.Operation{ID: "change", Method: "PUT", Path: "/v1/thing", Tag: "things", Scope: "things", Summary: "Change"},
		func(_ context.Context, _ identity.Caller, i *in) (*struct{ Body string }, error) {
			version, err := i.Version()
			if err != nil {
				return nil, err
			}
			switch tried = append(tried, version); version {
			case 3:
				return &struct{ Body string }{i.Body.Name}, nil
			case 4:
				return nil, fault.New(fault.Conflict, "name_taken", "that name is taken")
			}
			return nil, fault.New(fault.Precondition, "precondition_failed", "it has changed since")
		})
	token := issuer.Token(t, caller())
	for tags, want := range map[string]struct{ status, tries int }{
		`"3"`: {200, 1}, `"1", "3"`: {200, 2}, `"3", "1"`: {200, 1}, `"1","2" , "3-gzip"`: {200, 3}, `, "3",`: {200, 1}, `"x", "3"`: {200, 1}, `W/"1", "3"`: {200, 1},
		`"1", "2"`: {412, 2}, `W/"3", "1"`: {412, 1}, `W/"3"`: {412, 0}, `"1", *`: {412, 1}, `*`: {412, 0}, `"1, 3"`: {412, 0},
		`"4", "3"`: {409, 1}, `,`: {412, 0}, ``: {428, 0}, strings.Repeat(`"1", `, 10) + `"3"`: {412, 0},
	} {
		tried = nil
		r := resttest.Do(t, a.Handler(), token, http.MethodPut, "/things/v1/thing", `{"name":"a"}`, "If-Match", tags)
		if r.Status != want.status || len(tried) != want.tries || r.Status == 200 && strings.TrimSpace(string(r.Body)) != `"a"` {
			t.Errorf("If-Match %s is answered %d %s after trying %v, want %d after %d", tags, r.Status, r.Body, tried, want.status, want.tries)
		}
	}
}

// A tag that can never match says why, or its sender would read again and again.
func TestTagThatNeverMatchesSaysWhy(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{`*`: "* names no version", `20`: "double quotes", `"20`: "double quotes", `W/"20"`: "weak tag", `"other"`: "current version"} {
		_, err := rest.IfMatch{IfMatch: tag}.Version()
		if !fault.Is(err, fault.Precondition) || !strings.Contains(err.Error(), want) {
			t.Errorf("If-Match %s is refused with %v, want the words %s", tag, err, want)
		}
	}
}
