package csv_test

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/adapters/csv"
	"bailiwick.dev/domain/report"
)

func document(err error, cells ...string) report.Document {
	return report.Document{Title: "T", Columns: []report.Column{{Name: "Title"}, {Name: "Due"}}, Rows: func(yield func([]report.Cell, error) bool) {
		for _, c := range cells {
			if !yield([]report.Cell{{Text: c}, {Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}}
}

func TestCellsAreDataNeverFormulas(t *testing.T) {
	t.Parallel()
	in := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "'=1", `a "quoted", cell`, "two\nlines", "你好 مرحبا Привет 😀", ""}
	var b bytes.Buffer
	if err := (csv.Renderer{}).Render(t.Context(), &b, document(nil, in...)); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimPrefix(b.String(), "\ufeff")
	if text == b.String() || !strings.HasPrefix(text, "Title,Due\r\n'=1+1,2026-01-02T03:04:05Z\r\n") {
		t.Errorf("begins %q", b.String()[:60])
	}
	if !strings.Contains(text, "\"two\nlines\",2026-01-02T03:04:05Z\r\n") {
		t.Errorf("a cell's own end of a line is changed: %q", text)
	}
	got, err := stdcsv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(got) != len(in)+1 {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	for i, want := range in {
		cell := got[i+1][0]
		if i < 7 {
			want = "'" + want
		}
		if cell != want {
			t.Errorf("cell %q, want %q", cell, want)
		}
	}
}

func TestBrokenSourceIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if err := (csv.Renderer{}).Render(t.Context(), io.Discard, document(broken, "x")); !errors.Is(err, broken) {
		t.Errorf("%v, want the source's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (csv.Renderer{}).Render(ctx, io.Discard, document(nil, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want cancelled", err)
	}
}
