package purging

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
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
	env.RegisterActivity(&Activities{Trash: in})
	now := env.Now()
	env.ExecuteWorkflow(Workflow)
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
