package reporting_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/reporting"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// later is a queue for which the silence is over.
type later struct{ report.Queue }

// Take implements report.Queue.
func (q later) Take(ctx context.Context, at time.Time) ([]report.Due, error) {
	return q.Queue.Take(ctx, at.Add(2*report.Silence))
}

// An operator terminates a report in the middle of its file: the reconciler
// begins it again, and there is one file.
func TestTerminatedReportIsBegunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	came, release := make(chan struct{}), make(chan struct{})
	var tries atomic.Int64
	w.source.Wait = func(context.Context) error {
		if tries.Add(1) == 1 {
			close(came)
			<-release
		}
		return nil
	}
	_, c := temporaltest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- reporting.Run(ctx, c, w.acts) }()
	reconcile := func() {
		t.Helper()
		if err := report.Reconcile(t.Context(), later{w.store}, reporting.Starter{Client: c}); err != nil {
			t.Fatal(err)
		}
	}
	id := "report/" + w.in.TenantID.String() + "/" + w.in.RunID.String()
	reconcile()
	<-came
	if err := c.TerminateWorkflow(t.Context(), id, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	reconcile()
	if err := c.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil); err != nil {
		t.Errorf("begun again: %v", err)
	}
	close(release)
	reconcile()
	stop()
	if err := <-ended; err != nil { // after what the first attempt still does
		t.Error(err)
	}
	w.ended(t, report.Succeeded, 1)
}
