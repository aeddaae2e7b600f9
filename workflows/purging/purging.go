// Package purging empties the trash, by a schedule that Temporal keeps.
package purging

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/task"
	faults "bailiwick.dev/workflows/temporal"
)

const (
	// TaskQueue is where the workers of purging listen.
	TaskQueue = "purging"
	name      = "PurgeTrash" // the workflow's type, as operators see it
	schedule  = "purge-trash"
	rounds    = 1000 // of a run, whose history is to stay short
)

// purge deletes as much at a time as a minute lets it; a database that is down
// comes back.
var purge = workflow.ActivityOptions{
	StartToCloseTimeout:    time.Minute,
	ScheduleToCloseTimeout: 24 * time.Hour,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
}

// Activities are the steps.
type Activities struct{ Trash task.Trash }

var a *Activities // names the methods in the workflow

// Workflow drops what was in the trash for longer than task.Retention, and
// returns how many tasks that were. Where that takes long it goes on as another
// run, which counts anew.
func Workflow(ctx workflow.Context) (int64, error) {
	ctx = workflow.WithActivityOptions(ctx, purge)
	before := workflow.Now(ctx).Add(-task.Retention)
	var all int64
	for round := 1; ; round++ {
		var n int64
		if err := workflow.ExecuteActivity(ctx, a.Purge, before).Get(ctx, &n); err != nil {
			return all, err
		}
		if all += n; n == 0 {
			return all, nil
		}
		if round == rounds && workflow.GetVersion(ctx, "go on as another run", workflow.DefaultVersion, 1) == 1 {
			return all, workflow.NewContinueAsNewError(ctx, name)
		}
	}
}

// Purge drops some of what was deleted before then, and returns how many; to
// repeat it is to go on.
func (a *Activities) Purge(ctx context.Context, then time.Time) (int64, error) {
	return a.Trash.PurgeTrash(ctx, then)
}

// Run works until ctx ends, and sees to it that the schedule is there.
func Run(ctx context.Context, c client.Client, acts *Activities) error {
	go keepSchedule(ctx, c)
	return faults.Run(ctx, func() worker.Worker {
		w := worker.New(c, TaskQueue, faults.Options())
		w.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: name})
		w.RegisterActivity(acts)
		return w
	})
}

// keepSchedule makes the schedule unless it is there, as soon as Temporal
// answers. Operators may pause or change it: it is made only once.
func keepSchedule(ctx context.Context, c client.Client) {
	for {
		err := makeSchedule(ctx, c)
		if err == nil || errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return
		}
		if ctx.Err() == nil {
			slog.Warn("there is no schedule for the purge yet", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func makeSchedule(ctx context.Context, c client.Client) error {
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:   schedule,
		Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
		Action: &client.ScheduleWorkflowAction{ID: schedule, Workflow: name, TaskQueue: TaskQueue,
			TypedSearchAttributes: temporal.NewSearchAttributes(faults.Kind.ValueSet("purge"))},
	})
	return err
}
