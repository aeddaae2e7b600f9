// Package conformance is what every task.Store promises, as tests.
package conformance

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// Run tries the store that open returns, an empty one each time.
func Run(t *testing.T, open func(t *testing.T) task.Store) {
	for name, test := range map[string]func(*testing.T, world){
		"KeepsWhatItIsGiven":              keeps,
		"RefusesAnotherTenantsParent":     refusesAnotherTenantsParent,
		"ShowsAnotherTenantNothing":       showsAnotherTenantNothing,
		"RefusesAnOldVersion":             refusesAnOldVersion,
		"LetsOneOfTwoChangesWin":          letsOneWin,
		"AnswersARepetitionOnce":          answersOnce,
		"RefusesAKeyUsedForSomethingElse": refusesReusedKey,
		"PagesThroughEverythingOnce":      pages,
		"FiltersByProjectAndStatus":       filters,
		"DeletesWithWhatBelongsToIt":      deletes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world{open(t), caller()})
		})
	}
}

type world struct {
	task.Store
	who identity.Caller
}

func caller() identity.Caller {
	return identity.Caller{Tenant: uuid.New(), User: uuid.New(), Request: identity.Request{ID: "r"}}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func id() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (w world) project(t *testing.T) task.Project {
	t.Helper()
	p, err := w.AddProject(t.Context(), w.who, task.Project{ID: id(), Name: "P", Version: 1, CreatedAt: now(), UpdatedAt: now(), CreatedBy: w.who.Subject()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w world) draft(p uuid.UUID) task.Task {
	return task.Task{ID: id(), ProjectID: p, Title: "T", Status: task.Open, Priority: "normal", Version: 1, CreatedAt: now(), UpdatedAt: now(), CreatedBy: w.who.Subject()}
}

func (w world) task(t *testing.T, p uuid.UUID) task.Task {
	t.Helper()
	got, err := w.Add(t.Context(), w.who, w.draft(p))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func keeps(t *testing.T, w world) {
	p := w.project(t)
	want := w.draft(p.ID)
	due, assignee := now(), uuid.New()
	want.DueAt, want.AssigneeID, want.Description = &due, &assignee, "d'); drop table tasks; --"
	if _, err := w.Add(t.Context(), w.who, want); err != nil {
		t.Fatal(err)
	}
	got, err := w.Task(t.Context(), w.who, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	same := got.CreatedAt.Equal(want.CreatedAt) && got.DueAt.Equal(due)
	got.CreatedAt, got.UpdatedAt, got.DueAt = want.CreatedAt, want.UpdatedAt, want.DueAt
	if !same || !reflect.DeepEqual(got, want) {
		t.Errorf("Task = %+v, want %+v", got, want)
	}
	if gp, err := w.Project(t.Context(), w.who, p.ID); err != nil || gp.Name != p.Name || gp.Version != 1 {
		t.Errorf("Project = %+v, %v, want %+v", gp, err, p)
	}
}

func refusesAnotherTenantsParent(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	stranger := caller()
	if _, err := w.Add(t.Context(), stranger, w.draft(p.ID)); !fault.Is(err, fault.NotFound) {
		t.Errorf("a task in another tenant's project: %v, want not_found", err)
	}
	c := task.Comment{ID: id(), TaskID: mine.ID, Body: "x", Author: stranger.Subject(), CreatedAt: now()}
	if _, err := w.AddComment(t.Context(), stranger, c); !fault.Is(err, fault.NotFound) {
		t.Errorf("a comment on another tenant's task: %v, want not_found", err)
	}
}

func showsAnotherTenantNothing(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	stranger := caller()
	mine.Version = 2
	_, get := w.Task(t.Context(), stranger, mine.ID)
	_, change := w.Change(t.Context(), stranger, mine, nil)
	_, project := w.Project(t.Context(), stranger, p.ID)
	_, comments := w.Comments(t.Context(), stranger, mine.ID, page.Request{Limit: 10})
	for name, err := range map[string]error{
		"Task": get, "Change": change, "Project": project, "Comments": comments,
		"Delete":        w.Delete(t.Context(), stranger, mine.ID, 1),
		"DeleteProject": w.DeleteProject(t.Context(), stranger, p.ID, 1),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
	if got, err := w.Tasks(t.Context(), stranger, task.Filter{}, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
		t.Errorf("Tasks = %v, %v, want none", got.Items, err)
	}
	if got, err := w.Projects(t.Context(), stranger, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
		t.Errorf("Projects = %v, %v, want none", got.Items, err)
	}
}

func refusesAnOldVersion(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	mine.Version, p.Version = 9, 9
	_, change := w.Change(t.Context(), w.who, mine, nil)
	_, project := w.ChangeProject(t.Context(), w.who, p)
	for name, err := range map[string]error{
		"Change": change, "ChangeProject": project,
		"Delete":        w.Delete(t.Context(), w.who, mine.ID, 8),
		"DeleteProject": w.DeleteProject(t.Context(), w.who, p.ID, 8),
	} {
		if !fault.Is(err, fault.Precondition) {
			t.Errorf("%s: %v, want precondition", name, err)
		}
	}
}

func letsOneWin(t *testing.T, w world) {
	mine := w.task(t, w.project(t).ID)
	var wg sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wg.Go(func() {
			after := mine
			after.Version, after.Title = 2, fmt.Sprint(i)
			_, errs[i] = w.Change(t.Context(), w.who, after, task.Changes(mine, after, w.who))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !fault.Is(err, fault.Precondition):
			t.Errorf("loser: %v, want precondition", err)
		}
	}
	if won != 1 {
		t.Errorf("%d changes won, want 1", won)
	}
}

func answersOnce(t *testing.T, w world) {
	p := w.project(t)
	who := w.who
	who.Request.Once = &identity.Once{Key: "create", Fingerprint: "f"}
	var wg sync.WaitGroup
	ids := make([]uuid.UUID, 20)
	for i := range ids {
		wg.Go(func() {
			got, err := w.Add(t.Context(), who, w.draft(p.ID))
			if err != nil {
				t.Error(err)
			}
			ids[i] = got.ID
		})
	}
	wg.Wait()
	all, err := w.Tasks(t.Context(), w.who, task.Filter{}, page.Request{Limit: 50})
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("%d tasks, %v, want 1", len(all.Items), err)
	}
	for _, got := range ids {
		if got != all.Items[0].ID {
			t.Errorf("answer %v, want %v", got, all.Items[0].ID)
		}
	}
	w.repeatsChange(t, all.Items[0])
}

func (w world) repeatsChange(t *testing.T, mine task.Task) {
	t.Helper()
	who := w.who
	who.Request.Once = &identity.Once{Key: "change", Fingerprint: "f"}
	mine.Version, mine.Title = 2, "changed"
	for range 2 {
		got, err := w.Change(t.Context(), who, mine, nil)
		if err != nil || got.Title != "changed" || got.Version != 2 {
			t.Errorf("Change = %+v, %v, want version 2", got, err)
		}
	}
	who.Request.Once = &identity.Once{Key: "delete", Fingerprint: "f"}
	for range 2 {
		if err := w.Delete(t.Context(), who, mine.ID, 2); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
}

func refusesReusedKey(t *testing.T, w world) {
	p := w.project(t)
	who := w.who
	for i, want := range []bool{true, false} {
		who.Request.Once = &identity.Once{Key: "k", Fingerprint: fmt.Sprint(i)}
		if _, err := w.Add(t.Context(), who, w.draft(p.ID)); (err == nil) != want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("write %d: %v", i, err)
		}
	}
}

func pages(t *testing.T, w world) {
	p := w.project(t)
	same := now()
	for range 25 { // several at one instant, so that the id decides
		d := w.draft(p.ID)
		d.CreatedAt = same
		if _, err := w.Add(t.Context(), w.who, d); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uuid.UUID]bool{}
	for r := (page.Request{Limit: 10}); ; {
		got, err := w.Tasks(t.Context(), w.who, task.Filter{}, r)
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
		t.Errorf("%d tasks seen, want 25", len(seen))
	}
}

func filters(t *testing.T, w world) {
	a, b := w.project(t), w.project(t)
	w.task(t, a.ID)
	done := w.draft(b.ID)
	done.Status = task.Done
	if _, err := w.Add(t.Context(), w.who, done); err != nil {
		t.Fatal(err)
	}
	w.task(t, b.ID)
	for want, f := range map[int]task.Filter{3: {}, 2: {ProjectID: b.ID}, 1: {ProjectID: b.ID, Status: task.Done}, 0: {ProjectID: a.ID, Status: task.Done}} {
		got, err := w.Tasks(t.Context(), w.who, f, page.Request{Limit: 10})
		if err != nil || len(got.Items) != want {
			t.Errorf("%+v: %d tasks, %v, want %d", f, len(got.Items), err, want)
		}
	}
}

func deletes(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	c := task.Comment{ID: id(), TaskID: mine.ID, Body: "x", Author: w.who.Subject(), CreatedAt: now()}
	if _, err := w.AddComment(t.Context(), w.who, c); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Comments(t.Context(), w.who, mine.ID, page.Request{Limit: 10}); err != nil || len(got.Items) != 1 || got.Items[0].Body != "x" {
		t.Errorf("Comments = %+v, %v, want one", got.Items, err)
	}
	if err := w.DeleteProject(t.Context(), w.who, p.ID, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Task(t.Context(), w.who, mine.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("the task of a deleted project: %v, want not_found", err)
	}
}
