package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

type contextKey int

const (
	callerKey contextKey = iota
	onceKey
)

const (
	idempotencyKey = "Idempotency-Key"
	jsonType       = "application/json"
	mergePatchType = "application/merge-patch+json" // RFC 7396
	maxBody        = 1 << 20
	// patience is how long a client may take to send each MiB of the largest body
	// that an operation takes.
	patience = 5 * time.Second
	// slowReader is how long a client may leave a part of a stream unread.
	slowReader = 30 * time.Second
)

// Caller returns who asks, where the request passed authentication; it is for
// the edge alone, which hands it down as a parameter.
func Caller(ctx context.Context) identity.Caller {
	who, _ := ctx.Value(callerKey).(identity.Caller)
	who.Request.ID = RequestID(ctx)
	who.Request.Once, _ = ctx.Value(onceKey).(*identity.Once)
	return who
}

// authenticate lets only bearers of a token with scope pass.
func (a *API) authenticate(scope string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		who, err := a.admit(w, r, scope)
		if err != nil {
			a.refuse(w, r, who, err) // huma.WriteErr leaves out the headers
			return
		}
		next(huma.WithValue(ctx, callerKey, who))
	}
}

// Authenticate is authenticate for handlers on Router.
func (a *API) Authenticate(scope string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, err := a.admit(w, r, scope)
			if err != nil {
				WriteProblem(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey, who)))
		})
	}
}

// admit returns the caller whose token holds scope and whose quota is not used up.
func (a *API) admit(w http.ResponseWriter, r *http.Request, scope string) (identity.Caller, error) {
	v, err := a.identify(r)
	if err == nil && !v.who.HasScope(scope) {
		err = fault.New(fault.Forbidden, "insufficient_scope", "the token lacks the scope "+scope)
	}
	if err != nil {
		return v.who, err
	}
	w.Header().Set("Cache-Control", "private, no-cache") // who may read it is asked each time
	return v.who, a.quotas.take(v.who, w.Header(), time.Now())
}

func (a *API) identify(r *http.Request) (verified, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") { // none, or another, which is no bad token (RFC 6750, section 3.1)
		return verified{}, errNoToken
	}
	if a.cfg.Verifier == nil {
		return verified{}, errToken
	}
	return a.cfg.Verifier.verify(r.Context(), token)
}

// negotiate answers 406 to a client that takes neither JSON nor what the
// operation produces. huma's own knows no wildcards and breaks without an
// Accept header.
func (a *API) negotiate(produces []string) func(huma.Context, func(huma.Context)) {
	if len(produces) > 0 { // whatever is streamed is bytes too, which is all that many downloaders ask for
		produces = append([]string{"application/octet-stream"}, produces...)
	}
	produces = append([]string{"application/json", "application/problem+json"}, produces...)
	return func(ctx huma.Context, next func(huma.Context)) {
		if !Accepts(ctx.Header("Accept"), produces...) {
			_ = huma.WriteErr(a.huma, ctx, http.StatusNotAcceptable, "answers come as "+strings.Join(produces, ", "))
			return
		}
		next(ctx)
	}
}

// Accepts reports whether an Accept header takes one of the media types.
func Accepts(accept string, produces ...string) bool {
	if strings.TrimSpace(accept) == "" {
		return true
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if q := strings.ReplaceAll(params, " ", ""); q == "q=0" || strings.HasPrefix(q, "q=0.0") && strings.Trim(q[3:], "0.") == "" {
			continue
		}
		kind = strings.ToLower(strings.TrimSpace(kind))
		group, wild := strings.CutSuffix(kind, "/*")
		for _, p := range produces {
			if kind == "*/*" || kind == p || wild && strings.HasPrefix(p, group+"/") {
				return true
			}
		}
	}
	return false
}

// consume answers 415 to a body of another media type than the operation takes,
// or of text that is not in UTF-8. JSON need not be named, and is in UTF-8
// whatever is said (RFC 8259, sections 8.1 and 11).
func (a *API) consume(ctx huma.Context, next func(huma.Context)) {
	sent, body := ctx.Header("Content-Type"), ctx.Operation().RequestBody
	if body == nil || sent == "" && body.Content[jsonType] != nil {
		next(ctx)
		return
	}
	is, params, err := mime.ParseMediaType(sent)
	switch charset, named := params["charset"]; {
	case err != nil || body.Content[is] == nil:
		takes := strings.Join(slices.Sorted(maps.Keys(body.Content)), ", ")
		ctx.SetHeader("Accept", takes) // RFC 9110, section 15.5.16
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnsupportedMediaType, "the body must be "+takes)
	case named && strings.HasPrefix(is, "text/") && !strings.EqualFold(charset, "utf-8"):
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnsupportedMediaType, "the body must be in UTF-8")
	default:
		next(ctx)
	}
}

// once takes the fingerprint of a request that names an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header).
func (a *API) once(op huma.Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		keys := r.Header.Values(idempotencyKey)
		if len(keys) == 0 {
			next(ctx)
			return
		}
		if err := checkKey(keys); err != nil {
			a.refuse(w, r, Caller(ctx.Context()), err)
			return
		}
		o, err := fingerprint(w, r, keys[0], op)
		if err != nil {
			a.refuse(w, r, Caller(ctx.Context()), err)
			return
		}
		next(huma.WithValue(ctx, onceKey, o))
	}
}

// checkKey refuses with 400 what is not one key of 1 to 255 visible ASCII
// characters or spaces, which is all that the draft's string can hold: a write
// must neither fail in the database by its key nor happen as if it had none.
func checkKey(keys []string) error {
	foreign := func(r rune) bool { return r < ' ' || r > '~' }
	if len(keys) == 1 && keys[0] != "" && len(keys[0]) <= 255 && !strings.ContainsFunc(keys[0], foreign) {
		return nil
	}
	p := newProblem(http.StatusBadRequest, "bad_request", "the Idempotency-Key is malformed")
	p.Errors = []ProblemField{{Parameter: idempotencyKey, Code: "invalid_value", Detail: "one key of 1 to 255 printable ASCII characters is wanted"}}
	return p
}

func fingerprint(w http.ResponseWriter, r *http.Request, key string, op huma.Operation) (*identity.Once, error) {
	body, err := readBody(w, r, op)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("If-Match"), string(body)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return &identity.Once{Key: key, Fingerprint: hex.EncodeToString(h.Sum(nil))}, nil
}
