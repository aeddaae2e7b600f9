package temporal_test

import (
	"context"
	"errors"
	"testing"

	"go.temporal.io/sdk/worker"

	"bailiwick.dev/workflows/temporal"
)

// failing is a worker that ends by itself, or works until it is told to stop.
type failing struct {
	worker.Worker
	err     error
	working func()
}

func (f failing) Run(interrupt <-chan any) error {
	if f.err == nil {
		f.working()
		<-interrupt
	}
	return f.err
}

// A worker that could not start, or that gave up later, has a successor.
func TestWorkerThatEndsHasASuccessor(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	ends := []error{errors.New("Temporal does not answer"), errors.New("the namespace was not found for minutes"), nil}
	made := 0
	err := temporal.Run(ctx, func() worker.Worker {
		made++
		return failing{err: ends[made-1], working: stop}
	})
	if err != nil || made != len(ends) {
		t.Errorf("%d workers were made, %v, want %d", made, err, len(ends))
	}
}
