// Package task keeps a tenant's projects, their tasks and the comments on them.
package task

import (
	"time"

	"github.com/google/uuid"
)

// Project is what tasks belong to.
type Project struct {
	ID          uuid.UUID `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Name        string    `json:"name" doc:"What people call it" example:"Office move"`
	Description string    `json:"description" doc:"Markdown" example:"Everything about the new office"`
	Version     int64     `json:"version" doc:"Grows by one with each change; the ETag" example:"1"`
	CreatedAt   time.Time `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy   string    `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt   time.Time `json:"updated_at" example:"2026-01-31T12:00:00Z"`
}

// The statuses of a task.
const (
	Open       = "open"
	InProgress = "in_progress"
	Done       = "done"
	Cancelled  = "cancelled"
)

// Task is a piece of work in a project.
type Task struct {
	ID          uuid.UUID  `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	ProjectID   uuid.UUID  `json:"project_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Title       string     `json:"title" example:"Order desks"`
	Description string     `json:"description" doc:"Markdown" example:"Twelve of them, height-adjustable"`
	Status      string     `json:"status" enum:"open,in_progress,done,cancelled" example:"open"`
	Priority    string     `json:"priority" enum:"low,normal,high,urgent" example:"normal"`
	AssigneeID  *uuid.UUID `json:"assignee_id" nullable:"true" format:"uuid" doc:"The user who does it; null: nobody yet" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	DueAt       *time.Time `json:"due_at" doc:"null: no date" example:"2026-02-28T17:00:00Z"`
	Version     int64      `json:"version" doc:"Grows by one with each change; the ETag" example:"1"`
	CreatedAt   time.Time  `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy   string     `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt   time.Time  `json:"updated_at" example:"2026-01-31T12:00:00Z"`
}

// Comment is what somebody says about a task.
type Comment struct {
	ID        uuid.UUID `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000003"`
	TaskID    uuid.UUID `json:"task_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Body      string    `json:"body" doc:"Markdown" example:"The supplier answers on Monday."`
	Author    string    `json:"author" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	CreatedAt time.Time `json:"created_at" example:"2026-01-31T12:00:00Z"`
}

// Change is one entry of a task's history: who changed which field when, from what to what.
type Change struct {
	ID        uuid.UUID
	TaskID    uuid.UUID
	Field     string
	Before    string
	After     string
	Actor     string
	RequestID string
	At        time.Time
}

// Filter chooses tasks of a list; zero fields choose all.
type Filter struct {
	ProjectID uuid.UUID
	Status    string
}
