// Package xlsx writes reports as Office Open XML spreadsheets.
//
// Rows go through excelize's stream writer into a temporary file, and from
// there, compressed, straight to where the report goes: memory does not grow
// with the number of rows.
package xlsx

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

const (
	sheet   = "Report"
	maxRows = excelize.TotalRows - 1 // below the header
	// Above 4 GiB of XML a sheet needs ZIP64 headers that Go writes in a way
	// which Excel takes for a broken file. Text may take this much of it.
	maxText = 3 << 30
	tidy    = 256 // rows between two looks at the temporary directory
)

// Renderer implements report.Renderer.
type Renderer struct{}

var _ report.Renderer = Renderer{}

// Render implements report.Renderer.
func (Renderer) Render(ctx context.Context, w io.Writer, d report.Document) (err error) {
	if d.Exceeds(maxRows) {
		return errTooMany()
	}
	// Without a directory that can be written to, excelize would keep
	// everything in memory without a word.
	dir, err := os.MkdirTemp("", "xlsx-")
	if err != nil {
		return fault.Wrap(fault.Unavailable, "storage_unavailable", "there is no place for temporary files", err)
	}
	defer os.RemoveAll(dir)
	f := excelize.NewFile(excelize.Options{TmpDir: dir})
	defer func() { err = errors.Join(err, f.Close()) }()
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return straight(w) })
	t, err := newTable(f, d)
	if err != nil {
		return err
	}
	for row, err := range d.Rows {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = t.add(row)
		}
		if err != nil {
			return err
		}
		if t.rows%tidy == 0 {
			unlink(dir)
		}
	}
	if err := t.out.Flush(); err != nil {
		return err
	}
	d.Replaced(t.lost)
	return f.Write(io.Discard) // the archive goes to w
}

// straight writes the archive to w, not to a buffer as excelize would. The
// fastest level costs a third less time for a tenth more bytes.
func straight(w io.Writer) *zip.Writer {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	return z
}

// unlink takes the names from temporary files that are open, so that a process
// that is killed leaves nothing behind.
func unlink(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, n := range names {
		_ = os.Remove(n) // where an open file cannot be removed, Render does it at its end
	}
}

type table struct {
	out   *excelize.StreamWriter
	date  int // the style of times
	rows  int
	text  int64 // bytes of XML
	lost  int64 // characters that XML cannot hold
	names []string
	cells []any
}

func newTable(f *excelize.File, d report.Document) (*table, error) {
	t, at := &table{cells: make([]any, len(d.Columns))}, d.At.UTC().Format(time.RFC3339)
	err := errors.Join(
		f.SetSheetName("Sheet1", sheet),
		f.SetSheetDimension(sheet, ""), // not known yet, and A1 would be wrong
		f.SetDocProps(&excelize.DocProperties{Title: d.Title, Creator: "Bailiwick", Created: at, Modified: at}))
	if err != nil {
		return nil, err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE3EA"}}})
	if err != nil {
		return nil, err
	}
	format := "yyyy-mm-dd hh:mm"
	if t.date, err = f.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return nil, err
	}
	if t.out, err = f.NewStreamWriter(sheet); err != nil {
		return nil, err
	}
	for i, c := range d.Columns {
		t.names = append(t.names, c.Name)
		t.cells[i] = excelize.Cell{StyleID: bold, Value: c.Name}
		if err := t.out.SetColWidth(i+1, i+1, c.Width); err != nil {
			return nil, err
		}
	}
	if err := t.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	return t, t.out.SetRow("A1", t.cells)
}

func errTooMany() error {
	return fault.New(fault.Invalid, "too_many_rows", fmt.Sprintf("a spreadsheet holds at most %d rows: choose fewer, or CSV", maxRows))
}

func (t *table) add(row []report.Cell) error {
	if t.rows++; t.rows > maxRows {
		return errTooMany()
	}
	for i, c := range row {
		switch {
		case !c.Time.IsZero():
			t.cells[i] = excelize.Cell{StyleID: t.date, Value: c.Time.UTC()}
		case c.Text == "":
			t.cells[i] = nil
		case tooLong(c.Text):
			return fault.New(fault.Invalid, report.CellTooLong, fmt.Sprintf("%s has more than the %d characters that a spreadsheet's cell holds: choose CSV", t.names[i], excelize.TotalCellChars))
		default:
			t.cells[i] = c.Text // inline text, never a formula
		}
		size, lost := weigh(c.Text)
		t.text, t.lost = t.text+size, t.lost+lost
	}
	if t.text > maxText {
		return fault.New(fault.Invalid, "too_large", "the tasks hold more text than a spreadsheet can: choose fewer, or CSV")
	}
	return t.out.SetRow(fmt.Sprintf("A%d", t.rows+1), t.cells)
}

// weigh returns how many bytes of XML s takes at most, and how many of its
// characters XML cannot hold: the file has U+FFFD for each.
func weigh(s string) (size, lost int64) {
	size = int64(len(s) + len("x005F_")*strings.Count(s, "_x")) // what looks like an escape is escaped
	for _, r := range s {
		switch {
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			size, lost = size+2, lost+1
		case r == '"', r == '\'', r == '&', r == '<', r == '>', r == '\t', r == '\r', r == utf8.RuneError:
			size += 4
		}
	}
	return size, lost
}

// tooLong counts as Excel does, in UTF-16 units; excelize would cut in silence.
func tooLong(s string) bool {
	if len(s) <= excelize.TotalCellChars {
		return false
	}
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n > excelize.TotalCellChars
}
