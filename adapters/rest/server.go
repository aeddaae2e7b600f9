package rest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"bailiwick.dev/adapters/telemetry"
)

const (
	// farewell is how long a stopping server, which takes no new connection,
	// still takes requests on those it has, and asks with each answer for the
	// connection to be given up: one closed while the gateway sends a write on
	// it would lose the write's answer.
	farewell = 500 * time.Millisecond
	// drain is how long it finishes what it began.
	drain = 20 * time.Second
)

// Serve serves a's operations at listen, and metrics at metrics if that is not
// empty, until ctx ends. Then it takes no new connection, finishes the requests
// it has, and returns nil.
func Serve(ctx context.Context, a *API, listen, metrics string) error {
	h := a.Handler()
	if telemetry.Tracing() {
		h = otelhttp.NewHandler(h, a.cfg.Service)
	}
	return ServeHandler(ctx, h, listen, metrics)
}

// ServeHandler is Serve for any handler.
func ServeHandler(ctx context.Context, h http.Handler, listen, metrics string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	var stopping atomic.Bool
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	}))
	failed := make(chan error, 2)
	go func() { failed <- srv.Serve(l) }()
	if metrics != "" {
		m := newServer(operators())
		m.Addr = metrics
		go func() { failed <- m.ListenAndServe() }()
		defer m.Close()
	}
	slog.Info("serving", "listen", l.Addr().String(), "metrics", metrics)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stopping.Store(true)
	if err := l.Close(); err != nil {
		return err
	}
	time.Sleep(farewell)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return errors.Join(err, srv.Close()) // what is still being read is broken off, or its connection to the database would keep the process
	}
	return nil
}

// ServeMetrics serves metrics alone, for a process without an API, until ctx
// ends; at no address it does nothing. The process does its work without them too.
func ServeMetrics(ctx context.Context, listen string) {
	if listen == "" {
		return
	}
	if err := ServeHandler(ctx, operators(), listen, ""); err != nil {
		slog.Error("no metrics", "listen", listen, "error", err)
	}
}

// operators is what a process shows those who run it, at a port that no gateway
// leads to: /metrics for Prometheus, /debug/pprof/ for go tool pprof.
func operators() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:        h,
		ReadTimeout:    8 * time.Second,  // for head and body; operations with larger bodies extend it
		IdleTimeout:    90 * time.Second, // longer than the gateway keeps its own
		MaxHeaderBytes: 160 << 10,        // more than the gateway lets through, which refuses with a problem
		ErrorLog:       slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}
