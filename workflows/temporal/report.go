package temporal

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/fault"
)

// report logs, once, what a history must not hold.
func report(ctx context.Context, err error) {
	info := activity.GetInfo(ctx)
	log := activity.GetLogger(ctx)
	if fault.KindOf(err).Retryable() {
		log.Warn("activity failed", "activity", info.ActivityType.Name, "attempt", info.Attempt, "error", err)
		return
	}
	log.Info("activity refused", "activity", info.ActivityType.Name, "attempt", info.Attempt, "error", err)
}

// Short is for steps that take milliseconds where everything is up. A part that
// is down comes back: they are tried for a day, every minute at last, so that
// an outage needs nobody's hand.
var Short = workflow.ActivityOptions{
	StartToCloseTimeout:    30 * time.Second,
	ScheduleToCloseTimeout: 24 * time.Hour,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
}

// Note runs an activity that notes, where people can read it, how a workflow
// ends, also when that was cancelled.
func Note(ctx workflow.Context, opts workflow.ActivityOptions, activity any, args ...any) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), activity, args...).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("the end could not be noted", "error", err)
	}
}
