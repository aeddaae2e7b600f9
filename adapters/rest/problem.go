package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Problem is a failure as RFC 9457 shows it. It never repeats the input.
type Problem struct {
	Type      string         `json:"type" format:"uri" doc:"Names the kind of problem; stable" example:"http://localhost:8080/docs/problems#not_found"`
	Title     string         `json:"title" doc:"The kind of problem for people" example:"Not Found"`
	Status    int            `json:"status" doc:"The HTTP status" example:"404"`
	Detail    string         `json:"detail,omitempty" doc:"This occurrence, for people" example:"there is no such thing"`
	RequestID string         `json:"request_id,omitempty" doc:"Finds the request in the logs" example:"0199a1b2-0000-7000-8000-000000000001"`
	Errors    []ProblemField `json:"errors,omitempty" nullable:"false" doc:"What is wrong where: the first 100 mistakes"`
	// PolicyVersion is told by the service that Config.PolicyVersion is set for.
	PolicyVersion *int64 `json:"policy_version,omitempty" doc:"From authz alone: the version of the tenant's policy, where the caller was known and the server could tell" example:"7"`

	header http.Header
}

// ProblemField says what is wrong with one part of the input.
type ProblemField struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer (RFC 6901) into the request body" example:"/title"`
	Parameter string `json:"parameter,omitempty" doc:"The query, path or header parameter" example:"limit"`
	Position  int    `json:"position,omitempty" doc:"Where in the parameter's text, in characters from 1; in a body that cannot be read, in bytes from 1" example:"17"`
	Code      string `json:"code" doc:"Stable" example:"required"`
	Detail    string `json:"detail" doc:"For people" example:"a task has a title"`
}

// Error implements error; GetStatus, GetHeaders and ContentType are huma's hooks.
func (p *Problem) Error() string             { return p.Title + ": " + p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) GetHeaders() http.Header   { return p.header }
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var statusOf = map[fault.Kind]int{
	fault.Internal:             http.StatusInternalServerError,
	fault.Invalid:              http.StatusUnprocessableEntity,
	fault.Unauthenticated:      http.StatusUnauthorized,
	fault.Forbidden:            http.StatusForbidden,
	fault.NotFound:             http.StatusNotFound,
	fault.Conflict:             http.StatusConflict,
	fault.Precondition:         http.StatusPreconditionFailed,
	fault.PreconditionRequired: http.StatusPreconditionRequired,
	fault.Throttled:            http.StatusTooManyRequests,
	fault.Unavailable:          http.StatusServiceUnavailable,
}

// KindOf returns the kind of failure that a response with status tells of: the
// inverse of the map by which a Problem gets its status.
func KindOf(status int) fault.Kind {
	for k, s := range statusOf {
		if s == status {
			return k
		}
	}
	switch {
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return fault.Unavailable
	case status >= 400 && status < 500:
		return fault.Invalid
	}
	return fault.Internal
}

// logFailure logs why a request failed; that its client has gone is no error.
func logFailure(requestID string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelInfo
	}
	slog.Log(context.Background(), level, "request failed", "request_id", requestID, "error", err)
}

// problemOf tells of err what its caller may know. Anything that is no fault
// is internal: logged here, once, and never shown.
func problemOf(err error, requestID string) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		p.RequestID = requestID
		return p
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "internal", "something went wrong on our side")
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		logFailure(requestID, err)
	}
	p = newProblem(statusOf[f.Kind], f.Code, f.Message)
	p.RequestID = requestID
	for _, x := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Pointer: x.Pointer, Parameter: x.Parameter, Position: x.Position, Code: x.Code, Detail: x.Message})
	}
	switch {
	case f.RetryAfter > 0:
		p.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	case f.Kind == fault.Unavailable || f.Kind == fault.Throttled:
		p.header.Set("Retry-After", "1")
	}
	switch f.Code { // RFC 6750, section 3.1
	case errToken.Code:
		p.header.Set("WWW-Authenticate", `Bearer realm="bailiwick", error="invalid_token"`)
	case errNoToken.Code:
		p.header.Set("WWW-Authenticate", `Bearer realm="bailiwick"`)
	case "insufficient_scope":
		p.header.Set("WWW-Authenticate", `Bearer realm="bailiwick", error="insufficient_scope"`)
	}
	return p
}

// problemBase is the page that explains the problem types; New sets it.
var problemBase atomic.Pointer[string]

func problemsAt(publicURL string) {
	base := publicURL + "/docs/problems#"
	problemBase.Store(&base)
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: *problemBase.Load() + code, Title: http.StatusText(status), Status: status, Detail: detail, header: http.Header{}}
}

// ProblemOf shows a failure of a part of a request, within its answer.
func ProblemOf(ctx context.Context, err error) *Problem { return problemOf(err, RequestID(ctx)) }

// Told is what a page tells a person of a failure.
type Told struct {
	Text   string // a sentence
	Field  string // the JSON pointer of the field that it concerns; empty: none
	Status int
}

// Tell returns what a page may tell of err, and sets the headers that go with
// it: Retry-After (RFC 9110) where trying again later helps.
func Tell(w http.ResponseWriter, r *http.Request, err error) Told {
	p := ProblemOf(r.Context(), err)
	if after := p.header.Get("Retry-After"); after != "" {
		w.Header().Set("Retry-After", after)
	}
	t := Told{Text: sentence(p.Detail), Status: p.Status}
	switch {
	case len(p.Errors) > 0:
		t.Text, t.Field = sentence(p.Errors[0].Detail), p.Errors[0].Pointer
	case p.Status == http.StatusInternalServerError:
		t.Text = "Something went wrong on our side. Please try again."
	case p.Status == http.StatusServiceUnavailable:
		t.Text = "A part of the server does not answer. Please try again in a moment."
	}
	return t
}

// sentence makes one of a problem's detail, which begins in lower case.
func sentence(detail string) string {
	first, size := utf8.DecodeRuneInString(detail)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(detail[size:], ".") + "."
}

// WriteProblem answers a request outside huma with the problem that err tells of.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	write(w, problemOf(err, RequestID(r.Context())))
}

// refuse is WriteProblem once it is known who asks.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, who identity.Caller, err error) {
	p := problemOf(err, RequestID(r.Context()))
	a.date(r.Context(), who, p)
	write(w, p)
}

// dateProblem is a transformer: all problems that huma writes come through it.
func (a *API) dateProblem(ctx huma.Context, _ string, body any) (any, error) {
	if p, ok := body.(*Problem); ok {
		a.date(ctx.Context(), Caller(ctx.Context()), p)
	}
	return body, nil
}

// date has p tell the version of the caller's policy. A failure of our own tells
// none: what has just failed would be asked again.
func (a *API) date(ctx context.Context, who identity.Caller, p *Problem) {
	if a.cfg.PolicyVersion == nil || who.Tenant == uuid.Nil || p.Status == http.StatusUnauthorized || p.Status >= http.StatusInternalServerError {
		return
	}
	if version, err := a.cfg.PolicyVersion(ctx, who); err == nil {
		p.PolicyVersion = &version
	}
}

func write(w http.ResponseWriter, p *Problem) {
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails
}

// fromHuma replaces huma's own errors, which would show Go errors and repeat
// the input.
func fromHuma(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	id := ""
	if ctx != nil {
		id = RequestID(ctx.Context())
	}
	errs = errs[:min(len(errs), fault.MaxFields)] // else 1 MiB of mistakes would be told in 100
	for _, err := range errs {
		var f *fault.Error
		if errors.As(err, &f) {
			return problemOf(err, id)
		}
	}
	if status >= 500 {
		logFailure(id, errors.Join(append(errs, errors.New(msg))...))
		msg, errs = "something went wrong on our side", nil
	}
	if status == http.StatusUnsupportedMediaType && len(errs) > 0 { // which repeat the type that was sent
		msg, errs = "the body must be application/json", nil
	}
	if status == http.StatusRequestTimeout {
		msg = tooSlow
	}
	p := newProblem(status, codeOf(status), msg)
	p.RequestID = id
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			f := fieldOf(d.ErrorDetail())
			f.Pointer = bounded(f.Pointer)
			p.Errors = append(p.Errors, f)
		}
	}
	return p
}

const maxPointer = 500 // bytes

// bounded points above a name so long that only its sender can have made it up.
func bounded(pointer string) string {
	if len(pointer) > maxPointer {
		pointer = pointer[:maxPointer]
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
	return pointer
}

func codeOf(status int) string {
	if status == http.StatusUnprocessableEntity {
		return "invalid"
	}
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}

// How huma says that a value has another type, and no more; and that there is too
// little or too much of it.
var (
	ofType  = regexp.MustCompile(`^(expected|invalid) (string|number|integer|float|boolean|array|object)$`)
	inRange = regexp.MustCompile(`^expected (number|length|array length) [<>]`)
)

// inWords says what a pattern asks for.
var inWords sync.Map

// Text has a schema want a pattern, of which problems tell in words, and at most so
// many characters.
func Text(s *huma.Schema, pattern, words string, longest int) {
	s.Pattern, s.MaxLength = pattern, &longest
	inWords.Store(pattern, words)
}

// fieldOf turns huma's "body.items[3].name" into a JSON pointer.
func fieldOf(d *huma.ErrorDetail) ProblemField {
	f := ProblemField{Code: "invalid_value", Detail: d.Message}
	if text, ok := strings.CutPrefix(d.Message, wrongBegins); ok && json.Unmarshal([]byte(text), &f) == nil {
		return f
	}
	switch {
	case strings.HasPrefix(d.Message, "unexpected property"), strings.HasPrefix(d.Message, "unknown query"):
		f.Code = "unknown_field"
	case strings.Contains(d.Message, "required"), strings.HasPrefix(d.Message, "expected object with at least"):
		f.Code = "required"
	case d.Message == noUUID, strings.HasPrefix(d.Message, "invalid value: invalid UUID"), strings.HasPrefix(d.Message, "expected string to be RFC 4122 uuid"):
		f.Code, f.Detail = "invalid_format", noUUID
	case strings.HasPrefix(d.Message, "expected string to be RFC 5322 email"):
		f.Code, f.Detail = "invalid_format", "an e-mail address is wanted"
	case strings.HasPrefix(d.Message, "invalid value: "): // and then what the type's own parser says
		f.Code, f.Detail = "invalid_format", "a value of another format is wanted"
	case strings.HasPrefix(d.Message, "expected string to "):
		f.Code = "invalid_format"
		if words, ok := inWords.Load(strings.TrimPrefix(d.Message, "expected string to match pattern ")); ok {
			f.Detail = words.(string)
		}
	case ofType.MatchString(d.Message):
		f.Code = "invalid_type"
	case inRange.MatchString(d.Message):
		f.Code = "out_of_range"
	}
	where, name, within := strings.Cut(d.Location, ".")
	if where != "body" {
		f.Parameter = name
		return f
	}
	if after, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		_, name, within = strings.Cut(d.Location+"."+strings.TrimSuffix(after, " to be present"), ".")
	}
	if within { // a name can be empty
		f.Pointer = "/" + toPointer.Replace(name)
	}
	return f
}

// CodeOf returns the fault's code, which a problem's type ends in.
func CodeOf(p Problem) string {
	_, code, _ := strings.Cut(p.Type, "#")
	return code
}
