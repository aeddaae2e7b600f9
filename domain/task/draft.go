package task

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Bounds of what people write, in characters, and of sets, in members.
const (
	MaxTitle       = 200
	MaxText        = 20_000
	MaxLabel       = 50
	MaxSet         = 20
	MaxEstimate    = 1_000_000 // minutes: two years without sleep
	priorityNormal = "normal"
)

// Priorities are those of tasks, the least first.
var Priorities = []string{"low", priorityNormal, "high", "urgent"}

// ProjectDraft is a project before it exists.
type ProjectDraft struct {
	Key         string   `json:"key,omitempty" pattern:"^[A-Z][A-Z0-9]{1,9}$" doc:"Begins the keys of its tasks; made from the name if left out" example:"OPS"`
	Name        string   `json:"name" minLength:"1" maxLength:"200" doc:"What people call it" example:"Office move"`
	Description string   `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Everything about the new office"`
	Statuses    []Status `json:"statuses,omitempty" nullable:"false" minItems:"1" maxItems:"30" doc:"open, in_progress, done and cancelled if left out" example:"[{\"name\":\"open\",\"next\":[\"done\"]},{\"name\":\"done\",\"next\":[\"open\"]}]"`
}

// Draft is a task before it exists.
type Draft struct {
	ProjectID       uuid.UUID   `json:"project_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Title           string      `json:"title" minLength:"1" maxLength:"200" example:"Order desks"`
	Description     string      `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Twelve of them, height-adjustable"`
	Status          string      `json:"status,omitempty" maxLength:"40" doc:"One of the project's; its first if left out" example:"open"`
	Priority        string      `json:"priority,omitempty" enum:"low,normal,high,urgent" default:"normal" example:"normal"`
	Assignees       []uuid.UUID `json:"assignees,omitempty" nullable:"false" maxItems:"20" doc:"The users who do it; whether they exist is not looked up" example:"[\"0199a1b2-c3d4-7e5f-8a6b-000000000009\"]"`
	Labels          []string    `json:"labels,omitempty" nullable:"false" maxItems:"20" minLength:"1" maxLength:"50" pattern:"^\\S([\\s\\S]*\\S)?$" doc:"Each without spaces at its ends" example:"[\"furniture\"]"`
	StartAt         *time.Time  `json:"start_at,omitempty" example:"2026-02-01T08:00:00Z"`
	DueAt           *time.Time  `json:"due_at,omitempty" example:"2026-02-28T17:00:00Z"`
	EstimateMinutes *int64      `json:"estimate_minutes,omitempty" minimum:"0" maximum:"1000000" example:"90"`
	ParentID        *uuid.UUID  `json:"parent_id,omitempty" format:"uuid" doc:"A task of the same project" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
}

// CommentDraft is a comment before it exists.
type CommentDraft struct {
	Body string `json:"body" minLength:"1" maxLength:"20000" doc:"Markdown" example:"The supplier answers on Monday."`
}

func (d ProjectDraft) project(now time.Time, who identity.Caller) (Project, error) {
	p := Project{ID: newID(), Key: d.Key, Name: strings.TrimSpace(d.Name), Description: d.Description, Statuses: d.Statuses,
		Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who.Subject()}
	if p.Statuses == nil {
		p.Statuses = DefaultStatuses()
	}
	return p, p.check()
}

var projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,9}$`)

func (p Project) check() error {
	var c fault.Check
	c.That(p.Key == "" || projectKey.MatchString(p.Key), "/key", "invalid_value", "a key is 2 to 10 capital letters and digits and begins with a letter")
	c.That(p.Name != "", "/name", "required", "a project has a name")
	text(&c, p.Name, MaxTitle, "/name")
	text(&c, p.Description, MaxText, "/description")
	checkStatuses(&c, p.Statuses)
	return c.Err()
}

// KeyOf makes a project's key of its name: the letters that its words begin
// with, or its first ones.
func KeyOf(name string) string {
	var initials, letters []rune
	start := true
	for _, r := range strings.ToUpper(name) {
		if r < 'A' || r > 'Z' {
			start = true
			continue
		}
		if letters = append(letters, r); start {
			initials = append(initials, r)
		}
		start = false
	}
	if len(initials) < 2 {
		initials = letters[:min(len(letters), 3)]
	}
	if len(initials) < 2 {
		return "PROJ"
	}
	return string(initials[:min(len(initials), 5)])
}

func (d Draft) task(now time.Time, who identity.Caller) (Task, error) {
	t := Task{
		ID: newID(), ProjectID: d.ProjectID, Title: strings.TrimSpace(d.Title), Description: d.Description,
		Status: d.Status, Priority: cmp.Or(d.Priority, priorityNormal), Assignees: d.Assignees, Labels: d.Labels,
		StartAt: inUTC(d.StartAt), DueAt: inUTC(d.DueAt), EstimateMinutes: d.EstimateMinutes, ParentID: d.ParentID,
		Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who.Subject(),
	}
	if err := t.check(); err != nil { // before set, for a pointer counts what is named twice
		return t, err
	}
	t.Assignees, t.Labels = set(t.Assignees), set(t.Labels)
	return t, nil
}

// check holds t to all that can be judged without its project.
func (t Task) check() error {
	var c fault.Check
	c.That(t.ProjectID != uuid.Nil, "/project_id", "required", "a task belongs to a project")
	c.That(t.Title != "", "/title", "required", "a task has a title")
	text(&c, t.Title, MaxTitle, "/title")
	text(&c, t.Description, MaxText, "/description")
	c.That(t.Status == "" || IsStatusName(t.Status), "/status", "unknown_value", "the project has no such status")
	c.That(slices.Contains(Priorities, t.Priority), "/priority", "unknown_value", "a priority is low, normal, high or urgent")
	c.That(len(t.Assignees) <= MaxSet, "/assignees", "too_many", fmt.Sprintf("at most %d", MaxSet))
	for i, id := range t.Assignees {
		c.That(id != uuid.Nil, fmt.Sprintf("/assignees/%d", i), "invalid_value", "that is nobody's id")
	}
	c.That(len(t.Labels) <= MaxSet, "/labels", "too_many", fmt.Sprintf("at most %d", MaxSet))
	for i, l := range t.Labels {
		at := fmt.Sprintf("/labels/%d", i)
		text(&c, l, MaxLabel, at)
		c.That(l != "" && l == strings.TrimSpace(l), at, "invalid_value", "a label neither is empty nor begins or ends with a space")
	}
	year(&c, t.StartAt, "/start_at")
	year(&c, t.DueAt, "/due_at")
	c.That(t.StartAt == nil || t.DueAt == nil || !t.DueAt.Before(*t.StartAt), "/due_at", "before_start", "a task is due after it starts")
	c.That(t.EstimateMinutes == nil || *t.EstimateMinutes >= 0 && *t.EstimateMinutes <= MaxEstimate, "/estimate_minutes", "out_of_range", fmt.Sprintf("0 to %d", MaxEstimate))
	c.That(t.ParentID == nil || *t.ParentID != t.ID, "/parent_id", "cycle", "a task is no part of itself")
	return c.Err()
}

func year(c *fault.Check, at *time.Time, pointer string) {
	c.That(at == nil || at.Year() >= 1 && at.Year() <= 9999, pointer, "out_of_range", "years have four digits")
}

func (d CommentDraft) comment(now time.Time, who identity.Caller, task uuid.UUID) (Comment, error) {
	c := Comment{ID: newID(), TaskID: task, Body: d.Body, Author: who.Subject(), CreatedAt: now}
	var check fault.Check
	check.That(strings.TrimSpace(c.Body) != "", "/body", "required", "a comment says something")
	text(&check, c.Body, MaxText, "/body")
	return c, check.Err()
}

// text checks what PostgreSQL can keep and people can read. NUL is the one
// character that a text column refuses.
func text(c *fault.Check, s string, most int, pointer string) {
	c.That(utf8.RuneCountInString(s) <= most, pointer, "too_long", fmt.Sprintf("at most %d characters", most))
	c.That(utf8.ValidString(s), pointer, "invalid_utf8", "the text is not in UTF-8")
	c.That(!strings.ContainsRune(s, 0), pointer, "invalid_character", "the character NUL cannot be kept")
}

// set drops what is named twice; the order stays. It is never nil.
func set[T comparable](all []T) []T {
	kept := make([]T, 0, len(all))
	for _, v := range all {
		if !slices.Contains(kept, v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Microsecond)
	return &u
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
