package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"bailiwick.dev/domain/fault"
)

const requestIDHeader = "X-Request-Id"

type idKey struct{}

// RequestID returns the id under which the request is logged.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

// WithRequestID returns a context under which requests are logged as id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// requestID takes the client's id if it is a plain one, else makes one.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !plainKID(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(WithRequestID(r.Context(), id)))
	})
}

var requests = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name: "http_server_request_duration_seconds", Help: "Duration of HTTP requests by route.",
	Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
}, []string{"service", "method", "route", "status"})

// observe logs and counts each request: by its route, for a path may hold ids,
// and never with its query, which may hold a code.
func observe(service string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() { logRequest(service, r, ww, start) }() // also of what is broken off
			next.ServeHTTP(ww, r)
		})
	}
}

// clientClosedRequest is NGINX's status of a request whose client has gone, which
// is no failure of ours. Nobody is answered with it.
const clientClosedRequest = 499

func logRequest(service string, r *http.Request, w middleware.WrapResponseWriter, start time.Time) {
	took, route := time.Since(start), chi.RouteContext(r.Context()).RoutePattern()
	if strings.HasSuffix(route, "z") && w.Status() < 300 { // health checks are noise
		return
	}
	status := w.Status()
	if status >= 500 && errors.Is(r.Context().Err(), context.Canceled) {
		status = clientClosedRequest
	}
	requests.WithLabelValues(service, knownMethod(r.Method), route, strconv.Itoa(status)).Observe(took.Seconds())
	line := slog.NewRecord(start.Add(took), slog.LevelInfo, "request", 0) // to look for the caller, which is always this, takes longer than the rest
	line.AddAttrs(slog.String("method", r.Method), slog.String("route", route), slog.Int("status", status), slog.Int("bytes", w.BytesWritten()),
		slog.Int64("duration_us", took.Microseconds()), slog.String("request_id", RequestID(r.Context())), slog.String("trace_id", traceID(r)))
	_ = slog.Default().Handler().Handle(r.Context(), line) // nobody could be told
}

// traceID returns the id of the trace that the request belongs to (W3C Trace
// Context), or nothing: a header that breaks the rules is no trace.
func traceID(r *http.Request) string {
	span := trace.SpanContextFromContext(r.Context())
	if !span.IsValid() && r.Header.Get("Traceparent") != "" {
		span = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	}
	if !span.IsValid() {
		return ""
	}
	return span.TraceID().String()
}

// knownMethod keeps strangers from making label values.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

func recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				slog.Error("panic", "request_id", RequestID(r.Context()), "panic", p, "stack", string(debug.Stack()))
				WriteProblem(w, r, fault.New(fault.Internal, "internal", "something went wrong on our side"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
