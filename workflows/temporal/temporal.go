// Package temporal connects workflows with a Temporal server: the client, the
// names that an operator searches by, and how a fault becomes an error that
// Temporal knows whether to retry.
package temporal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// The search attributes of every workflow of ours; what is for all tenants has no TenantID.
var (
	TenantID = temporal.NewSearchAttributeKeyKeyword("TenantId")
	Kind     = temporal.NewSearchAttributeKeyKeyword("Kind")
)

// OfTenant has operators find a workflow by its tenant and kind, and the queues
// serve tenants in turn: what one has much of does not hold up another's.
// Temporal does so where matching.enableFairness is set; elsewhere the first
// that comes is served first.
func OfTenant(opts client.StartWorkflowOptions, tenant identity.TenantID, kind string) client.StartWorkflowOptions {
	opts.TypedSearchAttributes = temporal.NewSearchAttributes(TenantID.ValueSet(tenant.String()), Kind.ValueSet(kind))
	opts.Priority = temporal.Priority{FairnessKey: tenant.String()}
	return opts
}

// Connect returns a client of the namespace at address. It connects when it is
// first used, so that a service starts while Temporal is down.
func Connect(address, namespace string) (client.Client, error) {
	return client.NewLazyClient(client.Options{HostPort: address, Namespace: namespace, Logger: slog.Default()})
}

// Start starts a workflow, or finds it started: opts.ID is the same whenever
// the same thing is asked for. It returns fault.Unavailable when the server
// does not answer; then a reconciler starts it later.
func Start(ctx context.Context, c client.Client, opts client.StartWorkflowOptions, workflow any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := c.ExecuteWorkflow(ctx, opts, workflow, args...)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if err == nil || errors.As(err, &started) {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "temporal_unavailable", "the workflow starts as soon as Temporal answers", err)
}

// Run runs a worker of each kind until ctx ends, then lets them finish the
// activities they have. When one cannot start, or gives up because the server
// refused it for long, it tries again with another of its kind, for each
// remembers how it ended: a process outlives Temporal.
func Run(ctx context.Context, kinds ...func() worker.Worker) error {
	interrupt := make(chan any)
	defer context.AfterFunc(ctx, func() { close(interrupt) })()
	var all sync.WaitGroup
	for _, next := range kinds {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := next().Run(interrupt); err != nil {
					slog.Warn("a worker has ended", "error", err)
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	all.Wait()
	return nil
}

// Options are a worker's: small, and with time to finish an activity when it
// is told to stop.
func Options() worker.Options {
	return worker.Options{
		WorkerStopTimeout:                  10 * time.Second,
		MaxConcurrentActivityExecutionSize: 8,
		Interceptors:                       interceptors(),
	}
}

// LongOptions are those of a worker that takes long steps alone, from a queue
// of their own: elsewhere the short ones of others would wait behind them.
func LongOptions() worker.Options {
	opts := Options()
	opts.DisableWorkflowWorker = true
	return opts
}

// UntilStopping returns a context for an activity that takes long: it ends when
// the worker is told to stop, so that another worker goes on.
func UntilStopping(ctx context.Context) (context.Context, func()) {
	stopping := activity.GetWorkerStopChannel(ctx)
	ctx, stop := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-stopping:
			stop(fault.New(fault.Unavailable, "worker_stopping", "another worker goes on"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(nil) }
}
