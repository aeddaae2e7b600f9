// Package reporting makes a report's file: it plans, renders, and tells
// everybody of the file, or removes what it began.
package reporting

import (
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/saga"
	faults "bailiwick.dev/workflows/temporal"
)

// Where the workers of reporting listen. Files have a queue of their own, so
// that the steps around one do not wait for the files of others.
const (
	TaskQueue  = "reporting"
	FilesQueue = "reporting-files"
)

// Input names the run.
type Input struct {
	TenantID uuid.UUID
	RunID    uuid.UUID
}

// render is for the step that takes as long as the report is. It is alive as
// long as its heart beats: a worker that was killed is noticed after five
// seconds, however long a report may take. A full disk and a source that is
// down are tried again for a day; what the tasks themselves make impossible is
// not (its fault's kind says so).
var render = workflow.ActivityOptions{
	TaskQueue:              FilesQueue,
	StartToCloseTimeout:    2 * time.Hour,
	ScheduleToCloseTimeout: 24 * time.Hour,
	HeartbeatTimeout:       5 * time.Second,
	WaitForCancellation:    true, // the file is removed when nobody writes it any more
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// Workflow carries one run through. Its history holds ids and sums alone.
func Workflow(ctx workflow.Context, in Input) error {
	ctx = workflow.WithActivityOptions(ctx, faults.Short)
	var undo saga.Saga
	err := produce(ctx, in, &undo)
	switch {
	case err == nil:
		return nil
	case isOver(err): // cancelled in the row, which people see first
		undo.Compensate(ctx, faults.Short, in)
		return temporal.NewCanceledError()
	case workflow.GetVersion(ctx, "note the end first", workflow.DefaultVersion, 1) == workflow.DefaultVersion:
		undo.Compensate(ctx, faults.Short, in)
		return end(ctx, in, err, temporal.IsCanceledError(err))
	}
	// A step that is still under way finds the run over once that is noted. It
	// may have failed of itself when an operator had cancelled already.
	err = end(ctx, in, err, ctx.Err() != nil)
	undo.Compensate(ctx, faults.Short, in)
	return err
}

// produce does the steps in order. What undoes a step is noted before the
// step: one that timed out may have been done.
func produce(ctx workflow.Context, in Input, undo *saga.Saga) error {
	if err := workflow.ExecuteActivity(ctx, a.Plan, in).Get(ctx, nil); err != nil {
		return err
	}
	undo.Add(a.Discard)
	var made Made
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, render), a.Render, in).Get(ctx, &made); err != nil {
		return err
	}
	return workflow.ExecuteActivity(ctx, a.Finish, in, made).Get(ctx, nil)
}

// end notes how the run has ended where people can read it, and returns that.
func end(ctx workflow.Context, in Input, cause error, cancelled bool) error {
	if cancelled { // by an operator: people cancel the row
		faults.Note(ctx, faults.Short, a.Cancel, in)
		return temporal.NewCanceledError()
	}
	f := faults.Fault(cause)
	faults.Note(ctx, faults.Short, a.Fail, in, report.RunFailure{Code: f.Code, Message: f.Message})
	return cause
}

// isOver reports whether a step found that nobody wants the file any more.
func isOver(err error) bool { return faults.Fault(err).Code == report.Over }
