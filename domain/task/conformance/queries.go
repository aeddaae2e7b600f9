package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/filter"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/patch"
	"bailiwick.dev/domain/task"
)

// list pages through all that q chooses.
func (w world) list(t *testing.T, q task.Query) (all []task.Task) {
	t.Helper()
	for r := (page.Request{Limit: 7}); ; {
		got, err := w.Tasks(t.Context(), w.who, q, r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Items...)
		if got.Next == nil {
			return all
		}
		r.After = *got.Next
	}
}

// assorted adds tasks that differ in everything that can be asked for.
func (w world) assorted(t *testing.T) []task.Task {
	t.Helper()
	p, q := w.project(t), w.project(t)
	day := now()
	var made []task.Task
	for i := range 40 {
		d := w.draft([]uuid.UUID{p.ID, q.ID}[i%2])
		d.CreatedAt = day.Add(time.Duration(i/5) * time.Second)
		d.UpdatedAt = d.CreatedAt
		d.Title = []string{"Order Desks", "paint the walls", "order chairs", "x"}[i%4]
		d.Status = []string{task.Open, task.Done, task.InProgress}[i%3]
		d.Priority = task.Priorities[i%4]
		if i%5 < 2 {
			due := day.Add(time.Duration(i-20) * time.Hour)
			d.DueAt = &due
		}
		if i%4 < 2 {
			start := day.Add(time.Duration(i-40) * time.Hour)
			d.StartAt = &start
		}
		if i%7 == 4 {
			d.ParentID = &made[i-2].ID
		}
		if i%3 == 1 {
			n := int64(i % 7 * 10)
			d.EstimateMinutes = &n
		}
		if i%4 == 0 {
			d.Assignees = []uuid.UUID{w.who.User}
		}
		if i%6 == 0 {
			d.Assignees = append(d.Assignees, uuid.New())
		}
		d.Labels = [][]string{{}, {"x"}, {"x", "y z"}}[i%3]
		x, err := w.Add(t.Context(), w.who, d)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, x)
	}
	return w.list(t, task.Query{})
}

// everyTerm is each field with each operator that it takes.
func everyTerm(all []task.Task) (terms []string) {
	values := map[string][2]string{
		"key": {all[3].Key, all[7].Key}, "number": {"4", "9"}, "project": {all[0].ProjectID.String(), uuid.NewString()}, "parent": {all[1].ID.String(), all[2].ID.String()},
		"title": {`"x"`, `"Order Desks"`}, "status": {"open", "done"}, "priority": {"low", "urgent"}, "assignee": {"me", uuid.NewString()}, "label": {"x", `"y z"`},
		"start": {"now-9h", "now"}, "due": {"now-12h", "now+2h"}, "estimate": {"20", "30"}, "created": {"now", "now+3s"}, "updated": {"now", "now+3s"},
	}
	for _, f := range task.Fields {
		v := values[f.Name]
		ops := []string{"= " + v[0], "!= " + v[0], "in (" + v[0] + ", " + v[1] + ")", "not in (" + v[1] + ")"}
		switch {
		case f.Kind == filter.Time || f.Kind == filter.Number:
			ops = append(ops, "< "+v[1], "<= "+v[1], "> "+v[0], ">= "+v[0])
		case f.Kind == filter.Text && !f.Many && f.Values == nil:
			ops = append(ops, `~ "ORDER"`, `~ "-"`)
		}
		if f.Nullable || f.Many {
			ops = append(ops, "is empty", "is not empty")
		}
		for _, op := range ops {
			terms = append(terms, f.Name+" "+op, "not "+f.Name+" "+op)
		}
	}
	return terms
}

// filters holds the store to filter.Match, by filters that stand in the
// language and by others that are put together at random.
func filters(t *testing.T, w world) {
	all := w.assorted(t)
	terms := append(everyTerm(all), "due >= now", `label in ("y z", nothing)`, "estimate <= 30", "created < now", "updated <= now+1m", `title ~ "%"`, "due in (2026-01-01, now)")
	texts := slices.Clone(terms)
	for range 60 {
		pick := func() string { return terms[rand.IntN(len(terms))] }
		texts = append(texts, fmt.Sprintf("%s and (%s or %s)", pick(), pick(), pick()), fmt.Sprintf("not (%s or %s) or %s", pick(), pick(), pick()))
	}
	for _, text := range texts {
		q, err := task.Filter{Where: text}.Query(w.who, now())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(x task.Task) bool { return !filter.Match(q.Where, x.Values) })
		if got := w.list(t, q); !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: %d tasks, want %d", text, len(got), len(want))
		}
	}
	for want, f := range map[int]task.Filter{20: {ProjectID: all[0].ProjectID}, 14: {Status: task.Open}, 7: {Status: task.Open, ProjectID: all[0].ProjectID, Where: "number > 0"}} {
		q, err := f.Query(w.who, now())
		if got := w.list(t, q); err != nil || len(got) != want {
			t.Errorf("%+v: %d tasks, %v, want %d", f, len(got), err, want)
		}
	}
}

func same(a, b task.Task) bool { return a.ID == b.ID }

func sorts(t *testing.T, w world) {
	all := w.assorted(t)
	for _, text := range []string{"due", "-due", "priority,-due", "-priority,title,created", "estimate,-number", "-estimate", "status,-updated", "-created", "title", "rank", "start", "-start,due", "number,project"} {
		q, err := task.Filter{Sort: text}.Query(w.who, now())
		if text == "number,project" {
			if err == nil {
				t.Errorf("sorted by %s", text)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got := w.list(t, q)
		if len(got) != len(all) {
			t.Errorf("%s: %d tasks, want %d", text, len(got), len(all))
		}
		for i := 1; i < len(got); i++ {
			if n := sorted(q.Sort, got[i-1], got[i]); n > 0 || n == 0 && slices.Compare(got[i-1].ID[:], got[i].ID[:]) >= 0 {
				t.Errorf("%s: %+v comes before %+v", text, got[i-1], got[i])
				break
			}
		}
	}
}

// sorted compares by what a reader of the list sees; what is empty comes last.
func sorted(sort []task.Order, a, b task.Task) int {
	for _, o := range sort {
		va, vb := a.Values(o.Field), b.Values(o.Field)
		switch o.Field {
		case "rank":
			va, vb = []any{a.Rank}, []any{b.Rank}
		case "priority":
			va, vb = []any{fmt.Sprint(slices.Index(task.Priorities, a.Priority))}, []any{fmt.Sprint(slices.Index(task.Priorities, b.Priority))}
		}
		if len(va) == 0 || len(vb) == 0 {
			if len(va) != len(vb) {
				return len(vb) - len(va)
			}
			continue
		}
		less := filter.Match(filter.Compare{Field: filter.Field{Name: "f"}, Op: filter.Less, Values: vb}, func(string) []any { return va })
		more := filter.Match(filter.Compare{Field: filter.Field{Name: "f"}, Op: filter.More, Values: vb}, func(string) []any { return va })
		if less != more {
			if less != o.Descending {
				return -1
			}
			return 1
		}
	}
	return 0
}

func searches(t *testing.T, w world) {
	w.assorted(t)
	for words, want := range map[string]int{"order": 20, "DESKS order": 10, "walls chairs": 0, "walls": 10, "": 40} {
		q, err := task.Filter{Search: words}.Query(w.who, now())
		if got := w.list(t, q); err != nil || len(got) != want {
			t.Errorf("%q: %d tasks, %v, want %d", words, len(got), err, want)
		}
	}
}

// Text without spaces is found by any part of it, in any place of a query.
func searchesWithoutSpaces(t *testing.T, w world) {
	p := w.project(t)
	for title, description := range map[string]string{"新しい設計書のレビュー": "Straße, 2024年の猫", "API設計、書類 für Ärzte": "黒猫", "데이터베이스를 점검": "サーバーをﾃｽﾄする𠮷野家"} {
		d := w.draft(p.ID)
		d.Title, d.Description = title, description
		if _, err := w.Add(t.Context(), w.who, d); err != nil {
			t.Fatal(err)
		}
	}
	for words, want := range map[string]int{
		"設計": 2, "設計書": 1, "書類": 1, "計書 猫": 1, "猫": 2, "計": 2, "レビュー": 1, "ビュ": 1, "レー": 0, "書設": 0, "api設計": 1, "API設計、書類": 1, "設計。書類": 1, "2024年": 1,
		"데이터": 1, "베이스 점검": 1, "점검 설계": 0, "サーバー": 1, "ｽﾄ": 1, "𠮷": 1, "𠮷野": 1, "設計 ärzte": 1, "設計 chairs": 0, "straße": 1, "設計 straße 猫": 1, "、": 0, "設計、": 2, "設計 --": 2, "-- 、": 0,
	} {
		q, err := task.Filter{Search: words}.Query(w.who, now())
		if got := w.list(t, q); err != nil || len(got) != want {
			t.Errorf("%q: %d tasks, %v, want %d", words, len(got), err, want)
		}
	}
}

// What a task says is found as it is now, wherever it was written.
func searchesWhatIsThere(t *testing.T, w world) {
	p := w.project(t)
	finds := func(words string, trash bool, want int) {
		t.Helper()
		q, err := task.Filter{Search: words, Trash: trash}.Query(w.who, now())
		if got := w.list(t, q); err != nil || len(got) != want {
			t.Errorf("%q: %d tasks, %v, want %d", words, len(got), err, want)
		}
		if all, err := w.Counts(t.Context(), w.who, q, "project"); err != nil || len(all) > 0 && all[0].Count != int64(want) || len(all) == 0 && want > 0 {
			t.Errorf("%q: counted %+v, %v, want %d", words, all, err, want)
		}
	}
	d := w.draft(p.ID)
	d.Title, d.Description = "First words", "first again and "+strings.Repeat("long", 2000)
	made, err := w.Add(t.Context(), w.who, d)
	if err != nil {
		t.Fatal(err)
	}
	finds("first words again", false, 1)
	finds(strings.Repeat("long", 40), false, 0)
	made = w.mustChange(t, made, task.Patch{Title: patch.To("Other words")})
	finds("first again", false, 1)
	finds("other words", false, 1)
	made = w.mustChange(t, made, task.Patch{Description: patch.To("nothing")})
	finds("first", false, 0)
	finds("other nothing", false, 1)
	if made, err = w.Delete(t.Context(), w.who, task.ItemDelete{ID: made.ID, Version: made.Version}, now()); err != nil {
		t.Fatal(err)
	}
	finds("other", false, 0)
	finds("other", true, 1)
	if _, err := w.Restore(t.Context(), w.who, task.ItemDelete{ID: made.ID, Version: made.Version}, now()); err != nil {
		t.Fatal(err)
	}
	finds("other", false, 1)
	stranger := w
	stranger.who.Tenant = uuid.New()
	q, err := task.Filter{Search: "other"}.Query(stranger.who, now())
	if got := stranger.list(t, q); err != nil || len(got) > 0 {
		t.Errorf("another tenant finds %+v, %v", got, err)
	}
	if err := w.DeleteProject(t.Context(), w.who, p.ID, p.Version); err != nil {
		t.Fatal(err)
	}
	finds("other", false, 0)
}

func counts(t *testing.T, w world) {
	w.assorted(t)
	for by, want := range map[string]string{
		"status": "open 14 done 13 in_progress 13 ", "priority": "high 10 low 10 normal 10 urgent 10 ", "label": "x 26 null 14 y z 13 ",
	} {
		got, err := w.Counts(t.Context(), w.who, task.Query{}, by)
		if err != nil {
			t.Fatal(err)
		}
		told := ""
		for _, c := range got {
			if c.Value == nil {
				told += fmt.Sprint("null ", c.Count, " ")
			} else {
				told += fmt.Sprint(*c.Value, " ", c.Count, " ")
			}
		}
		if told != want {
			t.Errorf("by %s: %s, want %s", by, told, want)
		}
	}
}

// stable pages through a list while others add, change, move and delete: every
// task that nobody touches is seen exactly once, and the pages end.
func stable(t *testing.T, w world) {
	for _, sort := range []string{"", "rank", "-priority,due", "title,-number"} {
		quiet := map[uuid.UUID]int{}
		var busy []task.Task
		for i, x := range w.assorted(t) {
			if i%2 == 0 {
				quiet[x.ID] = 0
			} else {
				busy = append(busy, x)
			}
		}
		q, err := task.Filter{Sort: sort}.Query(w.who, now())
		if err != nil {
			t.Fatal(err)
		}
		for r, pages := (page.Request{Limit: 4}), 0; ; pages++ {
			got, err := w.Tasks(t.Context(), w.who, q, r)
			if err != nil || pages > 200 {
				t.Fatalf("%q: page %d: %v", sort, pages, err)
			}
			for _, x := range got.Items {
				if _, ok := quiet[x.ID]; ok {
					quiet[x.ID]++
				}
			}
			if got.Next == nil {
				break
			}
			r.After = *got.Next
			if len(busy) > 0 {
				busy = w.disturb(t, busy, r.After.ID)
			}
		}
		for id, n := range quiet {
			if n != 1 {
				t.Errorf("%q: a task that nobody touched was seen %d times: %v", sort, n, id)
			}
		}
		for _, x := range w.list(t, task.Query{}) {
			if _, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: x.ID, Version: x.Version}, now()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// disturb does something to one of the tasks, but not to the one that the
// reader stands on, and returns those left.
func (w world) disturb(t *testing.T, busy []task.Task, not uuid.UUID) []task.Task {
	t.Helper()
	i := rand.IntN(len(busy))
	x := busy[i]
	if x.ID == not {
		return busy
	}
	switch rand.IntN(4) {
	case 0:
		w.task(t, x.ProjectID)
	case 1:
		busy[i] = w.mustChange(t, x, task.Patch{Title: patch.To(fmt.Sprint(rand.IntN(100))), DueAt: patch.To(now()), Priority: patch.To(task.Priorities[rand.IntN(4)])})
	case 2:
		moved, err := w.Move(t.Context(), w.who, task.Move{ID: x.ID, Version: x.Version, After: w.task(t, x.ProjectID).ID}, now())
		if err != nil {
			t.Fatal(err)
		}
		busy[i] = moved
	case 3:
		if _, err := w.Delete(t.Context(), w.who, task.ItemDelete{ID: x.ID, Version: x.Version}, now()); err != nil {
			t.Fatal(err)
		}
		return slices.Delete(busy, i, i+1)
	}
	return busy
}
