package conformance

import (
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

func (w world) imported(t *testing.T, project uuid.UUID, rows int64) task.Import {
	t.Helper()
	at := now()
	im, err := w.AddImport(t.Context(), w.who, task.Import{ID: id(), ProjectID: project, Status: task.ImportPending, RowsTotal: rows,
		Version: 1, CreatedAt: at, UpdatedAt: at, CreatedBy: w.who.Subject()}, []byte("title\nA\n"))
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func importsAreFew(t *testing.T, w world) {
	p := w.project(t)
	first := w.imported(t, p.ID, 1)
	for range task.MaxUnfinished - 1 {
		w.imported(t, p.ID, 1)
	}
	more := task.Import{ID: id(), ProjectID: p.ID, Status: task.ImportPending, RowsTotal: 1, Version: 1, CreatedAt: now(), UpdatedAt: now()}
	_, err := w.AddImport(t.Context(), w.who, more, []byte("title\nA\n"))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("one too many: %v, want conflict", err)
	}
	if _, err := w.EndImport(t.Context(), w.who, first.ID, task.ImportCancelled, "", now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddImport(t.Context(), w.who, more, []byte("title\nA\n")); err != nil {
		t.Errorf("when one is over: %v", err)
	}
}

func imports(t *testing.T, w world) {
	p := w.project(t)
	im := w.imported(t, p.ID, 3)
	at := task.ImportID{TenantID: w.who.Tenant, ID: im.ID}
	if _, err := w.Import(t.Context(), caller(), im.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's import: %v", err)
	}
	if _, err := w.AddImport(t.Context(), caller(), task.Import{ID: id(), ProjectID: p.ID, Status: task.ImportPending, RowsTotal: 1, Version: 1}, []byte("x")); !fault.Is(err, fault.NotFound) {
		t.Errorf("an import into another tenant's project: %v", err)
	}
	open, file, request, err := w.OpenImport(t.Context(), at)
	if err != nil || open.Status != task.ImportRunning || string(file) != "title\nA\n" || request != w.who.Request.ID {
		t.Fatalf("opened %+v, %q of %q, %v", open, file, request, err)
	}
	good, refused := w.draft(p.ID), w.draft(p.ID)
	good.CreatedBy, refused.Status = "user:x", "nowhere"
	first := task.Rows{From: 0, To: 2, Good: []task.Row{{Line: 2, Task: refused}, {Line: 4, Task: good}}, At: now()}
	if open, err = w.AddRows(t.Context(), at, request, first); err != nil || open.RowsDone != 2 || open.RowsRefused != 1 || open.Status != task.ImportRunning {
		t.Fatalf("after two rows %+v, %v", open, err)
	}
	if _, err := w.AddRows(t.Context(), at, request, first); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the same rows again: %v", err)
	}
	got, err := w.Task(t.Context(), w.who, good.ID)
	if err != nil || got.Number != 1 || got.CreatedBy != "user:x" {
		t.Errorf("the good row's task: %+v, %v", got, err)
	}
	if told := w.told(t, good.ID, "user:x"); len(told) != 1 {
		t.Errorf("its history is %s, want who asked for the import", told)
	}
	bad := []task.ImportError{{Line: 3, Errors: []task.ImportFlaw{{Column: "title", Code: "required", Message: "m"}}}}
	if open, err = w.AddRows(t.Context(), at, request, task.Rows{From: 2, To: 3, Bad: bad, At: now()}); err != nil || open.Status != task.ImportSucceeded || open.FinishedAt == nil || open.RowsRefused != 2 {
		t.Errorf("after all rows %+v, %v", open, err)
	}
	if _, err := w.AddRows(t.Context(), at, request, task.Rows{From: 3, To: 3, At: now()}); !fault.Is(err, fault.Conflict) {
		t.Errorf("more rows: %v", err)
	}
	var lines []int64
	for r := (page.Request{Limit: 1}); ; {
		rows, err := w.ImportErrors(t.Context(), w.who, im.ID, r)
		if err != nil || len(rows.Items) != 1 || len(rows.Items[0].Errors) != 1 {
			t.Fatalf("errors: %+v, %v", rows, err)
		}
		lines = append(lines, rows.Items[0].Line)
		if rows.Next == nil {
			break
		}
		r.After = *rows.Next
	}
	if len(lines) != 2 || lines[0] != 2 || lines[1] != 3 {
		t.Errorf("rows %v were refused, want 2 and 3", lines)
	}
	if _, err := w.ImportErrors(t.Context(), caller(), im.ID, page.Request{Limit: 1}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's errors: %v", err)
	}
	for project, want := range map[uuid.UUID]int{uuid.Nil: 1, im.ProjectID: 1, uuid.New(): 0} {
		if all, err := w.Imports(t.Context(), w.who, project, page.Request{Limit: 5}); err != nil || len(all.Items) != want || want == 1 && all.Items[0].ID != im.ID {
			t.Errorf("imports of %s: %+v, %v, want %d", project, all, err, want)
		}
	}
}

func endsImport(t *testing.T, w world) {
	im := w.imported(t, w.project(t).ID, 3)
	at := task.ImportID{TenantID: w.who.Tenant, ID: im.ID}
	for range 2 {
		got, err := w.EndImport(t.Context(), w.who, im.ID, task.ImportCancelled, "", now())
		if err != nil || got.Status != task.ImportCancelled || got.FinishedAt == nil || got.Version != 2 {
			t.Errorf("cancelled: %+v, %v", got, err)
		}
	}
	if _, err := w.EndImport(t.Context(), w.who, im.ID, task.ImportFailed, "internal", now()); !fault.Is(err, fault.Conflict) {
		t.Errorf("failed after it was cancelled: %v", err)
	}
	if got, _, _, err := w.OpenImport(t.Context(), at); !fault.Is(err, fault.Conflict) || got.Status != task.ImportCancelled {
		t.Errorf("opened after it was cancelled: %+v, %v", got, err)
	}
	if _, err := w.AddRows(t.Context(), at, "r", task.Rows{To: 1, At: now()}); !fault.Is(err, fault.Conflict) {
		t.Errorf("rows after it was cancelled: %v", err)
	}
	if _, err := w.EndImport(t.Context(), identity.Caller{Tenant: uuid.New()}, im.ID, task.ImportFailed, "", now()); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant ends it: %v", err)
	}
}
