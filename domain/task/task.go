// Package task keeps a tenant's projects, their tasks and the comments on them.
package task

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Project is what tasks belong to.
type Project struct {
	ID          uuid.UUID  `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Key         string     `json:"key" doc:"Begins the keys of its tasks; stays as it is" example:"OPS"`
	Name        string     `json:"name" doc:"What people call it" example:"Office move"`
	Description string     `json:"description" doc:"Markdown" example:"Everything about the new office"`
	Statuses    []Status   `json:"statuses" nullable:"false" doc:"Those that its tasks can have; a new task has the first" example:"[{\"name\":\"open\",\"next\":[\"done\"]},{\"name\":\"done\",\"next\":[\"open\"]}]"`
	ArchivedAt  *time.Time `json:"archived_at" doc:"Since when its tasks stay as they are; null: they change" example:"2026-06-30T12:00:00Z"`
	Version     int64      `json:"version" doc:"Grows by one with each change; the ETag" example:"1"`
	CreatedAt   time.Time  `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy   string     `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt   time.Time  `json:"updated_at" example:"2026-01-31T12:00:00Z"`
}

// Member is somebody who works on a project. What they may do is the policy's to say.
type Member struct {
	UserID  uuid.UUID `json:"user_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	AddedAt time.Time `json:"added_at" example:"2026-01-31T12:00:00Z"`
	AddedBy string    `json:"added_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
}

// Task is a piece of work in a project.
type Task struct {
	ID              uuid.UUID   `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	ProjectID       uuid.UUID   `json:"project_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Number          int64       `json:"number" doc:"Counts within the project" example:"12"`
	Key             string      `json:"key" doc:"The project's key and the number" example:"OPS-12"`
	Title           string      `json:"title" example:"Order desks"`
	Description     string      `json:"description" doc:"Markdown" example:"Twelve of them, height-adjustable"`
	Status          string      `json:"status" doc:"One of the project's" example:"open"`
	Priority        string      `json:"priority" enum:"low,normal,high,urgent" example:"normal"`
	Assignees       []uuid.UUID `json:"assignees" nullable:"false" doc:"The users who do it; whether they exist is not looked up" example:"[\"0199a1b2-c3d4-7e5f-8a6b-000000000009\"]"`
	Labels          []string    `json:"labels" nullable:"false" example:"[\"furniture\"]"`
	StartAt         *time.Time  `json:"start_at" doc:"null: no date" example:"2026-02-01T08:00:00Z"`
	DueAt           *time.Time  `json:"due_at" doc:"null: no date" example:"2026-02-28T17:00:00Z"`
	EstimateMinutes *int64      `json:"estimate_minutes" doc:"null: not estimated" example:"90"`
	ParentID        *uuid.UUID  `json:"parent_id" nullable:"true" format:"uuid" doc:"The task that it is a part of; null: none" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
	Rank            string      `json:"rank" doc:"Its place in the manual order of the project: compare bytes" example:"0000000012V"`
	Version         int64       `json:"version" doc:"Grows by one with each change; the ETag" example:"1"`
	CreatedAt       time.Time   `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy       string      `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt       time.Time   `json:"updated_at" example:"2026-01-31T12:00:00Z"`
	DeletedAt       *time.Time  `json:"deleted_at" doc:"Since when it is in the trash; null: it is not" example:"2026-03-01T12:00:00Z"`
}

// Comment is what somebody says about a task.
type Comment struct {
	ID        uuid.UUID `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000003"`
	TaskID    uuid.UUID `json:"task_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Body      string    `json:"body" doc:"Markdown" example:"The supplier answers on Monday."`
	Author    string    `json:"author" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	CreatedAt time.Time `json:"created_at" example:"2026-01-31T12:00:00Z"`
}

// Change is one entry of a task's history: what made a version of it.
type Change struct {
	Version   int64         `json:"version" doc:"The version that it made" example:"2"`
	At        time.Time     `json:"at" example:"2026-02-01T09:30:00Z"`
	Actor     string        `json:"actor" doc:"user:<id>, client:<id>, or schedule:purge-trash when the parent was dropped from the trash" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	RequestID string        `json:"request_id" doc:"Finds the request in the logs; empty: a schedule did it" example:"0199a1b2-0000-7000-8000-000000000001"`
	Fields    []FieldChange `json:"fields" nullable:"false" doc:"What is not as before"`
}

// FieldChange is what a change did to one field.
type FieldChange struct {
	Field  string          `json:"field" doc:"As the task names it" example:"status"`
	Before json.RawMessage `json:"before" doc:"null: nothing" example:"\"open\""`
	After  json.RawMessage `json:"after" doc:"null: nothing" example:"\"done\""`
}
