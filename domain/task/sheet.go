package task

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// ImportColumns are what a row can say of its task; IgnoredColumns are the
// others of an export, so that it can be imported as it is.
var (
	ImportColumns  = []string{"title", "description", "status", "priority", "assignees", "labels", "start_at", "due_at", "estimate_minutes", "parent_id"}
	IgnoredColumns = []string{"key", "id", "project_id", "created_at", "created_by", "updated_at"}
)

// sheet reads the rows of a CSV file (RFC 4180).
type sheet struct {
	r       *csv.Reader
	columns []string
}

func openSheet(file []byte) (*sheet, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	header, err := r.Read()
	if err != nil {
		return nil, fault.InvalidAt("/0", "required", "the file has no header, which names its columns")
	}
	var c fault.Check
	columns := make([]string, len(header))
	for i, name := range header {
		columns[i] = strings.TrimSpace(name)
		at := fmt.Sprintf("/0/%d", i)
		c.That(slices.Contains(ImportColumns, columns[i]) || slices.Contains(IgnoredColumns, columns[i]), at, "unknown_field", "columns are "+strings.Join(ImportColumns, ", "))
		c.That(!slices.Contains(columns[:i], columns[i]), at, "duplicate", "a column comes once")
	}
	c.That(slices.Contains(columns, "title"), "/0", "required", "a task has a title")
	return &sheet{r, columns}, c.Err()
}

// countRows holds a file to what can be judged before its rows are tried.
func countRows(file []byte) (n int64, err error) {
	if len(file) > MaxImport {
		return 0, fault.InvalidAt("", "too_long", "a file has at most 16 MiB")
	}
	s, err := openSheet(file)
	if err != nil {
		return 0, err
	}
	s.r.ReuseRecord = true
	for n <= MaxImportRows {
		if _, _, err := s.next(); errors.Is(err, io.EOF) {
			if n == 0 {
				return 0, fault.InvalidAt("", "required", "the file has no row but its header")
			}
			return n, nil
		}
		n++
	}
	return n, fault.InvalidAt("", "too_many", fmt.Sprintf("a file has at most %d rows", MaxImportRows))
}

// next returns a row's cells and the line where it begins. Any error but io.EOF
// is that row's own.
func (s *sheet) next() (line int64, cells []string, err error) {
	cells, err = s.r.Read()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return int64(broken.StartLine), nil, err
	case err != nil:
		return 0, nil, err
	}
	n, _ := s.r.FieldPos(0)
	return int64(n), cells, nil
}

func (s *sheet) skip(rows int64) {
	for range rows {
		_, _, _ = s.next() // a row that was refused is one that is done
	}
}

// rows returns what comes next of im.
func (s *sheet) rows(im Import) Rows {
	rows := Rows{From: im.RowsDone, To: min(im.RowsDone+writePart, im.RowsTotal), At: time.Now().UTC().Truncate(time.Microsecond)}
	for range rows.To - rows.From {
		line, cells, err := s.next()
		var t Task
		if err != nil {
			err = fault.InvalidAt("", "invalid_row", "the row has another number of cells than the header, or a quote too many or too few")
		} else {
			t, err = s.task(cells, im, rows.At)
		}
		if err != nil {
			rows.Bad = append(rows.Bad, RowError(line, fault.As(err)))
			continue
		}
		rows.Good = append(rows.Good, Row{line, t})
	}
	return rows
}

// RowError tells of a row why no task was made of it.
func RowError(line int64, f *fault.Error) ImportError {
	e := ImportError{Line: line}
	for _, field := range f.Fields {
		column, _, _ := strings.Cut(strings.TrimPrefix(field.Pointer, "/"), "/")
		e.Errors = append(e.Errors, ImportFlaw{column, field.Code, field.Message})
	}
	if e.Errors == nil {
		e.Errors = []ImportFlaw{{Code: f.Code, Message: f.Message}}
	}
	return e
}

func (s *sheet) task(cells []string, im Import, at time.Time) (Task, error) {
	d, err := s.draft(cells, im.ProjectID)
	if err != nil {
		return Task{}, err
	}
	t, err := d.task(at, identity.Caller{})
	t.CreatedBy = im.CreatedBy
	return t, err
}

func (s *sheet) draft(cells []string, project uuid.UUID) (Draft, error) {
	d := Draft{ProjectID: project}
	var c fault.Check
	for i, name := range s.columns {
		raw := cellText(cells[i])
		word := strings.TrimSpace(raw)
		switch name {
		case "title":
			d.Title = raw
		case "description":
			d.Description = raw
		case "status":
			d.Status = word
		case "priority":
			d.Priority = word
		case "assignees":
			for id := range strings.FieldsSeq(word) {
				d.Assignees = append(d.Assignees, cell(&c, name, id, "users are named by their ids, with spaces between", uuid.Parse))
			}
		case "labels":
			d.Labels = labels(&c, word)
		case "start_at":
			d.StartAt = maybe(&c, name, word, "a time is RFC 3339, or a date", instant)
		case "due_at":
			d.DueAt = maybe(&c, name, word, "a time is RFC 3339, or a date", instant)
		case "estimate_minutes":
			d.EstimateMinutes = maybe(&c, name, word, "a whole number of minutes", func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
		case "parent_id":
			d.ParentID = maybe(&c, name, word, "a task's id", uuid.Parse)
		}
	}
	return d, c.Err()
}

// LabelsCell returns labels as a cell has them: with commas between, in quotes
// where one holds a comma or a quote itself, like the cells of a line (RFC 4180).
func LabelsCell(labels []string) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteString(", ")
		}
		if strings.ContainsAny(l, "\",\r\n") {
			l = `"` + strings.ReplaceAll(l, `"`, `""`) + `"`
		}
		b.WriteString(l)
	}
	return b.String()
}

// labels reads a cell of labels.
func labels(c *fault.Check, s string) (all []string) {
	r := csv.NewReader(strings.NewReader(s))
	r.TrimLeadingSpace, r.FieldsPerRecord = true, -1
	lines, err := r.ReadAll()
	c.That(err == nil, "/labels", "invalid_value", "labels have commas between; one that holds a comma or a quote is in quotes, and its quotes are doubled")
	for _, l := range slices.Concat(lines...) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

func cell[T any](c *fault.Check, column, s, message string, parse func(string) (T, error)) T {
	v, err := parse(s)
	c.That(err == nil, "/"+column, "invalid_value", message)
	return v
}

func maybe[T any](c *fault.Check, column, s, message string, parse func(string) (T, error)) *T {
	if s == "" {
		return nil
	}
	v := cell(c, column, s, message, parse)
	return &v
}

func instant(s string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return at, nil
	}
	return time.Parse(time.RFC3339, s)
}

// formulas is what a spreadsheet takes for the beginning of a formula (OWASP,
// "CSV injection").
const formulas = "=+-@\t\r\n"

var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// TextCell returns text as a cell has it: an apostrophe in front keeps a
// spreadsheet from taking it for a formula. One more goes before apostrophes
// that stand there already, so that an import knows which to take away. Lines
// end in a line feed, as which CSV is read.
func TextCell(s string) string {
	if strings.Contains(s, "\r") { // a Replacer copies also what it leaves as it is
		s = breaks.Replace(s)
	}
	if formula(s) {
		return "'" + s
	}
	return s
}

// cellText undoes TextCell.
func cellText(s string) string {
	if strings.HasPrefix(s, "'") && formula(s) {
		return s[1:]
	}
	return s
}

func formula(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte(formulas, s[0]) >= 0
}
