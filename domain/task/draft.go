package task

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Bounds of what people write, in characters.
const (
	MaxTitle = 200
	MaxText  = 20_000
)

// ProjectDraft is a project before it exists.
type ProjectDraft struct {
	Name        string `json:"name" minLength:"1" maxLength:"200" doc:"What people call it" example:"Office move"`
	Description string `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Everything about the new office"`
}

// Draft is a task before it exists.
type Draft struct {
	ProjectID   uuid.UUID  `json:"project_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Title       string     `json:"title" minLength:"1" maxLength:"200" example:"Order desks"`
	Description string     `json:"description,omitempty" maxLength:"20000" doc:"Markdown" example:"Twelve of them, height-adjustable"`
	Status      string     `json:"status,omitempty" enum:"open,in_progress,done,cancelled" default:"open" example:"open"`
	Priority    string     `json:"priority,omitempty" enum:"low,normal,high,urgent" default:"normal" example:"normal"`
	AssigneeID  *uuid.UUID `json:"assignee_id,omitempty" format:"uuid" doc:"The user who does it" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	DueAt       *time.Time `json:"due_at,omitempty" example:"2026-02-28T17:00:00Z"`
}

// CommentDraft is a comment before it exists.
type CommentDraft struct {
	Body string `json:"body" minLength:"1" maxLength:"20000" doc:"Markdown" example:"The supplier answers on Monday."`
}

func (d ProjectDraft) project(now time.Time, who identity.Caller) (Project, error) {
	p := Project{ID: newID(), Name: strings.TrimSpace(d.Name), Description: d.Description, Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who.Subject()}
	return p, p.check()
}

func (p Project) check() error {
	var c fault.Check
	c.That(p.Name != "", "/name", "required", "a project has a name")
	text(&c, p.Name, MaxTitle, "/name")
	text(&c, p.Description, MaxText, "/description")
	return c.Err()
}

func (d Draft) task(now time.Time, who identity.Caller) (Task, error) {
	t := Task{
		ID: newID(), ProjectID: d.ProjectID, Title: strings.TrimSpace(d.Title), Description: d.Description,
		Status: d.Status, Priority: d.Priority, AssigneeID: d.AssigneeID, DueAt: inUTC(d.DueAt),
		Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who.Subject(),
	}
	if t.Status == "" {
		t.Status = Open
	}
	if t.Priority == "" {
		t.Priority = "normal"
	}
	return t, t.check()
}

func (t Task) check() error {
	var c fault.Check
	c.That(t.ProjectID != uuid.Nil, "/project_id", "required", "a task belongs to a project")
	c.That(t.Title != "", "/title", "required", "a task has a title")
	text(&c, t.Title, MaxTitle, "/title")
	text(&c, t.Description, MaxText, "/description")
	c.That(slices.Contains([]string{Open, InProgress, Done, Cancelled}, t.Status), "/status", "unknown_value", "a status is open, in_progress, done or cancelled")
	c.That(slices.Contains([]string{"low", "normal", "high", "urgent"}, t.Priority), "/priority", "unknown_value", "a priority is low, normal, high or urgent")
	c.That(t.DueAt == nil || t.DueAt.Year() >= 1 && t.DueAt.Year() <= 9999, "/due_at", "out_of_range", "years have four digits")
	return c.Err()
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
	c.That(utf8.RuneCountInString(s) <= most, pointer, "too_long", "too many characters")
	c.That(utf8.ValidString(s) && !strings.ContainsRune(s, 0), pointer, "invalid_character", "a character that cannot be kept")
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Microsecond)
	return &u
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
