// Package report turns a tenant's tasks into files: a run is asked for, its
// file is made by a workflow, and then it can be downloaded.
package report

import (
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/task"
)

// Format is what a report's file is.
type Format string

// The formats.
const (
	PDF  Format = "pdf"
	XLSX Format = "xlsx"
	CSV  Format = "csv"
)

// MediaType returns the format's media type, as it is registered with IANA.
func (f Format) MediaType() string {
	switch f {
	case PDF:
		return "application/pdf"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case CSV:
		return "text/csv; charset=utf-8"
	}
	return "application/octet-stream"
}

// Tasks is the one kind of report so far: a list of tasks.
const Tasks = "tasks"

// Status is where a run stands.
type Status string

// The statuses; the last three are final.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Over reports whether nothing will happen to the run any more.
func (s Status) Over() bool { return s == Succeeded || s == Failed || s == Cancelled }

// RunFilter chooses the tasks of a report; without fields, all.
type RunFilter struct {
	ProjectID *uuid.UUID `json:"project_id,omitempty" format:"uuid" doc:"Only of this project" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Status    string     `json:"status,omitempty" pattern:"^[a-z][a-z0-9_]{0,39}$" doc:"Only with this status, which is one of a project's" example:"open"`
}

func (f RunFilter) tasks() task.Filter {
	chosen := task.Filter{Status: f.Status}
	if f.ProjectID != nil {
		chosen.ProjectID = *f.ProjectID
	}
	return chosen
}

// RunProgress tells how far a run is.
type RunProgress struct {
	RowsDone  int64  `json:"rows_done" doc:"Rows written so far" example:"500"`
	RowsTotal *int64 `json:"rows_total" doc:"null: not known before the last row is read" example:"500"`
}

// RunFile is what a run has made.
type RunFile struct {
	Name      string    `json:"name" example:"Open tasks.xlsx"`
	MediaType string    `json:"media_type" example:"application/pdf"`
	Size      int64     `json:"size" doc:"Bytes" example:"48213"`
	Replaced  int64     `json:"characters_replaced" doc:"Characters that this format cannot show: a PDF has □ for each, and a spreadsheet � for control characters; CSV holds them all" example:"0"`
	Digest    string    `json:"digest" doc:"SHA-256 in hexadecimal" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Object    uuid.UUID `json:"-"` // which attempt's file it is
}

// RunFailure says why a run has failed or, while it is running, why the last
// attempt did.
type RunFailure struct {
	Code    string `json:"code" doc:"Stable" example:"too_many_rows"`
	Message string `json:"message" doc:"For people" example:"a PDF holds at most 50000 rows"`
}

// Run is one making of a report.
type Run struct {
	ID         uuid.UUID   `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
	Report     string      `json:"report" enum:"tasks" doc:"What it reports" example:"tasks"`
	Format     Format      `json:"format" enum:"pdf,xlsx,csv" example:"pdf"`
	Title      string      `json:"title" example:"Open tasks"`
	Filter     RunFilter   `json:"filter" doc:"Which tasks it holds"`
	Status     Status      `json:"status" enum:"pending,running,succeeded,failed,cancelled" example:"succeeded"`
	Progress   RunProgress `json:"progress" doc:"How far it is"`
	File       *RunFile    `json:"file,omitempty" doc:"When it has succeeded"`
	Failure    *RunFailure `json:"failure,omitempty" doc:"Why it failed; while it runs, why the last attempt did, which is made again"`
	Version    int64       `json:"version" doc:"Grows with each change; the ETag" example:"3"`
	CreatedAt  time.Time   `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy  string      `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt  time.Time   `json:"updated_at" example:"2026-01-31T12:00:01Z"`
	FinishedAt *time.Time  `json:"finished_at,omitempty" doc:"When it succeeded, failed or was cancelled" example:"2026-01-31T12:00:02Z"`
}

// object returns which object is the run's file, or uuid.Nil.
func (r Run) object() uuid.UUID {
	if r.File == nil {
		return uuid.Nil
	}
	return r.File.Object
}
