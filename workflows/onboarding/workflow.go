// Package onboarding makes a tenant out of a registration: it waits for the
// owner to open the mailed link, then sets everything up, or undoes what it
// began.
package onboarding

import (
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/saga"
	faults "bailiwick.dev/workflows/temporal"
)

// TaskQueue is where the workers of onboarding listen.
const TaskQueue = "onboarding"

// verifiedSignal tells that the owner has opened the link; it carries nothing.
const verifiedSignal = "verified"

// Input names the registration, whose id becomes the tenant's.
type Input struct {
	TenantID uuid.UUID
}

// call is for steps that take milliseconds where everything is up. A part that
// is down comes back: they are tried for a day, every minute at last, so that
// an outage needs nobody's hand. A worker that dies is noticed by the time that
// one attempt may take.
var call = workflow.ActivityOptions{
	StartToCloseTimeout:    10 * time.Second,
	ScheduleToCloseTimeout: 24 * time.Hour,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// letter is for mail: servers greylist for minutes and are down for days.
var letter = workflow.ActivityOptions{
	StartToCloseTimeout:    20 * time.Second,
	ScheduleToCloseTimeout: 3 * 24 * time.Hour,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
}

// Workflow carries one registration through. Its history holds ids alone.
func Workflow(ctx workflow.Context, in Input) error {
	err := onboard(ctx, in)
	if err != nil && workflow.GetVersion(ctx, "tell the owner", workflow.DefaultVersion, 1) == 1 {
		faults.Note(ctx, letter, a.SendFailure, in) // the last: it may take days
	}
	return err
}

func onboard(ctx workflow.Context, in Input) error {
	ctx = workflow.WithActivityOptions(ctx, call)
	if err := run(ctx, letter, a.SendVerification, in); err != nil {
		defer forget(ctx, in)
		return fail(ctx, in, err)
	}
	verified, err := awaitVerification(ctx, in)
	if err != nil {
		defer forget(ctx, in)
		return fail(ctx, in, err)
	}
	if !verified {
		forget(ctx, in)
		return nil
	}
	if err := provision(ctx, in); err != nil {
		return fail(ctx, in, err)
	}
	// The tenant works: a welcome that no server takes undoes nothing.
	if err := run(ctx, letter, a.SendWelcome, in); err != nil {
		workflow.GetLogger(ctx).Warn("no welcome was sent", "error", err)
		_ = fail(ctx, in, err) // the step: what is active stays so
	}
	return nil
}

// awaitVerification reports false when the link's life ended first.
func awaitVerification(ctx workflow.Context, in Input) (bool, error) {
	signal := workflow.GetSignalChannel(ctx, verifiedSignal)
	if ok, _ := signal.ReceiveWithTimeout(ctx, tenancy.LinkLife, nil); ok {
		return true, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	var expired bool
	err := workflow.ExecuteActivity(ctx, a.Expire, in).Get(ctx, &expired)
	return !expired, err // verified in the last moment
}

// forget deletes the password of a registration that has ended before it was
// provisioned: its owner may have chosen one, and no more been heard of.
func forget(ctx workflow.Context, in Input) {
	if workflow.GetVersion(ctx, "forget the password", workflow.DefaultVersion, 1) == 1 {
		var undo saga.Saga
		undo.Add(a.DeleteCredential)
		undo.Compensate(ctx, call, in)
	}
}

// provision does the steps in order. What undoes a step is noted before the
// step: one that timed out may have been done.
func provision(ctx workflow.Context, in Input) (err error) {
	var undo saga.Saga
	defer func() {
		if err != nil && !isOver(err) {
			undo.Compensate(ctx, call, in)
		}
	}()
	opts := call // a step under way is waited for when an operator cancels: undone earlier, it would be done later
	opts.WaitForCancellation = workflow.GetVersion(ctx, "wait for the step under way", workflow.DefaultVersion, 1) == 1
	ctx = workflow.WithActivityOptions(ctx, opts)
	undo.Add(a.DeleteCredential) // made when the owner chose a password
	for _, step := range []struct{ do, undo any }{
		{a.CreateTenant, a.RemoveTenant},
		{a.SeedRoles, a.UnseedRoles},
		{a.CreateOwner, a.RemoveOwner},
		{a.EnableCredential, a.DeleteCredential},
		{a.CreateClient, a.DeleteClient},
		{a.Activate, nil}, // one transaction, the last: there is nothing to undo
	} {
		if step.undo != nil {
			undo.Add(step.undo)
		}
		if err := workflow.ExecuteActivity(ctx, step.do, in).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// fail notes the failure where people can read it, and returns it. What has
// ended already keeps its end.
func fail(ctx workflow.Context, in Input, cause error) error {
	if isOver(cause) {
		return temporal.NewCanceledError()
	}
	why := failureOf(cause)
	if ctx.Err() != nil {
		cause, why = temporal.NewCanceledError(), tenancy.Failure{Code: "cancelled", Message: "an operator has cancelled the registration"}
	}
	faults.Note(ctx, call, a.Fail, in, why)
	return cause
}

func run(ctx workflow.Context, opts workflow.ActivityOptions, activity any, in Input) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), activity, in).Get(ctx, nil)
}
