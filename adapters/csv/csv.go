// Package csv writes reports as comma-separated values (RFC 4180).
package csv

import (
	"context"
	"encoding/csv"
	"io"
	"time"

	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

// Renderer implements report.Renderer. Lines end in CRLF, the first holds the
// columns' names. A byte order mark tells spreadsheets that it is UTF-8.
type Renderer struct{}

var _ report.Renderer = Renderer{}

// Render implements report.Renderer.
func (Renderer) Render(ctx context.Context, w io.Writer, d report.Document) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	line := make([]string, len(d.Columns))
	for i, c := range d.Columns {
		line[i] = c.Name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for row, err := range d.Rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for i, c := range row {
			line[i] = text(c)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func text(c report.Cell) string {
	if !c.Time.IsZero() {
		return c.Time.UTC().Format(time.RFC3339)
	}
	return task.TextCell(c.Text)
}
