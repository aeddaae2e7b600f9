package importing_test

import (
	"context"
	"testing"

	"go.temporal.io/sdk/client"

	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/task/fake"
	"bailiwick.dev/workflows/importing"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// serve runs a worker on a real server until the test ends.
func serve(t *testing.T, store task.Imports) (string, client.Client) {
	t.Helper()
	address, c := temporaltest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- importing.Run(ctx, c, &importing.Activities{Importer: &task.Importer{Imports: store}})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return address, c
}

// name is the workflow's id.
func name(in task.ImportID) string { return "import/" + in.TenantID.String() + "/" + in.ID.String() }

// On a real server a worker imports, and ends what was cancelled.
func TestImportsEndOnAServer(t *testing.T) {
	t.Parallel()
	store := &fake.Store{}
	address, c := serve(t, store)
	for _, want := range []task.ImportStatus{task.ImportSucceeded, task.ImportCancelled} {
		s, who, im := start(t, store)
		in := task.ImportID{TenantID: who.Tenant, ID: im.ID}
		if want == task.ImportCancelled {
			if _, err := s.CancelImport(t.Context(), who, im.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := importing.Begin(t.Context(), c, in); err != nil {
			t.Fatal(err)
		}
		if err := c.GetWorkflow(t.Context(), name(in), "").Get(t.Context(), nil); (err == nil) != (want == task.ImportSucceeded) {
			t.Errorf("%s: %v", want, err)
		}
		if got, err := s.GetImport(t.Context(), who, im.ID); err != nil || got.Status != want {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
		temporaltest.Record(t, address, name(in), string(want))
	}
}

// Histories that were recorded from real servers go on with today's code.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	temporaltest.Replay(t, "TaskImport", importing.Workflow)
}
