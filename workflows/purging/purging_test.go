package purging

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
	faults "bailiwick.dev/workflows/temporal"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// trash gives what is in it piece by piece, after it was down.
type trash struct {
	pieces []int64
	down   int
	before []time.Time
}

func (t *trash) PurgeTrash(_ context.Context, before time.Time) (int64, error) {
	if t.down > 0 {
		t.down--
		return 0, fault.New(fault.Unavailable, "database_unavailable", "down")
	}
	t.before = append(t.before, before)
	n := t.pieces[0]
	t.pieces = t.pieces[1:]
	return n, nil
}

func TestTrashIsEmptiedPieceByPiece(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	in := &trash{pieces: []int64{1000, 7, 0}, down: 3}
	env.RegisterActivityWithOptions(in.PurgeTrash, activity.RegisterOptions{Name: step})
	now := env.Now()
	env.ExecuteWorkflow(Trash(in).Workflow)
	var n int64
	if err := env.GetWorkflowResult(&n); err != nil || n != 1007 {
		t.Fatalf("purged %d, %v, want 1007", n, err)
	}
	for _, before := range in.before {
		if d := now.Sub(before); d < task.Retention || d > task.Retention+time.Minute {
			t.Errorf("dropped what is older than %v, want %v", d, task.Retention)
		}
	}
}

func TestLongPurgeGoesOnAsAnotherRun(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	in := &trash{pieces: slices.Repeat([]int64{1}, rounds+1)}
	env.RegisterActivityWithOptions(in.PurgeTrash, activity.RegisterOptions{Name: step})
	env.ExecuteWorkflow(Trash(in).Workflow)
	if err := env.GetWorkflowError(); !workflow.IsContinueAsNewError(err) || len(in.pieces) != 1 {
		t.Errorf("%v with %d pieces left, want another run for the last", err, len(in.pieces))
	}
}

// On a real server the schedule is made once, and what it starts purges.
func TestScheduleStartsThePurge(t *testing.T) {
	t.Parallel()
	address, c := temporaltest.New(t)
	job := Trash(&trash{pieces: []int64{1000, 7, 0}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Run(ctx, c, job) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	handle := c.ScheduleClient().GetHandle(ctx, job.Schedule)
	var started []client.ScheduleActionResult
	for end := time.Now().Add(30 * time.Second); len(started) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is started")
		}
		_ = handle.Trigger(ctx, client.ScheduleTriggerOptions{}) // there is none at first
		if d, err := handle.Describe(ctx); err == nil {
			started = d.Info.RecentActions
		}
	}
	id := started[0].StartWorkflowResult.WorkflowID
	var n int64
	if err := c.GetWorkflow(ctx, id, "").Get(ctx, &n); err != nil || n != 1007 {
		t.Errorf("purged %d, %v, want 1007", n, err)
	}
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil || string(d.WorkflowExecutionInfo.SearchAttributes.IndexedFields[faults.Kind.GetName()].GetData()) != `"purge"` {
		t.Errorf("%v, %v: operators do not find it by its kind", d, err)
	}
	temporaltest.Record(t, address, id, "purged")
}

// Histories that were recorded from real servers go on with today's code.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	temporaltest.Replay(t, "PurgeTrash", Trash(&trash{}).Workflow)
}
