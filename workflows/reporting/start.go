package reporting

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/temporal"
)

// name is the workflow's type, as operators see it.
const name = "Reporting"

// Starter implements report.Generation.
type Starter struct{ Client client.Client }

var _ report.Generation = Starter{}

func id(tenant identity.TenantID, run uuid.UUID) string {
	return "report/" + tenant.String() + "/" + run.String()
}

// Begin implements report.Generation. The id is the run's, so that beginning
// twice is beginning once, also after the first has succeeded. What an operator
// terminated is begun anew; what is over refuses to be.
func (s Starter) Begin(ctx context.Context, d report.Due) error {
	return temporal.Start(ctx, s.Client, temporal.OfTenant(client.StartWorkflowOptions{
		ID: id(d.TenantID, d.ID), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Memo:                  map[string]any{"format": string(d.Format)},
	}, d.TenantID, "report"), name, Input{d.TenantID, d.ID})
}

// Cancel implements report.Generation.
func (s Starter) Cancel(ctx context.Context, tenant identity.TenantID, run uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := s.Client.CancelWorkflow(ctx, id(tenant, run), "")
	var gone *serviceerror.NotFound
	if err == nil || errors.As(err, &gone) {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "temporal_unavailable", "Temporal does not answer", err)
}

// Run makes reports with acts until ctx ends, then lets the steps under way finish.
func Run(ctx context.Context, c client.Client, acts *Activities) error {
	return temporal.Run(ctx, func() worker.Worker { return newWorker(c, acts) }, func() worker.Worker { return newRenderer(c, acts) })
}

// newWorker also knows Render, which an earlier release put into this queue.
func newWorker(c client.Client, acts *Activities) worker.Worker {
	w := worker.New(c, TaskQueue, temporal.Options())
	w.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: name})
	w.RegisterActivity(acts)
	return w
}

// newRenderer returns a worker that renders few at a time, for a long PDF needs
// a hundred megabytes, and sends every heartbeat, for its answer tells of a
// cancellation.
func newRenderer(c client.Client, acts *Activities) worker.Worker {
	opts := temporal.LongOptions()
	opts.MaxConcurrentActivityExecutionSize = 4
	opts.MaxHeartbeatThrottleInterval = report.Beat
	w := worker.New(c, FilesQueue, opts)
	w.RegisterActivity(acts.Render)
	return w
}
