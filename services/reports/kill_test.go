package main

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// A worker is killed in the middle of a file: the next one makes it whole, once.
func TestReportSurvivesTheWorkersDeath(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.startTemporal(t)
	victim := s.startWorker(t)
	r := s.ask(t, report.CSV)
	eventually(t, 30*time.Second, "rows are written", func() bool { return s.read(t, r.ID).Progress.RowsDone > 0 })
	if _, _, err := s.service.Open(t.Context(), s.who, r.ID); err == nil {
		t.Error("half a file can be downloaded")
	}
	if err := victim.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	if got := s.read(t, r.ID); got.Status != report.Running {
		t.Fatalf("it was too quick to be killed: %+v", got)
	}
	s.pause.Store(0)
	heir := s.startWorker(t)
	s.succeeds(t, r)
	if left := s.files(t); len(left) != 1 {
		t.Errorf("%d files: %v, want one", len(left), left)
	}
	s.isWorkflow(t, r, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	temporaltest.Record(t, s.address, s.workflow(r), "killed")
	stops(t, heir)
}

// succeeds waits for the run's file, and reads it.
func (s *stage) succeeds(t *testing.T, r report.Run) {
	t.Helper()
	eventually(t, 60*time.Second, "the report is made", func() bool { return s.read(t, r.ID).Status.Over() })
	got, f, err := s.service.Open(t.Context(), s.who, r.ID)
	if err != nil {
		t.Fatalf("%+v: %v", got, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if lines := strings.Count(string(b), "\r\n"); err != nil || lines != pages*perPage+1 || int64(len(b)) != got.File.Size || *got.Progress.RowsTotal != pages*perPage {
		t.Errorf("%d lines in %d bytes, %v, want %d rows: %+v", lines, len(b), err, pages*perPage, got)
	}
}

func (s *stage) workflow(r report.Run) string {
	return "report/" + s.who.Tenant.String() + "/" + r.ID.String()
}

// isWorkflow waits until the run's workflow has the status.
func (s *stage) isWorkflow(t *testing.T, r report.Run, want enums.WorkflowExecutionStatus) {
	t.Helper()
	eventually(t, 10*time.Second, "the workflow is "+want.String(), func() bool {
		d, err := s.client.DescribeWorkflowExecution(t.Context(), s.workflow(r), "")
		return err == nil && d.WorkflowExecutionInfo.Status == want
	})
}

// stops tells a worker to end, and it does.
func stops(t *testing.T, worker *exec.Cmd) {
	t.Helper()
	if err := worker.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- worker.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("on SIGTERM the worker ends with %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the worker does not end on SIGTERM")
	}
}

// Cancelled in the middle, nothing of the file is left within seconds.
func TestCancelStopsTheWorker(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.startTemporal(t)
	s.startWorker(t)
	r := s.ask(t, report.XLSX)
	eventually(t, 30*time.Second, "rows are written", func() bool { return s.read(t, r.ID).Progress.RowsDone > 0 })
	s.pause.Store(60_000) // it would take minutes
	if _, err := s.service.Cancel(t.Context(), s.who, r.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "no file is left", func() bool { return len(s.files(t)) == 0 })
	s.isWorkflow(t, r, enums.WORKFLOW_EXECUTION_STATUS_CANCELED)
	if got := s.read(t, r.ID); got.Status != report.Cancelled || got.File != nil {
		t.Errorf("%+v", got)
	}
	temporaltest.Record(t, s.address, s.workflow(r), "cancelled")
}

// A worker that is told to stop does not finish a long report: it hands it
// over at once, and leaves nothing of its own.
func TestStoppingWorkerHandsOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.startTemporal(t)
	first := s.startWorker(t)
	r := s.ask(t, report.CSV)
	eventually(t, 30*time.Second, "rows are written", func() bool { return s.read(t, r.ID).Progress.RowsDone > 0 })
	s.pause.Store(60_000) // it would take minutes
	stops(t, first)
	if left := s.files(t); len(left) != 0 {
		t.Errorf("the first left %v", left)
	}
	s.pause.Store(0)
	s.startWorker(t)
	s.succeeds(t, r)
}

// Temporal is down when the report is asked for and when the worker starts:
// nobody has to lend a hand later.
func TestReportIsMadeWhenTemporalComesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pause.Store(0)
	r := s.ask(t, report.CSV)
	worker := s.startWorker(t)
	time.Sleep(2 * time.Second)
	if got := s.read(t, r.ID); got.Status != report.Pending {
		t.Fatalf("without Temporal: %+v", got)
	}
	s.startTemporal(t)
	s.succeeds(t, r)
	stops(t, worker)
}

// A run that was over long ago is purged by the schedule, with its file; one
// that was over a moment ago stays.
func TestOldReportsArePurgedBySchedule(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.startTemporal(t)
	s.startWorker(t)
	files, err := blob.Open(t.Context(), s.bucket())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	store := reportsdb.New(s.db.App)
	var ids []uuid.UUID
	for _, at := range []time.Time{time.Now().Add(-report.Retention - time.Hour), time.Now()} {
		r, err := store.Add(t.Context(), s.who, report.Run{ID: uuid.New(), Report: report.Tasks, Format: report.CSV, Title: "T", Status: report.Pending, Version: 1, CreatedAt: at, UpdatedAt: at})
		if err == nil {
			err = store.Finish(t.Context(), s.who.Tenant, r.ID, report.RunFile{Object: r.ID}, 0, at)
		}
		_, stored := files.Write(t.Context(), report.Place{Tenant: s.who.Tenant, Run: r.ID, Object: r.ID}, "text/csv", func(w io.Writer) error { return nil })
		if err != nil || stored != nil {
			t.Fatal(err, stored)
		}
		ids = append(ids, r.ID)
	}
	purge := s.client.ScheduleClient().GetHandle(t.Context(), "purge-reports")
	eventually(t, 30*time.Second, "the old run is gone", func() bool {
		_ = purge.Trigger(t.Context(), client.ScheduleTriggerOptions{}) // there is none at first
		_, err := s.service.Get(t.Context(), s.who, ids[0])
		return fault.Is(err, fault.NotFound)
	})
	if left := s.files(t); s.read(t, ids[1]).Status != report.Succeeded || len(left) != 1 {
		t.Errorf("files %v, want that of the other", left)
	}
}
