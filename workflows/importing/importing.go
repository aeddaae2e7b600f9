// Package importing makes tasks of a file's rows, however often its worker dies.
package importing

import (
	"context"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
	faults "bailiwick.dev/workflows/temporal"
)

// Where the workers of importing listen. Rows have a queue of their own, so
// that a cancellation is not noted behind the imports of others.
const (
	TaskQueue = "importing"
	RowsQueue = "importing-rows"
	name      = "TaskImport" // the workflow's type, as operators see it
)

// rows is for the step that takes as long as the file is; where it was broken
// off, the next attempt goes on. A worker that was killed is noticed when its
// heart stops.
var rows = workflow.ActivityOptions{
	TaskQueue:              RowsQueue,
	StartToCloseTimeout:    2 * time.Hour,
	ScheduleToCloseTimeout: 24 * time.Hour,
	HeartbeatTimeout:       5 * time.Second,
	WaitForCancellation:    true, // the last rows may be done meanwhile, and then it has succeeded
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// Turn is how long the rows of one import are done before another has its turn:
// a file can take minutes, and a few would keep all the places of a worker.
const Turn = 10 * time.Second

// Activities are the steps.
type Activities struct {
	Importer *task.Importer
	Turn     time.Duration // zero: as long as one batch takes
}

var a *Activities // names the methods in the workflow

// Workflow carries one import through. Its history holds ids alone.
func Workflow(ctx workflow.Context, in task.ImportID) error {
	err := everyRow(workflow.WithActivityOptions(ctx, rows), in)
	switch {
	case err == nil:
		return nil
	case fault.Is(faults.Fault(err), fault.Conflict), fault.Is(faults.Fault(err), fault.NotFound): // cancelled in the row, which people see first, or gone with its project
		return temporal.NewCanceledError()
	case ctx.Err() != nil: // by an operator
		faults.Note(ctx, faults.Short, a.Cancel, in)
		return temporal.NewCanceledError()
	}
	faults.Note(ctx, faults.Short, a.Fail, in, faults.Fault(err).Code)
	return err
}

// everyRow does the rows turn by turn; an earlier release did them all at once.
func everyRow(ctx workflow.Context, in task.ImportID) error {
	if workflow.GetVersion(ctx, "turn by turn", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return workflow.ExecuteActivity(ctx, a.Import, in).Get(ctx, nil)
	}
	for more := true; more; {
		if err := workflow.ExecuteActivity(ctx, a.ImportSome, in).Get(ctx, &more); err != nil {
			return err
		}
	}
	return nil
}

// ImportSome makes tasks of rows that are left, for a turn, and tells whether
// there are more.
func (a *Activities) ImportSome(ctx context.Context, in task.ImportID) (more bool, err error) {
	return a.importUntil(ctx, in, time.Now().Add(a.Turn))
}

// Import makes tasks of all rows that are left.
func (a *Activities) Import(ctx context.Context, in task.ImportID) error {
	_, err := a.importUntil(ctx, in, time.Now().Add(rows.StartToCloseTimeout))
	return err
}

// importUntil lets a worker that is told to stop give the step back between two
// batches.
func (a *Activities) importUntil(ctx context.Context, in task.ImportID, until time.Time) (more bool, err error) {
	ctx, stop := faults.UntilStopping(ctx)
	defer stop()
	return a.Importer.Run(ctx, in, until, func(done int64) { activity.RecordHeartbeat(ctx, done) })
}

// Fail ends an import and says why.
func (a *Activities) Fail(ctx context.Context, in task.ImportID, code string) error {
	return a.Importer.Fail(ctx, in, code)
}

// Cancel ends an import that an operator has cancelled.
func (a *Activities) Cancel(ctx context.Context, in task.ImportID) error {
	return a.Importer.Cancel(ctx, in)
}

// Begin begins an import, or finds it begun, also when it has succeeded. What
// an operator terminated is begun anew; what is over refuses to be. It returns
// fault.Unavailable when Temporal does not answer.
func Begin(ctx context.Context, c client.Client, in task.ImportID) error {
	return faults.Start(ctx, c, faults.OfTenant(client.StartWorkflowOptions{
		ID: "import/" + in.TenantID.String() + "/" + in.ID.String(), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}, in.TenantID, "import"), name, in)
}

// Run imports until ctx ends, then lets the batches under way finish. Its first
// worker also knows Import, which an earlier release put into that queue.
func Run(ctx context.Context, c client.Client, acts *Activities) error {
	return faults.Run(ctx, func() worker.Worker {
		w := worker.New(c, TaskQueue, faults.Options())
		w.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: name})
		w.RegisterActivity(acts)
		return w
	}, func() worker.Worker {
		w := worker.New(c, RowsQueue, faults.LongOptions())
		w.RegisterActivity(acts.Import)
		w.RegisterActivity(acts.ImportSome)
		return w
	})
}
