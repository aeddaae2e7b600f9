// Package conformance is what every store of runs promises, as tests.
package conformance

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/report"
)

// Store is all that keeps runs.
type Store interface {
	report.Store
	report.Journal
	report.Queue
}

// Run tries the store that open returns, an empty one each time.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, world){
		"KeepsWhatItIsGiven":              keeps,
		"ShowsAnotherTenantNothing":       showsAnotherTenantNothing,
		"AnswersARepetitionOnce":          answersOnce,
		"RefusesAKeyUsedForSomethingElse": refusesReusedKey,
		"PagesThroughEverythingOnce":      pages,
		"GoesFromPendingToSucceeded":      succeeds,
		"FinishesOnce":                    finishesOnce,
		"TellsWhyItFailed":                fails,
		"StopsWhatIsCancelled":            cancels,
		"FindsWhatIsDueOnce":              findsDue,
		"BoundsWhatIsNotOver":             bounds,
		"DropsWhatIsOld":                  drops,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world{open(t), caller()})
		})
	}
}

type world struct {
	Store
	who identity.Caller
}

func caller() identity.Caller {
	return identity.Caller{Tenant: uuid.New(), User: uuid.New(), Request: identity.Request{ID: "r"}}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (w world) draft() report.Run {
	return report.Run{ID: uuid.Must(uuid.NewV7()), Report: report.Tasks, Format: report.PDF, Title: "T", Status: report.Pending,
		Version: 1, CreatedAt: now(), UpdatedAt: now(), CreatedBy: w.who.Subject()}
}

func (w world) add(t *testing.T) report.Run {
	t.Helper()
	r, err := w.Add(t.Context(), w.who, w.draft())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w world) read(t *testing.T, id uuid.UUID) report.Run {
	t.Helper()
	r, err := w.Run(t.Context(), w.who, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func keeps(t *testing.T, w world) {
	want, project := w.draft(), uuid.New()
	want.Title, want.Filter = "t'); drop table runs; --", report.RunFilter{ProjectID: &project, Status: "open"}
	if _, err := w.Add(t.Context(), w.who, want); err != nil {
		t.Fatal(err)
	}
	got := w.read(t, want.ID)
	same := got.CreatedAt.Equal(want.CreatedAt) && got.UpdatedAt.Equal(want.UpdatedAt)
	got.CreatedAt, got.UpdatedAt = want.CreatedAt, want.UpdatedAt
	if !same || !reflect.DeepEqual(got, want) {
		t.Errorf("Run = %+v, want %+v", got, want)
	}
}

func showsAnotherTenantNothing(t *testing.T, w world) {
	r, stranger := w.add(t), caller()
	_, get := w.Run(t.Context(), stranger, r.ID)
	_, cancel := w.Cancel(t.Context(), stranger, r.ID, now())
	_, begin := w.Begin(t.Context(), stranger.Tenant, r.ID, now())
	for name, err := range map[string]error{
		"Run": get, "Cancel": cancel, "Begin": begin,
		"Advance": w.Advance(t.Context(), stranger.Tenant, r.ID, 1, nil, now()),
		"Finish":  w.Finish(t.Context(), stranger.Tenant, r.ID, report.RunFile{Object: uuid.New()}, 1, now()),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
	if err := w.End(t.Context(), stranger.Tenant, r.ID, report.Failed, nil, now()); err != nil {
		t.Error(err)
	}
	if got := w.read(t, r.ID); got.Version != 1 || got.Status != report.Pending {
		t.Errorf("another tenant changed it to %+v", got)
	}
	if got, err := w.Runs(t.Context(), stranger, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
		t.Errorf("Runs = %v, %v, want none", got.Items, err)
	}
}

func answersOnce(t *testing.T, w world) {
	who := w.who
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "f"}
	ids := make([]uuid.UUID, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			got, err := w.Add(t.Context(), who, w.draft())
			if err != nil {
				t.Error(err)
			}
			ids[i] = got.ID
		})
	}
	wg.Wait()
	all, err := w.Runs(t.Context(), w.who, page.Request{Limit: 50})
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("%d runs, %v, want 1", len(all.Items), err)
	}
	for _, got := range ids {
		if got != all.Items[0].ID {
			t.Errorf("answer %v, want %v", got, all.Items[0].ID)
		}
	}
}

func refusesReusedKey(t *testing.T, w world) {
	who := w.who
	for i, want := range []bool{true, false} {
		who.Request.Once = &identity.Once{Key: "k", Fingerprint: fmt.Sprint(i)}
		if _, err := w.Add(t.Context(), who, w.draft()); (err == nil) != want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("write %d: %v", i, err)
		}
	}
}

func pages(t *testing.T, w world) {
	same, seen := now(), map[uuid.UUID]bool{}
	for range 25 { // at one instant, so that the id decides
		r := w.draft()
		r.CreatedAt = same
		if _, err := w.Add(t.Context(), w.who, r); err != nil {
			t.Fatal(err)
		}
	}
	for r := (page.Request{Limit: 10}); ; {
		got, err := w.Runs(t.Context(), w.who, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range got.Items {
			if seen[x.ID] {
				t.Errorf("%v is on two pages", x.ID)
			}
			seen[x.ID] = true
		}
		if got.Next == nil {
			break
		}
		r.After = *got.Next
	}
	if len(seen) != 25 {
		t.Errorf("%d runs seen, want 25", len(seen))
	}
}

func bounds(t *testing.T, w world) {
	who := w.who
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "f"}
	first, err := w.Add(t.Context(), who, w.draft())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var added atomic.Int64
	for range report.MaxUnfinished + 10 {
		wg.Go(func() {
			_, err := w.Add(t.Context(), w.who, w.draft())
			if err == nil {
				added.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("one too many: %v", err)
			}
		})
	}
	wg.Wait()
	if n := added.Load(); n != report.MaxUnfinished-1 {
		t.Errorf("%d were added to one, want %d in all", n, report.MaxUnfinished)
	}
	if again, err := w.Add(t.Context(), who, w.draft()); err != nil || again.ID != first.ID {
		t.Errorf("a repetition: %v, %v, want the first answer", again.ID, err)
	}
	who.Request.Once = &identity.Once{Key: "other", Fingerprint: "f"}
	if _, err := w.Add(t.Context(), who, w.draft()); !fault.Is(err, fault.Conflict) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := w.Add(t.Context(), caller(), w.draft()); err != nil {
		t.Errorf("another tenant's: %v", err)
	}
	if _, err := w.Cancel(t.Context(), w.who, first.ID, now()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Add(t.Context(), who, w.draft()); err != nil || got.ID == uuid.Nil {
		t.Errorf("when one is over: %v, %v", got.ID, err)
	}
}
