// Package purging drops what was kept for long enough, by schedules that
// Temporal keeps.
package purging

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
	faults "bailiwick.dev/workflows/temporal"
)

// rounds are those of one run, whose history is to stay short.
const rounds = 1000

// Job is something that is purged.
type Job struct {
	Name      string // the workflow's type, as operators see it
	Schedule  string // its id, and with the time the workflows'
	TaskQueue string // where the job's workers listen
	Retention time.Duration
	// Purge drops some of what is older than then, and returns how many; to
	// repeat it is to go on.
	Purge func(ctx context.Context, then time.Time) (int64, error)
}

// Trash empties the trash of tasks.
func Trash(t task.Trash) Job {
	return Job{"PurgeTrash", "purge-trash", "purging", task.Retention, t.PurgeTrash}
}

// Reports drops runs that are over, and their files.
func Reports(q report.Queue, f report.Files) Job {
	return Job{"PurgeReports", "purge-reports", "purging-reports", report.Retention,
		func(ctx context.Context, then time.Time) (int64, error) { return report.Purge(ctx, q, f, then) }}
}

// purge deletes as much at a time as a minute lets it; a database that is down
// comes back.
var purge = workflow.ActivityOptions{
	StartToCloseTimeout:    time.Minute,
	ScheduleToCloseTimeout: 24 * time.Hour,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
}

// step names Purge in the workflow.
const step = "Purge"

// Workflow drops what was kept for longer than the job's Retention, and returns
// how much that was. Where that takes long it goes on as another run, which
// counts anew.
func (j Job) Workflow(ctx workflow.Context) (int64, error) {
	ctx = workflow.WithActivityOptions(ctx, purge)
	before := workflow.Now(ctx).Add(-j.Retention)
	var all int64
	for round := 1; ; round++ {
		var n int64
		if err := workflow.ExecuteActivity(ctx, step, before).Get(ctx, &n); err != nil {
			return all, err
		}
		if all += n; n == 0 {
			return all, nil
		}
		if round == rounds && workflow.GetVersion(ctx, "go on as another run", workflow.DefaultVersion, 1) == 1 {
			return all, workflow.NewContinueAsNewError(ctx, j.Name)
		}
	}
}

// Run does the job until ctx ends, and sees to it that its schedule is there.
func Run(ctx context.Context, c client.Client, j Job) error {
	go keepSchedule(ctx, c, j)
	return faults.Run(ctx, func() worker.Worker {
		w := worker.New(c, j.TaskQueue, faults.Options())
		w.RegisterWorkflowWithOptions(j.Workflow, workflow.RegisterOptions{Name: j.Name})
		w.RegisterActivityWithOptions(j.Purge, activity.RegisterOptions{Name: step})
		return w
	})
}

// keepSchedule makes the schedule unless it is there, as soon as Temporal
// answers. Operators may pause or change it: it is made only once.
func keepSchedule(ctx context.Context, c client.Client, j Job) {
	for {
		err := makeSchedule(ctx, c, j)
		if err == nil || errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return
		}
		if ctx.Err() == nil {
			slog.Warn("there is no schedule for a purge yet", "schedule", j.Schedule, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func makeSchedule(ctx context.Context, c client.Client, j Job) error {
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:   j.Schedule,
		Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
		Action: &client.ScheduleWorkflowAction{ID: j.Schedule, Workflow: j.Name, TaskQueue: j.TaskQueue,
			TypedSearchAttributes: temporal.NewSearchAttributes(faults.Kind.ValueSet("purge"))},
	})
	return err
}
