// Package csv writes reports as comma-separated values (RFC 4180).
package csv

import (
	"bufio"
	"bytes"
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
	buffered := bufio.NewWriter(w)
	out := NewWriter(buffered)
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
	return buffered.Flush()
}

// Writer writes lines that end in CRLF and leaves the text of cells as it is:
// csv.Writer's UseCRLF makes CRLF of a line's end in a cell too.
type Writer struct {
	out  io.Writer
	line bytes.Buffer
	csv  *csv.Writer
}

// NewWriter returns a writer of lines to out, each by one call of its Write.
func NewWriter(out io.Writer) *Writer {
	w := &Writer{out: out}
	w.csv = csv.NewWriter(&w.line)
	return w
}

// Write writes one line.
func (w *Writer) Write(cells []string) error {
	w.line.Reset()
	if err := w.csv.Write(cells); err != nil {
		return err
	}
	w.csv.Flush() // into memory, which does not fail
	w.line.Truncate(w.line.Len() - 1)
	w.line.WriteString("\r\n")
	_, err := w.out.Write(w.line.Bytes())
	return err
}

func text(c report.Cell) string {
	if !c.Time.IsZero() {
		return c.Time.UTC().Format(time.RFC3339)
	}
	return task.TextCell(c.Text)
}
