package importing_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"bailiwick.dev/domain/identity"
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

// held does not answer the first call before it is released: its worker seems dead.
type held struct {
	*fake.Store
	calls         atomic.Int64
	came, release chan struct{}
}

func hold() *held {
	return &held{Store: &fake.Store{}, came: make(chan struct{}), release: make(chan struct{})}
}

func (h *held) AddRows(ctx context.Context, id task.ImportID, request string, rows task.Rows) (task.Import, error) {
	if h.calls.Add(1) == 1 {
		close(h.came)
		<-h.release
	}
	return h.Store.AddRows(ctx, id, request, rows)
}

// An operator cancels an import whose worker does not answer: it ends as
// cancelled, and the worker that wakes up makes no tasks.
func TestOperatorsCancellationIsNoted(t *testing.T) {
	t.Parallel()
	store := hold()
	address, c := serve(t, store)
	s, who, im := start(t, store)
	in := task.ImportID{TenantID: who.Tenant, ID: im.ID}
	if err := importing.Begin(t.Context(), c, in); err != nil {
		t.Fatal(err)
	}
	<-store.came
	if err := c.CancelWorkflow(t.Context(), name(in), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.GetWorkflow(t.Context(), name(in), "").Get(t.Context(), nil); !temporal.IsCanceledError(err) {
		t.Errorf("the workflow ends with %v, want cancelled", err)
	}
	close(store.release)
	if got, err := s.GetImport(t.Context(), who, im.ID); err != nil || got.Status != task.ImportCancelled || got.RowsDone != 0 {
		t.Errorf("%+v, %v, want it cancelled", got, err)
	}
	temporaltest.Record(t, address, name(in), "operator")
}

// An operator terminates an import, and its worker still holds rows: it is
// begun again, and every row is tried once.
func TestTerminatedImportIsBegunAgain(t *testing.T) {
	t.Parallel()
	store := hold()
	_, c := serve(t, store)
	s, who, im := start(t, store)
	in := task.ImportID{TenantID: who.Tenant, ID: im.ID}
	begin := func() {
		if err := importing.Begin(t.Context(), c, in); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	<-store.came
	begin() // finds it begun
	if err := c.TerminateWorkflow(t.Context(), name(in), "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	begin()
	if err := c.GetWorkflow(t.Context(), name(in), "").Get(t.Context(), nil); err != nil {
		t.Errorf("begun again: %v", err)
	}
	close(store.release)
	begin() // finds that it has succeeded
	triedOnce(t, s, who, im.ID)
}

// turns notes whose rows come, and lets nobody on before it is opened.
type turns struct {
	*fake.Store
	opened chan struct{}
	came   chan task.ImportID
}

func (s *turns) AddRows(ctx context.Context, id task.ImportID, request string, rows task.Rows) (task.Import, error) {
	s.came <- id
	<-s.opened
	return s.Store.AddRows(ctx, id, request, rows)
}

// One tenant has begun a crowd of imports: another's is behind none of them,
// neither of those that wait nor of those that have begun.
func TestTenantsImportsTakeTurns(t *testing.T) {
	t.Parallel()
	const crowd, atOnce = 60, 8
	store := &turns{Store: &fake.Store{}, opened: make(chan struct{}), came: make(chan task.ImportID, 1000)}
	_, c := serve(t, store)
	begin := func(who identity.Caller) task.ImportID {
		_, _, im := startAs(t, who, store)
		in := task.ImportID{TenantID: who.Tenant, ID: im.ID}
		if err := importing.Begin(t.Context(), c, in); err != nil {
			t.Fatal(err)
		}
		return in
	}
	many, one := identity.Caller{Tenant: uuid.New(), User: uuid.New()}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	for range crowd {
		begin(many)
	}
	for range atOnce { // as many as go at once
		<-store.came
	}
	events := c.GetWorkflowHistory(t.Context(), name(begin(one)), "", true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for scheduled := false; !scheduled; {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		scheduled = e.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
	}
	time.Sleep(time.Second) // until it is in the queue
	close(store.opened)
	before := 0
	for next := <-store.came; next.TenantID == many.Tenant; next = <-store.came {
		before++
	}
	if before > 2*atOnce {
		t.Errorf("%d batches of the other's went before", before)
	}
}

// Histories that were recorded from real servers go on with today's code.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	temporaltest.Replay(t, "TaskImport", importing.Workflow)
}
