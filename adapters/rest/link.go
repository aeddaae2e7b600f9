package rest

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const linkHelp = `The next page (RFC 8288, rel="next"), where there is one`

func (p Page[T]) next() string { return p.NextCursor }

// linkNext names the next page in a header, for clients that follow links. It
// is a transformer, which huma calls before the first byte of a body.
func (a *API) linkNext(ctx huma.Context, _ string, body any) (any, error) {
	if p, ok := body.(interface{ next() string }); ok && p.next() != "" {
		u := ctx.URL()
		q := u.Query()
		q.Set("cursor", p.next())
		ctx.SetHeader("Link", "<"+strings.TrimSuffix(a.cfg.PublicURL, "/")+u.Path+"?"+q.Encode()+`>; rel="next"`)
	}
	return body, nil
}

// versioned reports whether a method that answers with O tells 304 where the
// client has it.
func versioned[O any](method string) bool {
	_, tagged := reflect.TypeFor[O]().FieldByName("ETag")
	return tagged && method == http.MethodGet
}

// describe adds to an operation's document what every answer like it has.
func describe[O any](o *huma.Operation, limited bool) {
	for code, r := range o.Responses {
		if r.Headers == nil {
			r.Headers = map[string]*huma.Param{}
		}
		if status, err := strconv.Atoi(code); limited && err == nil && status != http.StatusUnauthorized {
			r.Headers["RateLimit"] = header("What is left of the client's quota (draft-ietf-httpapi-ratelimit-headers)", `"client";r=999;t=1`)
			r.Headers["RateLimit-Policy"] = header("The client's quota", `"client";q=1000;w=60`)
		}
		if code == "200" { // an output is shown by several operations, and nothing is at another place but what was made
			delete(r.Headers, "Location")
		}
		if code == "401" {
			r.Headers["WWW-Authenticate"] = header("What is wrong with the token (RFC 6750, section 3)", `Bearer realm="bailiwick", error="invalid_token"`)
		}
		if code == "429" || code == "503" {
			r.Headers["Retry-After"] = header("Seconds after which to try again", "1")
		}
	}
	if versioned[O](o.Method) {
		o.Responses["304"] = &huma.Response{Description: "It is the one that If-None-Match names", Headers: map[string]*huma.Param{"ETag": header("The version", `"1"`)}}
		if policy := o.Responses["200"].Headers["Policy-Version"]; policy != nil {
			o.Responses["304"].Headers["Policy-Version"] = policy
		}
	}
	body, ok := reflect.TypeFor[O]().FieldByName("Body")
	if ok && body.Type.Implements(reflect.TypeFor[interface{ next() string }]()) {
		o.Responses["200"].Headers["Link"] = header(linkHelp, `<http://localhost:8080/tasks/v1/tasks?cursor=AZmhss>; rel="next"`)
	}
}

// exemplify shows an operation's example, which huma leaves out of a raw body.
func exemplify(o *huma.Operation, op Operation) {
	if op.Example == "" {
		return
	}
	for _, m := range o.RequestBody.Content {
		if m.Example = op.Example; op.Consumes == "" {
			m.Example = json.RawMessage(op.Example)
		}
	}
}

func header(description, example string) *huma.Param {
	return &huma.Param{Description: description, Example: example, Schema: &huma.Schema{Type: "string"}}
}
