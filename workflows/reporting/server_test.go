package reporting_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"bailiwick.dev/domain/fault"
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
	_, c, stop := w.serve(t)
	w.reconcile(t, c)
	<-came
	if err := c.TerminateWorkflow(t.Context(), w.id(), "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	w.reconcile(t, c)
	if err := c.GetWorkflow(t.Context(), w.id(), "").Get(t.Context(), nil); err != nil {
		t.Errorf("begun again: %v", err)
	}
	close(release)
	w.reconcile(t, c)
	stop() // after what the first attempt still does
	w.ended(t, report.Succeeded, 1)
}

// An operator cancels, and before the step hears of it, it fails of itself.
func TestOperatorsCancellationIsNotedWhenTheStepFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	came, release := make(chan struct{}), make(chan struct{})
	w.source.Wait = func(context.Context) error {
		close(came)
		<-release
		return fault.New(fault.Unavailable, "away", "away")
	}
	address, c, stop := w.serve(t)
	w.reconcile(t, c)
	<-came
	if err := c.CancelWorkflow(t.Context(), w.id(), ""); err != nil {
		t.Fatal(err)
	}
	history := c.GetWorkflowHistory(t.Context(), w.id(), "", true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for told := false; !told; {
		e, err := history.Next()
		if err != nil {
			t.Fatal(err)
		}
		told = e.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
	}
	close(release)
	if err := c.GetWorkflow(t.Context(), w.id(), "").Get(t.Context(), nil); !temporal.IsCanceledError(err) {
		t.Errorf("%v, want cancelled", err)
	}
	stop()
	w.ended(t, report.Cancelled, 0)
	temporaltest.Record(t, address, w.id(), "operator")
}

func (w *world) id() string { return "report/" + w.in.TenantID.String() + "/" + w.in.RunID.String() }

func (w *world) reconcile(t *testing.T, c client.Client) {
	t.Helper()
	if err := report.Reconcile(t.Context(), later{w.store}, reporting.Starter{Client: c}); err != nil {
		t.Fatal(err)
	}
}

// serve runs a worker on a real server until it is stopped.
func (w *world) serve(t *testing.T) (string, client.Client, func()) {
	t.Helper()
	address, c := temporaltest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reporting.Run(ctx, c, w.acts) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return address, c, stop
}

// As many files are made at once as may be, and none gets on: another run
// begins all the same.
func TestShortStepsDoNotWaitForTheFilesOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	came := make(chan struct{}, 10)
	w.source.Wait = func(ctx context.Context) error {
		came <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	_, c, _ := w.serve(t)
	for range 3 {
		w.another(t)
	}
	w.reconcile(t, c)
	for range 4 {
		<-came
	}
	late := w.another(t)
	w.reconcile(t, c)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := w.store.Read(t.Context(), w.in.TenantID, late)
		if err == nil && r.Status == report.Running {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v, %v, want it to run", r, err)
		}
	}
}
