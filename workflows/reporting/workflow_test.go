package reporting_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/report/fake"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/workflows/reporting"
	faults "bailiwick.dev/workflows/temporal"
)

// world is a run on fakes, and a workflow environment that needs no server.
type world struct {
	*testsuite.TestWorkflowEnvironment
	store  *fake.Store
	files  *fake.Files
	source *fake.Source
	acts   *reporting.Activities
	in     reporting.Input
}

func newWorld(t *testing.T) *world {
	t.Helper()
	var s testsuite.WorkflowTestSuite
	w := &world{TestWorkflowEnvironment: s.NewTestWorkflowEnvironment(), store: &fake.Store{}, files: &fake.Files{},
		source: &fake.Source{Pages: [][]task.Task{{{Title: "a"}, {Title: "b"}}, {{Title: "c"}}}}, in: reporting.Input{TenantID: uuid.New()}}
	w.in.RunID = w.another(t)
	w.SetWorkerOptions(sdkworker.Options{Interceptors: faults.Options().Interceptors})
	w.acts = &reporting.Activities{Press: &report.Press{Journal: w.store, Files: w.files, Source: w.source,
		Renderers: map[report.Format]report.Renderer{report.CSV: fake.Text{}}}}
	w.RegisterActivity(w.acts)
	return w
}

// another adds a run, and returns its id.
func (w *world) another(t *testing.T) uuid.UUID {
	t.Helper()
	r := report.Run{ID: uuid.New(), Format: report.CSV, Title: "T", Status: report.Pending, Version: 1}
	if _, err := w.store.Add(t.Context(), identity.Caller{Tenant: w.in.TenantID}, r); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func (w *world) run(t *testing.T) error {
	t.Helper()
	w.ExecuteWorkflow(reporting.Workflow, w.in)
	if !w.IsWorkflowCompleted() {
		t.Fatal("it does not end")
	}
	return w.GetWorkflowError()
}

func (w *world) ended(t *testing.T, want report.Status, files int) report.Run {
	t.Helper()
	r, err := w.store.Read(t.Context(), w.in.TenantID, w.in.RunID)
	if err != nil || r.Status != want || w.files.Count() != files {
		t.Errorf("%+v, %v with %d files, want %s with %d", r, err, w.files.Count(), want, files)
	}
	return r
}

func TestReportIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	r := w.ended(t, report.Succeeded, 1)
	if r.File == nil || r.File.Size != 6 || r.File.Name != "T.csv" || *r.Progress.RowsTotal != 3 {
		t.Errorf("%+v", r.File)
	}
}

// Each step does its work, and then its answer is lost: once, and it is made again.
func TestEveryStepCanBeRepeated(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"Plan", "Render", "Finish"} {
		w := newWorld(t)
		lost := false
		w.inject(step, func() error {
			if lost {
				return nil
			}
			lost = true
			return errors.New("the answer is lost")
		})
		if err := w.run(t); err != nil || !lost {
			t.Errorf("%s: %v", step, err)
		}
		w.ended(t, report.Succeeded, 1)
	}
}

// inject makes a step fail after it was done, if after says so.
func (w *world) inject(step string, after func() error) {
	acts := w.acts
	switch step {
	case "Plan":
		w.OnActivity(acts.Plan, mock.Anything, mock.Anything).Return(func(ctx context.Context, in reporting.Input) error {
			return errors.Join(acts.Plan(ctx, in), after())
		})
	case "Render":
		w.OnActivity(acts.Render, mock.Anything, mock.Anything).Return(func(ctx context.Context, in reporting.Input) (reporting.Made, error) {
			m, err := acts.Render(ctx, in)
			return m, errors.Join(err, after())
		})
	case "Finish":
		w.OnActivity(acts.Finish, mock.Anything, mock.Anything, mock.Anything).Return(func(ctx context.Context, in reporting.Input, m reporting.Made) error {
			return errors.Join(acts.Finish(ctx, in, m), after())
		})
	}
}

func TestWhatCanNeverSucceedFailsAtOnceAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Err = fault.New(fault.Invalid, "too_many_rows", "at most 50000")
	if err := w.run(t); err == nil {
		t.Error("it succeeds")
	}
	if r := w.ended(t, report.Failed, 0); r.Failure == nil || r.Failure.Code != "too_many_rows" || r.Failure.Message != "at most 50000" {
		t.Errorf("failure %+v", r.Failure)
	}
}

func TestWhatMayComeBackIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tries := 0
	w.source.Wait = func(context.Context) error {
		if tries++; tries < 9 { // the environment gives up after ten
			return fault.New(fault.Unavailable, "storage_full", "no room")
		}
		return nil
	}
	begun := w.Now()
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if took := w.Now().Sub(begun); took < time.Minute {
		t.Errorf("nine tries within %v", took)
	}
	w.ended(t, report.Succeeded, 1)
}

func TestOperatorsCancellationIsNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Wait = func(context.Context) error { return fault.New(fault.Unavailable, "away", "away") }
	w.RegisterDelayedCallback(w.CancelWorkflow, 10*time.Second)
	if err := w.run(t); !temporal.IsCanceledError(err) {
		t.Errorf("%v, want cancelled", err)
	}
	w.ended(t, report.Cancelled, 0)
}

// Finish has told everybody of the file when the operator cancels: it stays.
func TestFileOfAFinishedRunOutlivesACancellation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.inject("Finish", func() error {
		w.CancelWorkflow()
		return errors.New("the answer is lost")
	})
	if err := w.run(t); !temporal.IsCanceledError(err) {
		t.Errorf("%v, want cancelled", err)
	}
	w.ended(t, report.Succeeded, 1)
}

// While the file cannot be removed, the run is over, and Finish comes too late.
func TestEndIsNotedBeforeTheFileIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Err = fault.New(fault.Invalid, "too_many_rows", "at most 50000")
	w.OnActivity(w.acts.Discard, mock.Anything, mock.Anything).Return(func(ctx context.Context, in reporting.Input) error {
		w.ended(t, report.Failed, 0)
		return w.acts.Discard(ctx, in)
	})
	if err := w.run(t); err == nil {
		t.Error("it succeeds")
	}
	w.AssertExpectations(t)
}

// The row says that nobody wants the file, and Temporal was not told.
func TestCancelledRowEndsTheWorkflow(t *testing.T) {
	t.Parallel()
	for _, pages := range []int{0, 1} { // before Plan, and while rendering
		w := newWorld(t)
		cancel := func(context.Context) error {
			_, err := w.store.Cancel(t.Context(), identity.Caller{Tenant: w.in.TenantID}, w.in.RunID, time.Now())
			return err
		}
		if w.source.Wait = cancel; pages == 0 {
			_ = cancel(t.Context())
		}
		if err := w.run(t); !temporal.IsCanceledError(err) {
			t.Errorf("%v, want cancelled", err)
		}
		w.ended(t, report.Cancelled, 0)
	}
}
