package onboarding

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/temporal"
)

// name is the workflow's type, as operators see it.
const name = "Onboarding"

// Starter implements tenancy.Onboarding.
type Starter struct{ Client client.Client }

var _ tenancy.Onboarding = Starter{}

// Begin implements tenancy.Onboarding. The id is the registration's, so that
// beginning twice is beginning once; the signal travels with the start, so
// that neither can be there without the other. What an operator terminated is
// begun anew; what has ended otherwise refuses to be.
func (s Starter) Begin(ctx context.Context, p tenancy.Pending) error {
	opts := temporal.OfTenant(client.StartWorkflowOptions{
		ID: "onboarding/" + p.Slug + "/" + p.ID.String(), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Memo:                  map[string]any{"slug": p.Slug},
	}, p.ID, "onboarding")
	if !p.Verified {
		return temporal.Start(ctx, s.Client, opts, name, Input{p.ID})
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := s.Client.SignalWithStartWorkflow(ctx, opts.ID, verifiedSignal, nil, opts, name, Input{p.ID})
	var over *serviceerror.WorkflowExecutionAlreadyStarted
	if err == nil || errors.As(err, &over) { // it went on without the signal, and has succeeded
		return nil
	}
	return fault.Wrap(fault.Unavailable, "temporal_unavailable", "the onboarding goes on as soon as Temporal answers", err)
}

// Worker returns a worker that runs onboardings with acts.
func Worker(c client.Client, acts *Activities) worker.Worker {
	w := worker.New(c, TaskQueue, temporal.Options())
	w.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: name})
	w.RegisterActivity(acts)
	return w
}
