// Package conformance is what every task.Store promises, as tests.
package conformance

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
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
		"DeletesWithWhatBelongsToIt":      deletes,
		"NumbersTasksWithinTheirProject":  numbers,
		"MakesKeysOfProjects":             keys,
		"KeepsMembers":                    members,
		"AllowsOnlyTheProjectsStatuses":   statuses,
		"LeavesAnArchivedProjectAsItIs":   archived,
		"RefusesACircleOfParents":         parents,
		"MakesNoCircleOfTwoAtOnce":        makesNoCircle,
		"LosesNoStatusThatTasksTake":      losesNoStatus,
		"TellsTheHistoryOfEveryField":     history,
		"ChangesWhatAPatchNames":          changes,
		"KeepsTheTrash":                   trash,
		"MovesBetweenTwo":                 moves,
		"GivesEachItsOwnPlace":            movesAside,
		"DoesABulkItemByItem":             bulk,
		"DoesABulkWholeOrNotAtAll":        bulkAll,
		"DoesABulkInItsOrder":             bulkInOrder,
		"FiltersAsTheLanguageSays":        filters,
		"PagesThroughEverySort":           sorts,
		"ShowsEveryStableRowOnce":         stable,
		"SearchesWords":                   searches,
		"SearchesTextWithoutSpaces":       searchesWithoutSpaces,
		"SearchesWhatIsThere":             searchesWhatIsThere,
		"CountsByGroup":                   counts,
		"ImportsRowByRow":                 imports,
		"ImportsThatAreNotOverAreFew":     importsAreFew,
		"EndsAnImportOnce":                endsImport,
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
	p, err := w.AddProject(t.Context(), w.who, task.Project{ID: id(), Name: "Project", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now(), UpdatedAt: now(), CreatedBy: w.who.Subject()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w world) draft(p uuid.UUID) task.Task {
	at := now()
	return task.Task{ID: id(), ProjectID: p, Title: "T", Status: task.Open, Priority: "normal", Assignees: []uuid.UUID{}, Labels: []string{},
		Version: 1, CreatedAt: at, UpdatedAt: at, CreatedBy: w.who.Subject()}
}

func (w world) task(t *testing.T, p uuid.UUID) task.Task {
	t.Helper()
	got, err := w.Add(t.Context(), w.who, w.draft(p))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// show is what a client would see.
func show(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// retitled changes the title of the version that t is.
func retitled(t task.Task, title string) task.ItemChange {
	return task.ItemChange{ID: t.ID, Version: t.Version, Patch: task.Patch{Title: patch.To(title)}}
}

func keeps(t *testing.T, w world) {
	p := w.project(t)
	want := w.draft(p.ID)
	due, estimate := now(), int64(90)
	want.DueAt, want.StartAt, want.EstimateMinutes, want.Description = &due, &due, &estimate, "d'); drop table tasks; --"
	want.Assignees, want.Labels = []uuid.UUID{uuid.New(), uuid.New()}, []string{"a", "b c"}
	made, err := w.Add(t.Context(), w.who, want)
	if err != nil {
		t.Fatal(err)
	}
	want.Number, want.Key, want.Rank = 1, p.Key+"-1", task.FirstRank(1)
	if show(t, made) != show(t, want) {
		t.Errorf("Add = %+v, want %+v", made, want)
	}
	got, err := w.Task(t.Context(), w.who, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if show(t, got) != show(t, want) {
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
	_, change := w.Change(t.Context(), stranger, retitled(mine, "x"), now())
	_, project := w.Project(t.Context(), stranger, p.ID)
	_, comments := w.Comments(t.Context(), stranger, mine.ID, page.Request{Limit: 10})
	_, remove := w.Delete(t.Context(), stranger, task.ItemDelete{ID: mine.ID, Version: 1}, now())
	_, restore := w.Restore(t.Context(), stranger, task.ItemDelete{ID: mine.ID, Version: 1}, now())
	_, move := w.Move(t.Context(), stranger, task.Move{ID: mine.ID, Version: 1, After: mine.ID}, now())
	_, history := w.History(t.Context(), stranger, mine.ID, page.Request{Limit: 1})
	_, members := w.Members(t.Context(), stranger, p.ID, page.Request{Limit: 1})
	for name, err := range map[string]error{
		"Task": get, "Change": change, "Project": project, "Comments": comments, "Delete": remove, "Restore": restore, "Move": move, "History": history,
		"Members": members, "AddMember": w.AddMember(t.Context(), stranger, p.ID, task.Member{UserID: id(), AddedAt: now()}),
		"RemoveMember":  w.RemoveMember(t.Context(), stranger, p.ID, id()),
		"DeleteProject": w.DeleteProject(t.Context(), stranger, p.ID, 1),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
	if got, err := w.Tasks(t.Context(), stranger, task.Query{}, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
		t.Errorf("Tasks = %v, %v, want none", got.Items, err)
	}
	if got, err := w.Projects(t.Context(), stranger, nil, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
		t.Errorf("Projects = %v, %v, want none", got.Items, err)
	}
	w.project(t)
	for _, only := range [][]uuid.UUID{{p.ID, id()}, {}} {
		if got, err := w.Projects(t.Context(), w.who, only, page.Request{Limit: 10}); err != nil || len(got.Items) != len(only)/2 || len(only) > 0 && got.Items[0].ID != p.ID {
			t.Errorf("Projects of %v = %v, %v", only, got.Items, err)
		}
		if got, err := w.Projects(t.Context(), stranger, only, page.Request{Limit: 10}); err != nil || len(got.Items) != 0 {
			t.Errorf("Projects of %v = %v, %v, want none", only, got.Items, err)
		}
	}
}

func refusesAnOldVersion(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	mine.Version, p.Version = 8, 9
	_, change := w.Change(t.Context(), w.who, retitled(mine, "x"), now())
	_, remove := w.Delete(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 8}, now())
	_, move := w.Move(t.Context(), w.who, task.Move{ID: mine.ID, Version: 8, After: w.task(t, p.ID).ID}, now())
	_, project := w.ChangeProject(t.Context(), w.who, p)
	for name, err := range map[string]error{
		"Change": change, "ChangeProject": project, "Delete": remove, "Move": move,
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
			_, errs[i] = w.Change(t.Context(), w.who, retitled(mine, fmt.Sprint(i)), now())
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
	if got, err := w.History(t.Context(), w.who, mine.ID, page.Request{Limit: 20}); err != nil || len(got.Items) != 2 {
		t.Errorf("%d entries of history, %v, want 2", len(got.Items), err)
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
	all, err := w.Tasks(t.Context(), w.who, task.Query{}, page.Request{Limit: 50})
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
	first, err := w.Change(t.Context(), who, retitled(mine, "changed"), now())
	if err != nil || first.Title != "changed" || first.Version != 2 {
		t.Errorf("Change = %+v, %v, want version 2", first, err)
	}
	if again, err := w.Change(t.Context(), who, retitled(mine, "changed"), now()); err != nil || show(t, again) != show(t, first) {
		t.Errorf("Change again = %+v, %v, want %+v", again, err, first)
	}
	who.Request.Once = &identity.Once{Key: "delete", Fingerprint: "f"}
	for range 2 {
		if _, err := w.Delete(t.Context(), who, task.ItemDelete{ID: mine.ID, Version: 2}, now()); err != nil {
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
		got, err := w.Tasks(t.Context(), w.who, task.Query{}, r)
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
