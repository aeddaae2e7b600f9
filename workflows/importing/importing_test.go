package importing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/task/fake"
	"bailiwick.dev/workflows/importing"
	faults "bailiwick.dev/workflows/temporal"
)

// flaky fails as often as it is told to: before it does its work, and after.
type flaky struct {
	*fake.Store
	calls int
}

func (f *flaky) AddRows(ctx context.Context, id task.ImportID, request string, rows task.Rows) (task.Import, error) {
	down := fault.New(fault.Unavailable, "database_unavailable", "down")
	f.calls++
	if f.calls%3 == 1 {
		return task.Import{}, down
	}
	im, err := f.Store.AddRows(ctx, id, request, rows)
	if f.calls%3 == 2 {
		return im, down
	}
	return im, err
}

const total = 23

func start(t *testing.T, store task.Store) (*task.Service, identity.Caller, task.Import) {
	t.Helper()
	return startAs(t, identity.Caller{Tenant: uuid.New(), User: uuid.New()}, store)
}

func startAs(t *testing.T, who identity.Caller, store task.Store) (*task.Service, identity.Caller, task.Import) {
	t.Helper()
	s := task.NewService(store, accessfake.Gate{})
	p, err := s.CreateProject(t.Context(), who, task.ProjectDraft{Name: "P"})
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	file.WriteString("title,status\n")
	for i := range total {
		fmt.Fprintf(&file, "T%d,%s\n", i, []string{"open", "open", "nowhere"}[i%3])
	}
	im, err := s.StartImport(t.Context(), who, p.ID, []byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	return s, who, im
}

func run(t *testing.T, store task.Imports, in task.ImportID) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(sdkworker.Options{Interceptors: faults.Options().Interceptors})
	env.RegisterActivity(&importing.Activities{Importer: &task.Importer{Imports: store}})
	env.ExecuteWorkflow(importing.Workflow, in)
	return env.GetWorkflowError()
}

// Each row is tried once, although every batch fails before it is done or after.
func TestEveryRowIsTriedOnce(t *testing.T) {
	t.Parallel()
	store := &flaky{Store: &fake.Store{}}
	s, who, im := start(t, store)
	if err := run(t, store, task.ImportID{TenantID: who.Tenant, ID: im.ID}); err != nil {
		t.Fatal(err)
	}
	triedOnce(t, s, who, im.ID)
}

// triedOnce holds that an import made a task of each good row, and of no other.
func triedOnce(t *testing.T, s *task.Service, who identity.Caller, id uuid.UUID) {
	t.Helper()
	got, err := s.GetImport(t.Context(), who, id)
	if err != nil || got.Status != task.ImportSucceeded || got.RowsDone != total || got.RowsRefused != total/3 {
		t.Errorf("%+v, %v", got, err)
	}
	all, err := s.List(t.Context(), who, task.Filter{}, page.Request{Limit: 1000})
	if err != nil || len(all.Items) != total-total/3 {
		t.Errorf("%d tasks, %v, want %d", len(all.Items), err, total-total/3)
	}
}

func TestCancelledImportEndsCancelled(t *testing.T) {
	t.Parallel()
	store := &fake.Store{}
	s, who, im := start(t, store)
	if _, err := s.CancelImport(t.Context(), who, im.ID); err != nil {
		t.Fatal(err)
	}
	if err := run(t, store, task.ImportID{TenantID: who.Tenant, ID: im.ID}); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("the workflow ends with %v", err)
	}
}
