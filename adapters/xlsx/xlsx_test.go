package xlsx_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"bailiwick.dev/adapters/xlsx"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

var at = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

func document(rows func(yield func([]report.Cell, error) bool)) report.Document {
	return report.Document{Title: "T & <U>", At: at, Count: func() (int64, error) { return 0, nil }, Replaced: func(int64) {}, Columns: []report.Column{{Name: "Title", Width: 40}, {Name: "Due", Width: 20}, {Name: "Note", Width: 10}}, Rows: rows}
}

func texts(all ...string) func(func([]report.Cell, error) bool) {
	return func(yield func([]report.Cell, error) bool) {
		for _, s := range all {
			if !yield([]report.Cell{{Text: s}, {Time: at}, {}}, nil) {
				return
			}
		}
	}
}

func render(t *testing.T, d report.Document) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := (xlsx.Renderer{}).Render(t.Context(), &b, d); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatalf("it does not open again: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestCellsComeBackAsTextAndDates(t *testing.T) {
	t.Parallel()
	in := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "123", "TRUE", "你好 مرحبا Привет 😀", "a\nb", "<&>\"'", "_x0041_", "  spaces  ", strings.Repeat("好", 32767)}
	f := render(t, document(texts(in...)))
	rows, err := f.GetRows("Report")
	if err != nil || len(rows) != len(in)+1 {
		t.Fatalf("%d rows, %v, want %d", len(rows), err, len(in)+1)
	}
	for i, want := range in {
		if got := rows[i+1][0]; got != want {
			t.Errorf("row %d = %.60q, want %.60q", i, got, want)
		}
		if formula, err := f.GetCellFormula("Report", cell("A", i)); err != nil || formula != "" {
			t.Errorf("row %d is the formula %q, %v", i, formula, err)
		}
	}
	raw, err := f.GetCellValue("Report", "B2", excelize.Options{RawCellValue: true})
	if kind, _ := f.GetCellType("Report", "B2"); err != nil || !strings.HasPrefix(raw, "46024.12") || kind == excelize.CellTypeInlineString || rows[1][1] != "2026-01-02 03:04" {
		t.Errorf("date = %q, shown %q, type %v, %v", raw, rows[1][1], kind, err)
	}
}

func cell(column string, i int) string {
	name, _ := excelize.JoinCellName(column, i+2)
	return name
}

func TestHeaderIsBoldAndFrozen(t *testing.T) {
	t.Parallel()
	f := render(t, document(texts("x")))
	panes, err := f.GetPanes("Report")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v", panes, err)
	}
	id, err := f.GetCellStyle("Report", "A1")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.GetStyle(id); err != nil || s.Font == nil || !s.Font.Bold {
		t.Errorf("header style %+v, %v", s, err)
	}
	if p, err := f.GetDocProps(); err != nil || p.Title != "T & <U>" || p.Created != "2026-01-02T03:04:00Z" || p.Modified != p.Created {
		t.Errorf("properties %+v, %v", p, err)
	}
}

func TestControlCharactersBreakNoFile(t *testing.T) {
	t.Parallel()
	d, replaced := document(texts("a\x00\x01\x1f\uFFFE\xffb", "\t\r\n\ufffd😀", "\x02")), int64(0)
	d.Replaced = func(characters int64) { replaced = characters }
	f := render(t, d)
	if got, err := f.GetCellValue("Report", "A2"); err != nil || !strings.HasPrefix(got, "a") || !strings.HasSuffix(got, "b") {
		t.Errorf("%q, %v", got, err)
	}
	if replaced != 5 {
		t.Errorf("%d characters replaced, want 5", replaced)
	}
}

func TestWhatASpreadsheetCannotHoldIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("x", 32768), strings.Repeat("😀", 16384), strings.Repeat("w", 1<<20)} {
		if err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, document(texts(s))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a cell of %d bytes: %v, want invalid", len(s), err)
		}
	}
	if err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, document(texts(strings.Repeat("x", 32767)))); err != nil {
		t.Errorf("32767 characters: %v", err)
	}
}

func TestTooManyRowsAreRefusedUnread(t *testing.T) {
	t.Parallel()
	for n, broken := range map[int64]error{1_048_576: nil, 0: errors.New("nobody counts")} {
		read := false
		d := document(func(func([]report.Cell, error) bool) { read = true })
		d.Count = func() (int64, error) { return n, broken }
		if err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, d); fault.Is(err, fault.Invalid) == read || read != (broken != nil) {
			t.Errorf("%d rows, %v: %v, read: %v", n, broken, err, read)
		}
	}
}

func TestBrokenSourceIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, document(func(yield func([]report.Cell, error) bool) { yield(nil, broken) }))
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the source's error", err)
	}
}

func TestNoTemporaryFileIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	rows := func(yield func([]report.Cell, error) bool) {
		for range 40_000 {
			if !yield([]report.Cell{{Text: strings.Repeat("x", 500)}, {Time: at}, {}}, nil) {
				return
			}
		}
	}
	if err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, document(rows)); err != nil {
		t.Fatal(err)
	}
	if left, err := names(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	t.Setenv("TMPDIR", dir+"/none")
	if err := (xlsx.Renderer{}).Render(t.Context(), io.Discard, document(texts("x"))); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a temporary directory: %v, want unavailable", err)
	}
}
