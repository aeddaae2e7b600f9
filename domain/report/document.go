package report

import (
	"context"
	"iter"
	"strings"
	"time"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// Document is what a Renderer writes.
type Document struct {
	Title   string
	At      time.Time // when it was made
	Columns []Column
	Rows    iter.Seq2[[]Cell, error] // one cell for each column; a row is valid until the next is asked for

	Count    func() (int64, error)  // how many rows there are, by now
	Replaced func(characters int64) // is told of what the format could not show and the file has a substitute for
}

// Exceeds reports whether there are more rows than a format holds, so that nobody
// has set those when it finds out. Where nobody counts, it will find out.
func (d Document) Exceeds(most int64) bool {
	n, err := d.Count()
	return err == nil && n > most
}

// Column is one of a table. Share is its part of a page's width, in twelfths; a
// column without one is left out where width is short.
type Column struct {
	Name  string
	Share int
	Width float64 // of a spreadsheet's column, in characters
}

// Cell holds a time, or else text.
type Cell struct {
	Text string
	Time time.Time
}

var taskColumns = []struct {
	Column
	of func(t *task.Task) Cell
}{
	{Column{"Title", 5, 50}, func(t *task.Task) Cell { return Cell{Text: t.Title} }},
	{Column{"Status", 2, 12}, func(t *task.Task) Cell { return Cell{Text: t.Status} }},
	{Column{"Priority", 1, 10}, func(t *task.Task) Cell { return Cell{Text: t.Priority} }},
	{Column{"Due", 2, 18}, func(t *task.Task) Cell {
		if t.DueAt == nil {
			return Cell{}
		}
		return Cell{Time: *t.DueAt}
	}},
	{Column{"Assignees", 0, 38}, func(t *task.Task) Cell {
		var ids []string
		for _, id := range t.Assignees {
			ids = append(ids, id.String())
		}
		return Cell{Text: strings.Join(ids, " ")}
	}},
	{Column{"Description", 0, 50}, func(t *task.Task) Cell { return Cell{Text: t.Description} }},
	{Column{"Created", 2, 18}, func(t *task.Task) Cell { return Cell{Time: t.CreatedAt} }},
	{Column{"Created by", 0, 45}, func(t *task.Task) Cell { return Cell{Text: t.CreatedBy} }},
	{Column{"Changed", 0, 18}, func(t *task.Task) Cell { return Cell{Time: t.UpdatedAt} }},
	{Column{"Project", 0, 38}, func(t *task.Task) Cell { return Cell{Text: t.ProjectID.String()} }},
	{Column{"Id", 0, 38}, func(t *task.Task) Cell { return Cell{Text: t.ID.String()} }},
}

// document returns r's, whose rows come from src; done is called with the key of each.
func (r Run) document(ctx context.Context, tenant identity.TenantID, src Source, at time.Time, done func(key string)) Document {
	d := Document{Title: r.Title, At: at, Rows: func(yield func([]Cell, error) bool) {
		row := make([]Cell, len(taskColumns))
		for tasks, err := range src.Tasks(ctx, tenant, r.Filter.tasks()) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range tasks {
				for j, c := range taskColumns {
					row[j] = c.of(&tasks[i])
				}
				if done(tasks[i].Key); !yield(row, nil) {
					return
				}
			}
		}
	}}
	d.Count = func() (int64, error) { return src.Count(ctx, tenant, r.Filter.tasks()) }
	for _, c := range taskColumns {
		d.Columns = append(d.Columns, c.Column)
	}
	return d
}
