package temporal

import (
	"context"

	"go.temporal.io/sdk/activity"

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
