// Package saga undoes what a workflow began.
package saga

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// Saga remembers compensations. Each is added before its step, because a step
// that timed out may have been done, and so must be a no-op where it was not.
type Saga struct{ compensations []any }

// Add notes an activity that undoes the step about to be begun.
func (s *Saga) Add(activity any) { s.compensations = append(s.compensations, activity) }

// Compensate runs the compensations, the last first, also when ctx is
// cancelled. One that fails for good is logged and does not keep the others
// from being run.
func (s *Saga) Compensate(ctx workflow.Context, opts workflow.ActivityOptions, args ...any) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	ctx = workflow.WithActivityOptions(ctx, opts)
	for _, activity := range slices.Backward(s.compensations) {
		if err := workflow.ExecuteActivity(ctx, activity, args...).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Error("a compensation failed", "error", err)
		}
	}
}
