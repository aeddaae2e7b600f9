package conformance

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
)

func file() report.RunFile {
	return report.RunFile{Name: "T.pdf", MediaType: "application/pdf", Size: 3, Replaced: 2, Digest: "ab", Object: uuid.New()}
}

func (w world) begin(t *testing.T, id uuid.UUID) report.Run {
	t.Helper()
	r, err := w.Begin(t.Context(), w.who.Tenant, id, now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func succeeds(t *testing.T, w world) {
	r, f := w.add(t), file()
	if r = w.begin(t, r.ID); r.Status != report.Running {
		t.Errorf("begun: %+v", r)
	}
	if err := w.Advance(t.Context(), w.who.Tenant, r.ID, 7, &report.RunFailure{Code: "storage_full", Message: "no room"}, now()); err != nil {
		t.Fatal(err)
	}
	r = w.read(t, r.ID)
	if r.Progress.RowsDone != 7 || r.Progress.RowsTotal != nil || r.Failure == nil || r.Failure.Code != "storage_full" || r.File != nil {
		t.Errorf("advanced: %+v", r)
	}
	if r = w.begin(t, r.ID); r.Progress.RowsDone != 0 || r.Failure == nil {
		t.Errorf("begun again: %+v, want no row done, and why", r)
	}
	if err := w.Finish(t.Context(), w.who.Tenant, r.ID, f, 9, now()); err != nil {
		t.Fatal(err)
	}
	r = w.read(t, r.ID)
	if r.Status != report.Succeeded || *r.File != f || r.Failure != nil || *r.Progress.RowsTotal != 9 || r.FinishedAt == nil || r.Version != 5 {
		t.Errorf("finished: %+v", r)
	}
}

func finishesOnce(t *testing.T, w world) {
	r, f := w.add(t), file()
	for range 2 {
		if err := w.Finish(t.Context(), w.who.Tenant, r.ID, f, 9, now()); err != nil {
			t.Error(err)
		}
	}
	if err := w.Finish(t.Context(), w.who.Tenant, r.ID, file(), 9, now()); !report.IsOver(err) {
		t.Errorf("another file: %v, want over", err)
	}
	if _, err := w.Begin(t.Context(), w.who.Tenant, r.ID, now()); !report.IsOver(err) {
		t.Errorf("begin: %v, want over", err)
	}
	if _, err := w.Cancel(t.Context(), w.who, r.ID, now()); !fault.Is(err, fault.Conflict) {
		t.Errorf("cancel: %v, want conflict", err)
	}
	if err := w.End(t.Context(), w.who.Tenant, r.ID, report.Failed, nil, now()); err != nil {
		t.Error(err)
	}
	if r = w.read(t, r.ID); r.Version != 2 || r.Status != report.Succeeded {
		t.Errorf("after all that: %+v", r)
	}
}

func fails(t *testing.T, w world) {
	r, why := w.add(t), report.RunFailure{Code: "too_many_rows", Message: "m"}
	if err := w.End(t.Context(), w.who.Tenant, r.ID, report.Failed, &why, now()); err != nil {
		t.Fatal(err)
	}
	if r = w.read(t, r.ID); r.Status != report.Failed || *r.Failure != why || r.FinishedAt == nil {
		t.Errorf("failed: %+v", r)
	}
}

func cancels(t *testing.T, w world) {
	r, who := w.add(t), w.who
	w.begin(t, r.ID)
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "f"}
	for range 2 { // a repetition, and the same asked for again
		for _, c := range []identity.Caller{who, w.who} {
			got, err := w.Cancel(t.Context(), c, r.ID, now())
			if err != nil || got.Status != report.Cancelled || got.Version != 3 || got.FinishedAt == nil {
				t.Errorf("Cancel = %+v, %v", got, err)
			}
		}
	}
	if err := w.Advance(t.Context(), w.who.Tenant, r.ID, 1, nil, now()); !report.IsOver(err) {
		t.Errorf("Advance: %v, want over", err)
	}
	if err := w.Finish(t.Context(), w.who.Tenant, r.ID, file(), 1, now()); !report.IsOver(err) {
		t.Errorf("Finish: %v, want over", err)
	}
	if _, err := w.Cancel(t.Context(), w.who, uuid.New(), now()); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown run: %v, want not_found", err)
	}
}

func findsDue(t *testing.T, w world) {
	r, over := w.add(t), w.add(t)
	if _, err := w.Cancel(t.Context(), w.who, over.ID, now()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Take(t.Context(), now()); err != nil || len(got) != 0 {
		t.Errorf("at once: %v, %v, want none", got, err)
	}
	later := now().Add(report.Grace + time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []report.Due
	for range 10 {
		wg.Go(func() {
			got, err := w.Take(t.Context(), later)
			mu.Lock()
			defer mu.Unlock()
			if all = append(all, got...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := (report.Due{TenantID: w.who.Tenant, ID: r.ID, Format: report.PDF}); len(all) != 1 || all[0] != want {
		t.Errorf("due: %v, want %v once", all, want)
	}
	w.begin(t, r.ID)
	if got, err := w.Take(t.Context(), later.Add(report.Again)); err != nil || len(got) != 0 {
		t.Errorf("begun: %v, %v, want none", got, err)
	}
	if got, err := w.Take(t.Context(), later.Add(2*report.Silence)); err != nil || len(got) != 1 {
		t.Errorf("silent: %v, %v, want it again", got, err)
	}
}

func drops(t *testing.T, w world) {
	live, over := w.add(t), w.add(t)
	if _, err := w.Cancel(t.Context(), w.who, over.ID, now()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Old(t.Context(), now().Add(-time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("an hour ago %v, %v were over, want none", got, err)
	}
	got, err := w.Old(t.Context(), now().Add(time.Hour))
	if want := (report.RunID{TenantID: w.who.Tenant, ID: over.ID}); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("over: %v, %v, want %v", got, err, want)
	}
	for range 2 {
		for _, id := range []uuid.UUID{live.ID, over.ID} {
			if err := w.Drop(t.Context(), report.RunID{TenantID: w.who.Tenant, ID: id}); err != nil {
				t.Error(err)
			}
		}
	}
	w.read(t, live.ID)
	if _, err := w.Run(t.Context(), w.who, over.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("dropped: %v, want not_found", err)
	}
}
