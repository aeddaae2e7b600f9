package report_test

import (
	"context"
	"time"

	"bailiwick.dev/domain/report"
)

// dueNow is a queue for which it is already later.
type dueNow struct{ report.Queue }

// Take implements report.Queue.
func (q dueNow) Take(ctx context.Context, at time.Time) ([]report.Due, error) {
	return q.Queue.Take(ctx, at.Add(time.Minute))
}
