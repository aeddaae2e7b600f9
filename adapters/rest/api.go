package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Config is what the REST surface of one service needs to know.
type Config struct {
	Service     string // it lives below "/" + Service
	Title       string
	Description string
	Version     string
	PublicURL   string // the gateway, as clients see it
	Verifier    *Verifier
	RateLimit   int      // requests a minute of each client of each tenant; 0: any number
	CORSOrigins []string // from which browsers may call, beside those that a token's client is allowed
	// Ready reports whether the service can work; nil: always.
	Ready func(ctx context.Context) error
	// PolicyVersion returns the version of the policy of who's tenant, for every
	// problem to tell; nil: none does.
	PolicyVersion func(ctx context.Context, who identity.Caller) (int64, error)
}

// API is the REST surface of one service.
type API struct {
	cfg    Config
	router *chi.Mux
	huma   huma.API
	quotas *quotas
	turns  *semaphore.Weighted   // in values of JSON
	room   *room                 // of files
	shown  map[string]func() any // by readiness

	complete sync.Once
	plain    map[string][]string // the methods of each path without parameters
}

// Operation is what a client must know of an operation.
type Operation struct {
	ID, Method  string
	Path        string // below "/" + Config.Service: "/v1/tasks/{id}"
	Summary     string
	Description string
	Tag         string
	Scope       string   // the token must hold it
	Needs       Needs    // the caller must hold it all; documented, and decided by the use case
	Public      bool     // no token is asked for
	Internal    bool     // for our own services alone: the scope is platform, and no document shows it
	Status      int      // of success; 200 if zero
	Unmade      string   // describes 200 beside Status: what is asked for was there
	Errors      []int    // beyond those that every operation has
	Produces    []string // of a Stream: its media types
	Consumes    string   // the body's media type; JSON if empty
	Example     string   // of the body, where putting its fields' examples together makes no sense
	MaxBody     int64    // in bytes; 1 MiB if zero
}

// Needs are permissions. The document shows them as x-permission, so that a
// client sees, and a test can try, who may do what.
type Needs []access.Permission

// needing has a denial by the policy name what the operation needs: whoever has
// to ask for a role has to know for which.
func (op Operation) needing(err error) error {
	if len(op.Needs) == 0 || !errors.Is(err, access.ErrForbidden()) {
		return err
	}
	needs := make([]string, len(op.Needs))
	for i, p := range op.Needs {
		needs[i] = string(p)
	}
	return fault.New(fault.Forbidden, "forbidden", "the policy does not allow this, which takes "+strings.Join(needs, " and "))
}

// What huma keeps for the whole process is set before anything else runs.
func init() {
	problemsAt("http://localhost:8080")
	huma.ValidateStrictCasing = true
	validation.MsgExpectedMaximumNumber = "expected number <= %.15g" // not 1e+06
	huma.NewErrorWithContext = fromHuma
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(nil, status, msg, errs...)
	}
}

// New returns a surface without operations.
func New(cfg Config) *API {
	problemsAt(cfg.PublicURL)
	a := &API{cfg: cfg, router: chi.NewMux(), quotas: newQuotas(cfg.RateLimit), turns: semaphore.NewWeighted(maxValues), room: newRoom(), shown: map[string]func() any{}, plain: map[string][]string{}}
	a.router.Use(requestID, observe(cfg.Service), compress, notModified, recoverPanic, a.crossOrigin(), middleware.GetHead)
	a.router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		WriteProblem(w, r, fault.New(fault.NotFound, "no_such_path", "there is nothing at this path"))
	})
	a.router.MethodNotAllowed(a.methodNotAllowed)
	c := humaConfig(cfg)
	c.Transformers = []huma.Transformer{a.linkNext, a.dateProblem}
	a.huma = humachi.New(a.router, c)
	a.router.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	a.router.Get("/readyz", a.readyz)
	a.router.Get("/"+cfg.Service+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_ = json.NewEncoder(w).Encode(a.OpenAPI()) // the client is gone if this fails
	})
	return a
}

func humaConfig(cfg Config) huma.Config {
	c := huma.DefaultConfig(cfg.Title, cfg.Version)
	c.Info.Description = cfg.Description
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Info.Contact = &huma.Contact{Name: "Bailiwick", URL: cfg.PublicURL + "/docs/"}
	c.Servers = []*huma.Server{{URL: cfg.PublicURL, Description: "The gateway"}}
	c.CreateHooks = nil // no $schema in bodies and SDKs
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	c.RejectUnknownQueryParameters = true
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[id]())
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"oauth2": {
		Type: "oauth2", Description: "Access tokens are JWTs (RFC 9068) of the auth service.",
		Flows: &huma.OAuthFlows{
			AuthorizationCode: &huma.OAuthFlow{AuthorizationURL: cfg.PublicURL + "/auth/authorize", TokenURL: cfg.PublicURL + "/auth/token", RefreshURL: cfg.PublicURL + "/auth/token", Scopes: scopes},
			ClientCredentials: &huma.OAuthFlow{TokenURL: cfg.PublicURL + "/auth/token", Scopes: scopes},
		},
	}}
	return c
}

// id is how the document shows a uuid.UUID wherever it stands, also in a list.
type id struct{}

// Schema implements huma.SchemaProvider.
func (id) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid"}
}

var scopes = map[string]string{
	"auth": "OAuth clients", "users": "the tenant, its people and invitations", "authz": "roles and assignments",
	"tasks": "projects, tasks and comments", "reports": "reports"}

// Handler serves the surface.
func (a *API) Handler() http.Handler {
	a.complete.Do(a.refuseOthers)
	return a.router
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// refuseOthers has a path without parameters refuse the methods that it has not
// itself, where one with a parameter in the same place has them: no "acceptance"
// is an id.
func (a *API) refuseOthers() {
	for _, r := range a.router.Routes() {
		if strings.ContainsAny(r.Pattern, "{*") {
			continue
		}
		own := slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return r.Handlers[m] == nil })
		a.plain[r.Pattern] = own
		for _, m := range methods {
			if r.Handlers[m] == nil && a.router.Match(chi.NewRouteContext(), m, r.Pattern) {
				a.router.MethodFunc(m, r.Pattern, a.methodNotAllowed)
			}
		}
	}
}

// Router takes handlers that no OpenAPI operation describes: protocol
// endpoints, pages, large streams.
func (a *API) Router() chi.Router { return a.router }

// OpenAPI returns the document (OpenAPI 3.1).
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// Register adds an operation. h is handed the caller, whose token was verified
// and holds op.Scope; of a public operation, the zero Caller with its Request.
func Register[I, O any](a *API, op Operation, h func(ctx context.Context, who identity.Caller, in *I) (*O, error)) {
	o := a.operation(op)
	o.Responses = map[string]*huma.Response{}
	if versioned[O](op.Method) {
		o.Parameters = append(o.Parameters, &huma.Param{Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The ETag of the version at hand: if it is the current one, the answer is 304"})
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		var out *O
		call := func() (err error) {
			out, err = h(ctx, Caller(ctx), in)
			return err
		}
		var err error
		if m, lists := any(in).(interface{ each(do func() error) error }); lists {
			err = m.each(call)
		} else {
			err = call()
		}
		if err != nil {
			return nil, problemOf(op.needing(err), RequestID(ctx))
		}
		return out, nil
	})
	describe[O](&o, !op.Public)
	if op.Unmade != "" {
		same := *o.Responses[strconv.Itoa(op.Status)]
		same.Description = op.Unmade
		o.Responses["200"] = &same
	}
	if op.Method == http.MethodPatch {
		o.RequestBody.Content[mergePatchType].Schema = o.RequestBody.Content[jsonType].Schema
	}
	exemplify(&o, op)
}

// Stream adds an operation whose answer h writes itself, as it comes into
// being. A failure before the first byte is a problem; one after it breaks the
// connection off, so that nobody takes a part for the whole.
func Stream[I any](a *API, op Operation, h func(w http.ResponseWriter, r *http.Request, who identity.Caller, in *I) error) {
	o := a.operation(op)
	content := map[string]*huma.MediaType{}
	for _, t := range op.Produces {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: content}}
	huma.Register(a.huma, o, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, plain := humachi.Unwrap(hc)
			w := middleware.NewWrapResponseWriter(steady{plain}, r.ProtoMajor)
			switch err := h(w, r, Caller(hc.Context()), in); {
			case err != nil && w.Status() == 0:
				WriteProblem(w, r, op.needing(err))
			case err != nil:
				slog.Error("stream failed", "request_id", RequestID(r.Context()), "error", err)
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
	describe[struct{}](&o, !op.Public)
}

// steady breaks a stream off when nobody takes the next part of it for as long
// as slowReader: what it comes from may be needed by others.
type steady struct{ http.ResponseWriter }

// Unwrap leads http.ResponseController to what is below.
func (s steady) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Write implements io.Writer.
func (s steady) Write(p []byte) (int, error) {
	_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(time.Now().Add(slowReader)) // a test's recorder has none
	return s.ResponseWriter.Write(p)
}

func (a *API) operation(op Operation) huma.Operation {
	if op.Internal {
		op.Scope = identity.PlatformScope
	}
	o := huma.Operation{
		Hidden:      op.Internal,
		OperationID: op.ID, Method: op.Method, Path: "/" + a.cfg.Service + op.Path,
		Summary: op.Summary, Description: op.Description, Tags: []string{op.Tag},
		DefaultStatus: op.Status, Errors: append([]int{400, 406, 500, 503}, op.Errors...),
		Middlewares: huma.Middlewares{a.legible, a.unpacked, a.negotiate(op.Produces)},
	}
	if !op.Internal {
		a.tag(op.Tag)
	}
	if len(op.Needs) > 0 {
		o.Extensions = map[string]any{"x-permission": op.Needs}
	}
	if op.Method != http.MethodGet {
		o.Errors = append(o.Errors, 408, 413, 415, 422)
		o.Parameters = append(o.Parameters, &huma.Param{
			Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: "string", MinLength: ptr(1), MaxLength: ptr(255)},
			Description: "Makes the write happen once: a repetition with the same key is given the first answer. A random one for each write, such as a UUID.", // an example would be sent from the documentation's page, for every write
		})
	} else {
		o.Errors = append(o.Errors, 422)
	}
	o.MaxBodyBytes = cmp.Or(op.MaxBody, maxBody)
	o.BodyReadTimeout = patience * time.Duration(o.MaxBodyBytes/maxBody)
	if op.Consumes != "" {
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{op.Consumes: {}}}
	}
	if op.Method == http.MethodPatch {
		o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{mergePatchType: {}}}
	}
	if op.Example != "" && o.RequestBody == nil {
		o.RequestBody = &huma.RequestBody{}
	}
	if op.Public {
		o.Security = []map[string][]string{}
	} else {
		o.Errors = append(o.Errors, 401, 403, 429)
		o.Security = []map[string][]string{{"oauth2": {op.Scope}}}
		o.Middlewares = append(huma.Middlewares{a.authenticate(op.Scope)}, o.Middlewares...) // first: who may not ask is told nothing else
	}
	if op.Method != http.MethodGet {
		o.Middlewares = append(o.Middlewares, a.consume)
		bounded := a.takeTurns
		if op.Consumes != "" {
			bounded = a.takeRoom
		}
		o.Middlewares = append(o.Middlewares, bounded(o), a.once(o))
	}
	return o
}

var tags = map[string]string{
	"clients": "OAuth clients: programs that get tokens.", "sessions": "Where the caller is logged in.", "audit": "What happened in the tenant.", "invitations": "How people join a tenant.", "registrations": "How a company becomes a tenant.",
	"tenant": "The caller's own.", "users": "People of the tenant.", "roles": "What people and clients may do, by name.",
	"permissions": "What a role can hold.", "assignments": "Who has which role.", "decisions": "Whether somebody may do something.", "policy": "All of the above as one.",
	"projects": "What tasks belong to.", "tasks": "What is to be done.", "comments": "What people say about a task.", "reports": "Tasks as PDF, XLSX and CSV files.",
}

func (a *API) tag(name string) {
	for _, t := range a.OpenAPI().Tags {
		if t.Name == name {
			return
		}
	}
	a.OpenAPI().Tags = append(a.OpenAPI().Tags, &huma.Tag{Name: name, Description: tags[name]})
}

func ptr[T any](v T) *T { return &v }

func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	if a.cfg.Ready != nil {
		if err := a.cfg.Ready(r.Context()); err != nil {
			WriteProblem(w, r, fault.Wrap(fault.Unavailable, "not_ready", "the service is not ready", err))
			return
		}
	}
	all := map[string]any{}
	for part, status := range a.shown {
		all[part] = status()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // the client is gone if this fails
}

// Show has readiness tell how a part of the service is. It does not make the
// service unready: it could do nothing better elsewhere.
func (a *API) Show(part string, status func() any) { a.shown[part] = status }

// methodNotAllowed answers 405 and names the methods that the path has
// (RFC 9110, section 15.5.6).
func (a *API) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	path := cmp.Or(r.URL.RawPath, r.URL.Path)
	allowed, plain := a.plain[path]
	if !plain {
		allowed = slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return !a.router.Match(chi.NewRouteContext(), m, path) })
	}
	// Where there is a GET there is a HEAD.
	w.Header().Set("Allow", strings.Replace(strings.Join(allowed, ", "), http.MethodGet, http.MethodGet+", "+http.MethodHead, 1))
	p := newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "this path has no such method")
	WriteProblem(w, r, p)
}
