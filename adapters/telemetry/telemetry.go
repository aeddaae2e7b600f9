// Package telemetry sets up logs and traces.
package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Traces sends spans by OTLP when OTEL_EXPORTER_OTLP_ENDPOINT or its trace form
// is set, and does nothing otherwise. The caller flushes what is left.
func Traces(ctx context.Context, service string) (flush func(), err error) {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	if !Tracing() {
		return func() {}, nil
	}
	exporter, err := exporter(ctx)
	if err != nil {
		return nil, err
	}
	p := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(resource.NewSchemaless(semconv.ServiceName("bailiwick-"+service))))
	otel.SetTracerProvider(p)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			slog.Warn("spans were lost", "error", err)
		}
	}, nil
}

// exporter fails on an OTEL_* variable that cannot be read, which the library
// would log, with its value, and pass by. A value may be the collector's key.
func exporter(ctx context.Context) (*otlptrace.Exporter, error) {
	var refused bytes.Buffer
	otel.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(&refused, &slog.HandlerOptions{Level: slog.LevelError, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}})))
	defer otel.SetLogger(logr.Discard())
	e, err := otlptracehttp.New(ctx)
	if err == nil && refused.Len() > 0 {
		err = fmt.Errorf("an OTEL_EXPORTER_OTLP_* variable cannot be read: %s", strings.Join(strings.Fields(refused.String()), " "))
	}
	return e, err
}

// Tracing reports whether somebody wants spans.
func Tracing() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}
