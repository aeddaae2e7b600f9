package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/csv"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

const (
	ndjson   = "application/x-ndjson"
	textCSV  = "text/csv"
	exported = 64 << 10 // bytes that are gathered before they are sent
)

func (a *api) registerExport(r *rest.API) {
	rest.Stream(r, rest.Operation{
		ID: "export-tasks", Method: http.MethodGet, Path: "/v1/task-export", Tag: "tasks", Scope: scope, Needs: rest.Needs{task.TasksRead}, Produces: []string{ndjson, textCSV},
		Summary: "Export tasks", Description: "Every task that the filter chooses, as of one moment and in no order, one to a line. In CSV an apostrophe is put before text that a spreadsheet would take for a formula, which an import takes away; lines of text end in LF, those of the file in CRLF. An export that fails half-way resets the connection, so that it is not taken for a whole one.",
	}, a.export)
}

type exportInput struct {
	TaskFilter
	Format string `query:"format" enum:"ndjson,csv" default:"ndjson" doc:"NDJSON, or CSV (RFC 4180) with a header; CSV too if it is left out and nothing else accepted" example:"ndjson"`
}

func (a *api) export(w http.ResponseWriter, r *http.Request, who identity.Caller, in *exportInput) error {
	out := bufio.NewWriterSize(w, exported)
	err := a.tasks.Export(r.Context(), who, in.filter(), func() func(*task.Task) error {
		accept := r.Header.Get("Accept")
		w.Header().Add("Vary", "Accept")
		if in.Format == "csv" || !r.URL.Query().Has("format") && rest.Accepts(accept, textCSV) && !rest.Accepts(accept, ndjson) {
			w.Header().Set("Content-Type", textCSV)
			return csvLines(out)
		}
		w.Header().Set("Content-Type", ndjson)
		return jsonLines(out)
	})
	if err == nil {
		err = out.Flush()
	}
	return err
}

func jsonLines(out io.Writer) func(*task.Task) error {
	lines := json.NewEncoder(out)
	return func(t *task.Task) error { return lines.Encode(t) }
}

func when(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

func ids(all []uuid.UUID) []string {
	out := make([]string, len(all))
	for i, id := range all {
		out[i] = id.String()
	}
	return out
}

var csvHeader = []string{"key", "title", "description", "status", "priority", "assignees", "labels", "start_at", "due_at", "estimate_minutes", "parent_id",
	"created_at", "created_by", "updated_at", "id", "project_id"}

// csvLines writes cells that no spreadsheet takes for a formula.
func csvLines(out io.Writer) func(*task.Task) error {
	w := csv.NewWriter(out)
	begun := w.Write(csvHeader)
	row := make([]string, len(csvHeader))
	return func(t *task.Task) error {
		if begun != nil {
			return begun
		}
		estimate, parent := "", ""
		if t.EstimateMinutes != nil {
			estimate = strconv.FormatInt(*t.EstimateMinutes, 10)
		}
		if t.ParentID != nil {
			parent = t.ParentID.String()
		}
		copy(row, []string{t.Key, task.TextCell(t.Title), task.TextCell(t.Description), t.Status, t.Priority, strings.Join(ids(t.Assignees), " "), task.TextCell(task.LabelsCell(t.Labels)),
			when(t.StartAt), when(t.DueAt), estimate, parent, when(&t.CreatedAt), t.CreatedBy, when(&t.UpdatedAt), t.ID.String(), t.ProjectID.String()})
		return w.Write(row)
	}
}
