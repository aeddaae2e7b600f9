package report_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/report/fake"
	"bailiwick.dev/domain/task"
)

type world struct {
	store   *fake.Store
	files   *fake.Files
	source  *fake.Source
	begun   *fake.Generation
	press   *report.Press
	service *report.Service
	who     identity.Caller
}

func newWorld() *world {
	w := &world{store: &fake.Store{}, files: &fake.Files{}, begun: &fake.Generation{}, who: identity.Caller{Tenant: uuid.New(), User: uuid.New()},
		source: &fake.Source{Pages: [][]task.Task{{{Title: "a"}}, {{Title: "b"}}}}}
	w.press = &report.Press{Journal: w.store, Source: w.source, Files: w.files, Renderers: map[report.Format]report.Renderer{report.CSV: fake.Text{}, report.PDF: panics{}}}
	w.service = report.NewService(w.store, w.files, w.begun, w.source, accessfake.Gate{})
	return w
}

type panics struct{}

func (panics) Render(context.Context, io.Writer, report.Document) error { panic("a library's bug") }

func (w *world) ask(t *testing.T, f report.Format, title string) report.Run {
	t.Helper()
	r, err := w.service.Create(t.Context(), w.who, report.RunDraft{Format: f, Title: title})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) render(t *testing.T, r report.Run) (report.Made, error) {
	t.Helper()
	return w.press.Render(t.Context(), w.who.Tenant, r.ID, func(int64) {})
}

func TestFinishedRunHasOneFileThatOpens(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := w.ask(t, report.CSV, "T")
	if _, err := w.render(t, r); err != nil { // its answer is lost
		t.Fatal(err)
	}
	m, err := w.render(t, r)
	if err != nil || w.files.Count() != 2 {
		t.Fatalf("%v, %d files", err, w.files.Count())
	}
	for range 2 {
		if err := w.press.Finish(t.Context(), w.who.Tenant, r.ID, m); err != nil {
			t.Fatal(err)
		}
	}
	got, f, err := w.service.Open(t.Context(), w.who, r.ID)
	if err != nil || w.files.Count() != 1 {
		t.Fatalf("%v, %d files", err, w.files.Count())
	}
	b, err := io.ReadAll(f)
	if err != nil || string(b) != "a\nb\n" || got.File.Size != 4 || got.Status != report.Succeeded {
		t.Errorf("%q, %v, %+v", b, err, got)
	}
}

// An attempt that seemed dead writes its file after another has finished, or
// the run was cancelled: its file does not stay.
func TestLateFileIsRemoved(t *testing.T) {
	t.Parallel()
	for files, end := range []func(w *world, r report.Run) error{
		func(w *world, r report.Run) error { return w.press.Cancel(t.Context(), w.who.Tenant, r.ID) },
		func(w *world, r report.Run) error {
			m, err := w.render(t, r)
			return errors.Join(err, w.press.Finish(t.Context(), w.who.Tenant, r.ID, m))
		},
	} {
		w := newWorld()
		r := w.ask(t, report.CSV, "T")
		w.source.Wait = func(context.Context) error {
			w.source.Wait = nil
			return end(w, r)
		}
		if _, err := w.render(t, r); !report.IsOver(err) || w.files.Count() != files {
			t.Errorf("%v, %d files, want over and %d", err, w.files.Count(), files)
		}
	}
}

// readsIn lets tasks be read in one project alone.
type readsIn struct {
	accessfake.Gate
	project uuid.UUID
}

func (g readsIn) Allow(_ context.Context, _ identity.Caller, p access.Permission) error {
	return accessfake.Gate{task.TasksRead: access.ErrForbidden()}[p]
}

func (g readsIn) AllowIn(ctx context.Context, who identity.Caller, p access.Permission, project uuid.UUID) error {
	if project == g.project {
		return nil
	}
	return g.Allow(ctx, who, p)
}

// A report holds nothing that its reader could not read without it.
func TestReportIsForWhoMayReadItsTasks(t *testing.T) {
	t.Parallel()
	w := newWorld()
	mine, other := uuid.New(), uuid.New()
	theirs := report.NewService(w.store, w.files, w.begun, w.source, readsIn{project: mine})
	for _, project := range []*uuid.UUID{nil, &other, &mine} {
		d, want := report.RunDraft{Format: report.CSV, Filter: report.RunFilter{ProjectID: project}}, project != &mine
		if _, err := theirs.Create(t.Context(), w.who, d); fault.Is(err, fault.Forbidden) != want {
			t.Errorf("of %v: %v, want it forbidden: %v", project, err, want)
		}
		r, err := w.service.Create(t.Context(), w.who, d)
		if err != nil {
			t.Fatal(err)
		}
		m, err := w.render(t, r)
		if err == nil {
			err = w.press.Finish(t.Context(), w.who.Tenant, r.ID, m)
		}
		if _, _, opened := theirs.Open(t.Context(), w.who, r.ID); err != nil || fault.Is(opened, fault.Forbidden) != want {
			t.Errorf("the file of %v: %v, %v, want it forbidden: %v", project, err, opened, want)
		}
	}
}

// A run goes with its file, and not before the file.
func TestOldRunsArePurgedWithTheirFiles(t *testing.T) {
	t.Parallel()
	w := newWorld()
	over, live := w.ask(t, report.CSV, "T"), w.ask(t, report.CSV, "T")
	m, err := w.render(t, over)
	if err == nil {
		err = w.press.Finish(t.Context(), w.who.Tenant, over.ID, m)
	}
	if _, live := w.render(t, live); err != nil || live != nil {
		t.Fatal(err, live)
	}
	other := w.ask(t, report.CSV, "T")
	if _, err := w.service.Cancel(t.Context(), w.who, other.ID); err != nil {
		t.Fatal(err)
	}
	down := fault.New(fault.Unavailable, "storage_unavailable", "down")
	for _, want := range []int64{1, 0} {
		n, err := report.Purge(t.Context(), w.store, unswept{w.files, over.ID, down}, time.Now().Add(time.Minute))
		if n != want || errors.Is(err, down) != (want == 0) {
			t.Errorf("%d purged beside one that stays, %v, want %d", n, err, want)
		}
	}
	if _, err := w.service.Get(t.Context(), w.who, over.ID); err != nil {
		t.Errorf("while its file stays: %v", err)
	}
	for _, want := range []int64{1, 0} {
		if n, err := report.Purge(t.Context(), w.store, w.files, time.Now().Add(time.Minute)); n != want || err != nil {
			t.Errorf("%d purged, %v, want %d", n, err, want)
		}
	}
	if _, err := w.service.Get(t.Context(), w.who, over.ID); !fault.Is(err, fault.NotFound) || w.files.Count() != 1 {
		t.Errorf("%v with %d files, want not_found, and the other's", err, w.files.Count())
	}
}

// unswept cannot sweep one run.
type unswept struct {
	report.Files
	run uuid.UUID
	err error
}

func (f unswept) Sweep(ctx context.Context, tenant identity.TenantID, run, keep uuid.UUID) error {
	if run == f.run {
		return f.err
	}
	return f.Files.Sweep(ctx, tenant, run, keep)
}

func TestPanicFailsTheRunAlone(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := w.ask(t, report.PDF, "T")
	if _, err := w.render(t, r); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, want invalid", err)
	}
	if got, _ := w.store.Read(t.Context(), w.who.Tenant, r.ID); got.Failure == nil || got.Failure.Code != "not_renderable" || w.files.Count() != 0 {
		t.Errorf("%+v", got)
	}
}

// The reason of a failed attempt can be read while it is tried again, and
// holds nothing of an error that is not made to be shown.
func TestRunningRunSaysWhyItWaits(t *testing.T) {
	t.Parallel()
	for code, cause := range map[string]error{"storage_full": fault.New(fault.Unavailable, "storage_full", "no room"), "internal": errors.New("password=hunter2")} {
		w := newWorld()
		r := w.ask(t, report.CSV, "T")
		w.source.Err = cause
		if _, err := w.render(t, r); !errors.Is(err, cause) {
			t.Errorf("%v, want %v", err, cause)
		}
		got, _ := w.store.Read(t.Context(), w.who.Tenant, r.ID)
		if got.Status != report.Running || got.Failure == nil || got.Failure.Code != code || got.Progress.RowsDone != 2 {
			t.Errorf("%+v %+v", got, got.Failure)
		}
	}
}

func TestRunIsAcceptedAndStaysDueWhenNobodyBeginsIt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.begun.Err = fault.New(fault.Unavailable, "temporal_unavailable", "")
	r := w.ask(t, report.CSV, "")
	if r.Status != report.Pending || r.Title != "Tasks" {
		t.Errorf("%+v", r)
	}
	due := dueNow{w.store}
	if err := report.Reconcile(t.Context(), due, w.begun); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	w.begun.Err = nil
	if all := w.begun.Begun(); len(all) != 2 || all[1].ID != r.ID || all[1].TenantID != w.who.Tenant {
		t.Errorf("begun: %v", all)
	}
}

func TestFileIsNamedAfterTheTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Open tasks": "Open tasks.csv", "../../etc/passwd": "_.._etc_passwd.csv", `a/b\c:d*e?f"g<h>i|j`: "a_b_c_d_e_f_g_h_i_j.csv", "报告": "报告.csv", "...": "Tasks.csv", ".hidden": "hidden.csv",
	} {
		w := newWorld()
		r := w.ask(t, report.CSV, title)
		m, err := w.render(t, r)
		if err == nil {
			err = w.press.Finish(t.Context(), w.who.Tenant, r.ID, m)
		}
		if got, _ := w.store.Read(t.Context(), w.who.Tenant, r.ID); err != nil || got.File.Name != want {
			t.Errorf("%q names the file %+v, %v, want %q", title, got.File, err, want)
		}
	}
}
