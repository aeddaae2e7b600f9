package report

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// MaxTitle bounds a title, in characters.
const MaxTitle = 200

// RunDraft is a run before it exists.
type RunDraft struct {
	Report string    `json:"report,omitempty" enum:"tasks" default:"tasks" doc:"What to report" example:"tasks"`
	Format Format    `json:"format" enum:"pdf,xlsx,csv" example:"pdf"`
	Title  string    `json:"title,omitempty" maxLength:"200" doc:"Heads the report and names its file; by default what it reports" example:"Open tasks"`
	Filter RunFilter `json:"filter,omitempty" doc:"Which tasks it holds; by default all"`
}

func (d RunDraft) run(now time.Time, who identity.Caller) (Run, error) {
	r := Run{
		ID: uuid.Must(uuid.NewV7()), Report: d.Report, Format: d.Format, Title: strings.TrimSpace(d.Title), Filter: d.Filter,
		Status: Pending, Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who.Subject(),
	}
	if r.Report == "" {
		r.Report = Tasks
	}
	if r.Title == "" {
		r.Title = "Tasks"
	}
	return r, r.check()
}

func (r Run) check() error {
	var c fault.Check
	c.That(r.Report == Tasks, "/report", "unknown_value", "a report is one of tasks")
	c.That(r.Format == PDF || r.Format == XLSX || r.Format == CSV, "/format", "unknown_value", "a format is pdf, xlsx or csv")
	c.That(utf8.RuneCountInString(r.Title) <= MaxTitle, "/title", "too_long", "too many characters")
	c.That(utf8.ValidString(r.Title) && !strings.ContainsFunc(r.Title, unicode.IsControl), "/title", "invalid_character", "a title is one line of text")
	c.That(r.Filter.Status == "" || task.IsStatusName(r.Filter.Status), "/filter/status", "invalid_value", "a status is 1 to 40 small letters, digits and underscores")
	return c.Err()
}

// fileName is what the file is called where it is downloaded to: the title
// without what a file system could take for something else.
func (r Run) fileName() string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, c) || !unicode.IsPrint(c) {
			return '_'
		}
		return c
	}, r.Title)
	name = strings.TrimSpace(strings.TrimLeft(name, "."))
	if cut := []rune(name); len(cut) > 80 {
		name = strings.TrimSpace(string(cut[:80]))
	}
	if name == "" {
		name = "Tasks"
	}
	return name + "." + string(r.Format)
}
