package rest

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-chi/chi/v5"
)

// unpacked answers 415 where a body is compressed, which would be read as no JSON.
func (a *API) unpacked(ctx huma.Context, next func(huma.Context)) {
	if coding := ctx.Header("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		ctx.SetHeader("Accept-Encoding", "identity") // RFC 9110, section 15.5.16
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnsupportedMediaType, "the body must not be compressed")
		return
	}
	next(ctx)
}

const (
	noText      = "UTF-8 without NUL is wanted, escaped as an address asks for (RFC 3986)"
	noSemicolon = "a ; has to be escaped as %3B: some readers of a query part its parameters there"
	noUUID      = "a UUID is wanted: 32 hexadecimal digits in five groups with hyphens between"
)

// legible unescapes what the path names (chi routes by the path as it was sent)
// and answers 400 where a parameter is no text: no store keeps it, so that one
// would find nothing where another fails, and url.Values drops what it cannot read.
// Then it refuses what huma would take for something else.
func (a *API) legible(ctx huma.Context, next func(huma.Context)) {
	r, _ := humachi.Unwrap(ctx)
	where, message := illegibleQuery(r.URL.RawQuery)
	params := chi.RouteContext(r.Context()).URLParams
	for i, v := range params.Values {
		ok := true
		if r.URL.RawPath != "" {
			params.Values[i], ok = unescaped(v, url.PathUnescape)
		}
		if !ok || !IsText(params.Values[i]) {
			where, message = "path."+params.Keys[i], noText
		}
	}
	if where != "" {
		_ = huma.WriteErr(a.huma, ctx, http.StatusBadRequest, "the address is not as it has to be", &huma.ErrorDetail{Location: where, Message: message})
		return
	}
	var mistakes []error
	look := func(in, name string, values ...string) {
		if message := mistaken(ctx.Operation(), in, name, values...); message != "" {
			mistakes = append(mistakes, &huma.ErrorDetail{Location: in + "." + name, Message: message})
		}
	}
	for i, name := range params.Keys {
		look("path", name, params.Values[i])
	}
	for name, values := range r.URL.Query() {
		look("query", name, values...)
	}
	if len(mistakes) > 0 {
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnprocessableEntity, "validation failed", mistakes...)
		return
	}
	next(ctx)
}

// mistaken says why the values of a parameter would be taken for something else.
// Of two values one would be taken, and another by another parser. One that is
// empty would count as left out, so that a client that lost a value would ask
// for everything: only what is a text like any other may be. And a UUID and
// a boolean have other forms, of which an address knows one.
func mistaken(op *huma.Operation, in, name string, values ...string) string {
	if len(values) > 1 {
		return "it is there more than once"
	}
	for _, p := range op.Parameters {
		switch s := p.Schema; {
		case p.In != in || p.Name != name:
		case values[0] == "" && (s.Type != huma.TypeString || s.Format != "" || len(s.Enum) > 0):
			return "it is empty: name a value, or leave the parameter out"
		case s.Format == "uuid" && len(values[0]) != 36:
			return noUUID
		case s.Type == huma.TypeBoolean && values[0] != "true" && values[0] != "false":
			return validation.MsgExpectedBoolean
		}
	}
	return ""
}

// illegibleQuery returns the first parameter that is no text, and why, or
// nothing. A semicolon parts no parameters (as url.ParseQuery has it), but hides
// those after it.
func illegibleQuery(raw string) (where, message string) {
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		name, named := unescaped(key, url.QueryUnescape)
		if !named || !IsText(name) {
			return "query.", noText
		}
		if value, ok := unescaped(value, url.QueryUnescape); !ok || !IsText(value) {
			return "query." + name, noText
		}
		if strings.Contains(part, ";") {
			return "query." + name, noSemicolon
		}
	}
	return "", ""
}

func unescaped(s string, unescape func(string) (string, error)) (string, bool) {
	plain, err := unescape(s)
	return plain, err == nil
}

// IsText reports whether s is UTF-8 without NUL: PostgreSQL keeps nothing else.
func IsText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
