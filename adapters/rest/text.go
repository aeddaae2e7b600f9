package rest

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
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

// legible unescapes what the path names (chi routes by the path as it was sent)
// and answers 400 where a parameter is no text: no store keeps it, so that one
// would find nothing where another fails, and url.Values drops what it cannot read.
// Like a name that comes twice in a body, one that comes twice in a query is refused.
func (a *API) legible(ctx huma.Context, next func(huma.Context)) {
	r, _ := humachi.Unwrap(ctx)
	where := illegibleQuery(r.URL.RawQuery)
	params := chi.RouteContext(r.Context()).URLParams
	for i, v := range params.Values {
		ok := true
		if r.URL.RawPath != "" {
			params.Values[i], ok = unescaped(v, url.PathUnescape)
		}
		if !ok || !isText(params.Values[i]) {
			where = "path." + params.Keys[i]
		}
	}
	if where != "" {
		_ = huma.WriteErr(a.huma, ctx, http.StatusBadRequest, "the address is not as it has to be",
			&huma.ErrorDetail{Location: where, Message: "UTF-8 without NUL is wanted, escaped as an address asks for (RFC 3986)"})
		return
	}
	for name, values := range r.URL.Query() {
		message := ""
		switch {
		case len(values) > 1: // of which one would be taken, and another by another parser
			message = "it is there more than once"
		case values[0] == "" && !takesEmpty(ctx.Operation(), name):
			message = "it is empty: name a value, or leave the parameter out"
		default:
			continue
		}
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Location: "query." + name, Message: message})
		return
	}
	next(ctx)
}

// takesEmpty reports whether a parameter may be there without a value: only one
// that is a text like any other. huma would take it for left out, so that a
// client that lost a value would ask for everything.
func takesEmpty(op *huma.Operation, name string) bool {
	for _, p := range op.Parameters {
		if p.In == "query" && p.Name == name {
			return p.Schema.Type == huma.TypeString && p.Schema.Format == "" && len(p.Schema.Enum) == 0
		}
	}
	return true // there is no such parameter, which is for huma to say
}

// illegibleQuery returns the first parameter that is no text, or nothing. A
// semicolon parts no parameters (as url.ParseQuery has it), but hides those after it.
func illegibleQuery(raw string) string {
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		name, named := unescaped(key, url.QueryUnescape)
		if !named || !isText(name) {
			return "query."
		}
		if value, ok := unescaped(value, url.QueryUnescape); !ok || !isText(value) || strings.Contains(part, ";") {
			return "query." + name
		}
	}
	return ""
}

func unescaped(s string, unescape func(string) (string, error)) (string, bool) {
	plain, err := unescape(s)
	return plain, err == nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
