package conformance

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
)

func (w world) change(t *testing.T, of task.Task, p task.Patch) (task.Task, error) {
	t.Helper()
	return w.Change(t.Context(), w.who, task.ItemChange{ID: of.ID, Version: of.Version, Patch: p}, now())
}

func (w world) mustChange(t *testing.T, of task.Task, p task.Patch) task.Task {
	t.Helper()
	got, err := w.change(t, of, p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func numbers(t *testing.T, w world) {
	p, other := w.project(t), w.project(t)
	w.task(t, other.ID)
	var wg sync.WaitGroup
	got := make([]int64, 20)
	for i := range got {
		wg.Go(func() {
			made, err := w.Add(t.Context(), w.who, w.draft(p.ID))
			if err != nil || made.Key != fmt.Sprintf("%s-%d", p.Key, made.Number) {
				t.Errorf("Add = %+v, %v", made, err)
			}
			got[i] = made.Number
		})
	}
	refused := w.draft(p.ID)
	refused.Status = "nowhere"
	if _, err := w.Add(t.Context(), w.who, refused); !fault.Is(err, fault.Invalid) {
		t.Errorf("a status that the project has not: %v, want invalid", err)
	}
	wg.Wait()
	slices.Sort(got)
	for i, n := range got {
		if n != int64(i+1) {
			t.Fatalf("numbers %v, want 1 to 20 without a gap", got)
		}
	}
	blank := w.draft(p.ID)
	blank.Status = ""
	if made, err := w.Add(t.Context(), w.who, blank); err != nil || made.Status != task.Open || made.Number != 21 {
		t.Errorf("Add = %+v, %v, want the project's first status", made, err)
	}
}

func keys(t *testing.T, w world) {
	if a, b := w.project(t), w.project(t); a.Key != "PRO" || b.Key != "PRO2" {
		t.Errorf("keys %s and %s, want PRO and PRO2", a.Key, b.Key)
	}
	p := task.Project{ID: id(), Key: "PRO", Name: "x", Statuses: task.DefaultStatuses(), Version: 1, CreatedAt: now(), UpdatedAt: now()}
	if _, err := w.AddProject(t.Context(), w.who, p); !fault.Is(err, fault.Conflict) {
		t.Errorf("a key that is taken: %v, want conflict", err)
	}
	if got, err := w.AddProject(t.Context(), caller(), p); err != nil || got.Key != "PRO" {
		t.Errorf("the same key in another tenant: %+v, %v", got, err)
	}
}

func members(t *testing.T, w world) {
	p := w.project(t)
	first, second := task.Member{UserID: id(), AddedAt: now(), AddedBy: "x"}, task.Member{UserID: id(), AddedAt: now().Add(1000), AddedBy: "x"}
	for _, m := range []task.Member{first, second, first} {
		if err := w.AddMember(t.Context(), w.who, p.ID, m); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Members(t.Context(), w.who, p.ID, page.Request{Limit: 1})
	if err != nil || len(got.Items) != 1 || got.Items[0] != first || got.Next == nil {
		t.Fatalf("Members = %+v, %v, want the first of two", got, err)
	}
	if err := w.RemoveMember(t.Context(), w.who, p.ID, first.UserID); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Members(t.Context(), w.who, p.ID, page.Request{Limit: 9}); err != nil || len(got.Items) != 1 || got.Items[0] != second {
		t.Errorf("Members = %+v, %v, want the second", got, err)
	}
}

func statuses(t *testing.T, w world) {
	p := w.project(t)
	mine := w.mustChange(t, w.task(t, p.ID), task.Patch{Status: patch.To(task.Cancelled)})
	if _, err := w.change(t, mine, task.Patch{Status: patch.To(task.Done)}); !fault.Is(err, fault.Conflict) {
		t.Errorf("cancelled to done: %v, want conflict", err)
	}
	if _, err := w.change(t, mine, task.Patch{Status: patch.To("nowhere")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("cancelled to a status that there is not: %v, want invalid", err)
	}
	p.Statuses, p.Version = []task.Status{{Name: task.Open, Next: []string{}}}, 2
	if _, err := w.ChangeProject(t.Context(), w.who, p); !fault.Is(err, fault.Conflict) {
		t.Errorf("a project that loses a status in use: %v, want conflict", err)
	}
	w.mustChange(t, mine, task.Patch{Status: patch.To(task.Open)})
	if _, err := w.ChangeProject(t.Context(), w.who, p); err != nil {
		t.Errorf("a project that loses statuses not in use: %v", err)
	}
}

func archived(t *testing.T, w world) {
	p := w.project(t)
	mine, other, gone := w.task(t, p.ID), w.task(t, p.ID), w.task(t, p.ID)
	if _, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: gone.ID, Version: 1}, now()); err != nil {
		t.Fatal(err)
	}
	keyed := w
	keyed.who.Request.Once = &identity.Once{Key: "import", Fingerprint: "f"}
	first := keyed.imported(t, p.ID, 1)
	at := now()
	p.Version, p.ArchivedAt = 2, &at
	if _, err := w.ChangeProject(t.Context(), w.who, p); err != nil {
		t.Fatal(err)
	}
	if again := keyed.imported(t, p.ID, 1); again.ID != first.ID {
		t.Errorf("an import again under its key is %s, want the first, %s", again.ID, first.ID)
	}
	_, file := w.AddImport(t.Context(), w.who, task.Import{ID: id(), ProjectID: p.ID, Status: task.ImportPending, RowsTotal: 1, Version: 1}, []byte("x"))
	_, add := w.Add(t.Context(), w.who, w.draft(p.ID))
	_, change := w.change(t, mine, task.Patch{Title: patch.To("x")})
	_, move := w.Move(t.Context(), w.who, task.Move{ID: mine.ID, Version: 1, After: other.ID}, now())
	_, remove := w.Delete(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 1}, now())
	_, restore := w.Restore(t.Context(), w.who, task.ItemDelete{ID: gone.ID, Version: 2}, now())
	for name, err := range map[string]error{"Add": add, "Change": change, "Move": move, "Delete": remove, "Restore": restore, "AddImport": file} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v, want conflict", name, err)
		}
	}
	p.Version, p.ArchivedAt = 3, nil
	if _, err := w.ChangeProject(t.Context(), w.who, p); err != nil {
		t.Fatal(err)
	}
	w.mustChange(t, mine, task.Patch{Title: patch.To("x")})
}

// losesNoStatus lets a project lose a status while its tasks take it: either the
// project keeps it, or they do not have it.
func losesNoStatus(t *testing.T, w world) {
	for range 10 {
		p := w.project(t)
		mine := w.task(t, p.ID)
		p.Version, p.Statuses = 2, []task.Status{{Name: task.Open, Next: []string{}}}
		late := w.draft(p.ID)
		late.Status = task.Done
		var wg sync.WaitGroup
		var project, change, add error
		wg.Go(func() { _, project = w.ChangeProject(t.Context(), w.who, p) })
		wg.Go(func() {
			_, change = w.Change(t.Context(), w.who, task.ItemChange{ID: mine.ID, Version: 1, Patch: task.Patch{Status: patch.To(task.Done)}}, now())
		})
		wg.Go(func() { _, add = w.Add(t.Context(), w.who, late) })
		wg.Wait()
		if project == nil && (change == nil || add == nil) {
			t.Fatalf("the project lost a status, change: %v, add: %v", change, add)
		}
	}
}

// makesNoCircle makes two tasks parts of one another at once: one is refused.
func makesNoCircle(t *testing.T, w world) {
	p := w.project(t)
	for range 10 {
		a, b := w.task(t, p.ID), w.task(t, p.ID)
		var wg sync.WaitGroup
		var one, other error
		put := func(err *error, of, under task.Task) {
			wg.Go(func() {
				_, *err = w.Change(t.Context(), w.who, task.ItemChange{ID: of.ID, Version: 1, Patch: task.Patch{ParentID: patch.To(under.ID)}}, now())
			})
		}
		put(&one, a, b)
		put(&other, b, a)
		wg.Wait()
		if (one == nil) == (other == nil) || one != nil && !fault.Is(one, fault.Invalid) || other != nil && !fault.Is(other, fault.Invalid) {
			t.Fatalf("each a part of the other: %v, %v, want one refused", one, other)
		}
	}
}

func parents(t *testing.T, w world) {
	p := w.project(t)
	a, b, c := w.task(t, p.ID), w.task(t, p.ID), w.task(t, p.ID)
	b = w.mustChange(t, b, task.Patch{ParentID: patch.To(a.ID)})
	c = w.mustChange(t, c, task.Patch{ParentID: patch.To(b.ID)})
	elsewhere := w.task(t, w.project(t).ID)
	for name, parent := range map[string]uuid.UUID{"itself by two": c.ID, "another project's": elsewhere.ID, "nobody's": id()} {
		if _, err := w.change(t, a, task.Patch{ParentID: patch.To(parent)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	child := w.draft(p.ID)
	child.ParentID = &elsewhere.ID
	if _, err := w.Add(t.Context(), w.who, child); !fault.Is(err, fault.Invalid) {
		t.Errorf("a new part of another project's task: %v, want invalid", err)
	}
	if got := w.mustChange(t, c, task.Patch{ParentID: null[uuid.UUID]()}); got.ParentID != nil {
		t.Errorf("cleared parent %v", got.ParentID)
	}
}

func trash(t *testing.T, w world) {
	p := w.project(t)
	mine := w.task(t, p.ID)
	gone, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 1}, now())
	if err != nil || gone.DeletedAt == nil || gone.Version != 2 {
		t.Fatalf("Delete = %+v, %v", gone, err)
	}
	_, get := w.Task(t.Context(), w.who, mine.ID)
	_, change := w.change(t, gone, task.Patch{Title: patch.To("x")})
	_, again := w.Delete(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 2}, now())
	_, comment := w.AddComment(t.Context(), w.who, task.Comment{ID: id(), TaskID: mine.ID, Body: "x", Author: "x", CreatedAt: now()})
	_, comments := w.Comments(t.Context(), w.who, mine.ID, page.Request{Limit: 1})
	for name, err := range map[string]error{"Task": get, "Change": change, "Delete": again, "AddComment": comment, "Comments": comments} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of what is in the trash: %v, want not_found", name, err)
		}
	}
	for who, want := range map[identity.TenantID]int{w.who.Tenant: 1, uuid.New(): 0} {
		at, err := w.Places(t.Context(), identity.Caller{Tenant: who, User: w.who.User}, []uuid.UUID{mine.ID, uuid.New()})
		if err != nil || len(at) != want || want == 1 && at[mine.ID] != p.ID {
			t.Errorf("Places = %v, %v, want %d", at, err, want)
		}
	}
	if got := w.list(t, task.Query{}); len(got) != 0 {
		t.Errorf("the list shows %v", got)
	}
	if got := w.list(t, task.Query{Trash: true}); len(got) != 1 {
		t.Errorf("the trash shows %d, want 1", len(got))
	}
	back, err := w.Restore(t.Context(), w.who, task.ItemDelete{ID: mine.ID, Version: 2}, now())
	if err != nil || back.DeletedAt != nil || back.Version != 3 || back.Rank != mine.Rank {
		t.Errorf("Restore = %+v, %v", back, err)
	}
	if got, err := w.History(t.Context(), w.who, mine.ID, page.Request{Limit: 9}); err != nil || len(got.Items) != 3 {
		t.Errorf("History = %+v, %v, want three", got, err)
	}
}

func (w world) writes(t *testing.T, p uuid.UUID, old task.Task) []task.Write {
	fresh, lost := w.draft(p), w.draft(id())
	return []task.Write{
		{Add: &fresh, At: now()},
		{Change: &task.ItemChange{ID: old.ID, Version: old.Version, Patch: task.Patch{Title: patch.To("bulk")}}, At: now()},
		{Delete: &task.ItemDelete{ID: w.task(t, p).ID, Version: 1}, At: now()},
		{Add: &lost, At: now()},
		{Change: &task.ItemChange{ID: old.ID, Version: 9, Patch: task.Patch{Title: patch.To("stale")}}, At: now()},
	}
}

func bulk(t *testing.T, w world) {
	p := w.project(t)
	old := w.task(t, p.ID)
	writes := w.writes(t, p.ID, old)
	got, err := w.Bulk(t.Context(), w.who, writes, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fault.Kind{-1, -1, -1, fault.NotFound, fault.Precondition} {
		if ok := got[i].Fault == nil && got[i].Task != nil; ok != (want < 0) || !ok && got[i].Fault.Kind != want {
			t.Errorf("item %d: %+v, want %v", i, got[i], want)
		}
	}
	if all := w.list(t, task.Query{}); len(all) != 2 {
		t.Errorf("%d tasks, want 2", len(all))
	}
	for of, want := range map[uuid.UUID]int{got[0].Task.ID: 1, old.ID: 2, got[2].Task.ID: 2} {
		if told := w.told(t, of, w.who.Subject()); len(told) != want {
			t.Errorf("the history tells %s, want %d versions", told, want)
		}
	}
}

// bulkInOrder: why one was refused is what was so when its turn came, whatever
// comes after it.
func bulkInOrder(t *testing.T, w world) {
	p := w.project(t)
	changed, deleted := w.task(t, p.ID), w.task(t, p.ID)
	change := func(of task.Task, version int64) task.Write {
		return task.Write{Change: &task.ItemChange{ID: of.ID, Version: version, Patch: task.Patch{Title: patch.To("bulk")}}, At: now()}
	}
	got, err := w.Bulk(t.Context(), w.who, []task.Write{
		change(changed, 2), change(changed, 1), change(deleted, 7), {Delete: &task.ItemDelete{ID: deleted.ID, Version: 1}, At: now()},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fault.Kind{fault.Precondition, -1, fault.Precondition, -1} {
		if ok := got[i].Fault == nil && got[i].Task != nil; ok != (want < 0) || !ok && got[i].Fault.Kind != want {
			t.Errorf("item %d: %+v, want %v", i, got[i], want)
		}
	}
}

func bulkAll(t *testing.T, w world) {
	p := w.project(t)
	writes := w.writes(t, p.ID, w.task(t, p.ID))
	before := w.list(t, task.Query{})
	got, err := w.Bulk(t.Context(), w.who, writes, true)
	if err != nil || got[0].Task != nil || got[3].Fault == nil {
		t.Errorf("Bulk = %+v, %v, want nothing but faults", got, err)
	}
	if after := w.list(t, task.Query{}); !slices.EqualFunc(before, after, func(a, b task.Task) bool { return a.ID == b.ID && a.Version == b.Version }) {
		t.Errorf("tasks %v, want %v", after, before)
	}
	if got, err := w.Bulk(t.Context(), w.who, writes[:3], true); err != nil || got[2].Task == nil {
		t.Errorf("Bulk = %+v, %v, want all of it", got, err)
	}
}
