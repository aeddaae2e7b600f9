package task

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
)

func TestFileIsHeldToItsHeader(t *testing.T) {
	t.Parallel()
	for file, code := range map[string]string{
		"": "required", "name\nA\n": "unknown_field", "title,title\nA,B\n": "duplicate", "status\nopen\n": "required",
		"title\n": "required", "title\n" + strings.Repeat("A\n", MaxImportRows+1): "too_many",
	} {
		_, err := countRows([]byte(file))
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields[0].Code != code {
			t.Errorf("%.20q: %v, want %s", file, err, code)
		}
	}
	if n, err := countRows([]byte("\ufefftitle,key\r\n\"A\nB\",\r\nC\r\n")); err != nil || n != 2 {
		t.Errorf("%d rows, %v, want 2", n, err)
	}
}

func TestRowsBecomeTasksOrSayWhyNot(t *testing.T) {
	t.Parallel()
	parent := uuid.New()
	file := "title,description,priority,assignees,labels,start_at,due_at,estimate_minutes,parent_id,key\n" +
		fmt.Sprintf("'=1+1,\"two\nlines\",high,%s,\"a, b\",2026-01-02,2026-01-03T04:05:06+01:00,90,%s,OLD-1\n", parent, parent) +
		",,,,,,,,,\n" +
		"A,,urgentest,me,,soon,,many,x,\n" +
		"too,few\n"
	s, err := openSheet([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	rows := s.rows(Import{ProjectID: uuid.New(), RowsTotal: 4, CreatedBy: "user:x"})
	if len(rows.Good) != 1 || len(rows.Bad) != 3 || rows.To != 4 {
		t.Fatalf("%+v", rows)
	}
	got := rows.Good[0]
	if got.Line != 2 || got.Task.Title != "=1+1" || got.Task.Description != "two\nlines" || got.Task.Priority != "high" || len(got.Task.Labels) != 2 ||
		got.Task.Assignees[0] != parent || *got.Task.ParentID != parent || *got.Task.EstimateMinutes != 90 || got.Task.DueAt.Hour() != 3 || got.Task.CreatedBy != "user:x" {
		t.Errorf("%+v", got)
	}
	for i, want := range []string{"4 title", "5 assignees start_at estimate_minutes parent_id", "6 "} {
		is := fmt.Sprint(rows.Bad[i].Line)
		for _, e := range rows.Bad[i].Errors {
			is += " " + e.Column
		}
		if is != want {
			t.Errorf("refused %q, want %q", is, want)
		}
	}
}

// What an export says of text is what an import reads, but that lines end in LF.
func TestTextComesBack(t *testing.T) {
	t.Parallel()
	all := []string{"plain", "=1+1", "'=1+1", "''=1+1", "+1", "-1", "@x", "\tx", "'", "''", "'quoted'", "it's", "'\tx", "\n=1", "two\nlines", `say "hi", you`}
	var file strings.Builder
	w := csv.NewWriter(&file)
	w.UseCRLF = true
	for _, s := range append([]string{"description", "a\r\nb\rc"}, all...) {
		if err := w.Write([]string{TextCell(s), "title"}); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	s, err := openSheet([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range append([]string{"a\nb\nc"}, all...) {
		rows := s.rows(Import{ProjectID: uuid.New(), RowsTotal: 1, CreatedBy: "user:x"})
		if len(rows.Good) != 1 || rows.Good[0].Task.Description != want {
			t.Errorf("%+v, %+v came back, want %q", rows.Good, rows.Bad, want)
		}
	}
}

// What an export says of labels is what an import reads, whatever they hold.
// A row says what is wrong with its text and how much of it there may be.
func TestRowSaysHowItsTextIsWrong(t *testing.T) {
	t.Parallel()
	s, err := openSheet([]byte("title,labels\nB\xfcro,\n" + strings.Repeat("x", MaxTitle+1) + "," + strings.Repeat("y", MaxLabel+1) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, bad := range s.rows(Import{ProjectID: uuid.New(), RowsTotal: 2}).Bad {
		for _, e := range bad.Errors {
			got = append(got, e.Column+" "+e.Code+" "+e.Message)
		}
	}
	want := []string{"title invalid_utf8 the text is not in UTF-8", "title too_long at most 200 characters", "labels too_long at most 50 characters"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLabelsComeBack(t *testing.T) {
	t.Parallel()
	for _, want := range [][]string{nil, {"a"}, {"a", "b c"}, {"a,b", "c"}, {`say "hi"`, `"`, ","}, {"=1", "x\ny"}, {"a;b", "'"}} {
		var c fault.Check
		if got := labels(&c, LabelsCell(want)); c.Err() != nil || !slices.Equal(got, want) {
			t.Errorf("%q is written as %s and read as %q, %v", want, LabelsCell(want), got, c.Err())
		}
	}
	var c fault.Check
	if got := labels(&c, `,a ,, "b, c",`); c.Err() != nil || !slices.Equal(got, []string{"a", "b, c"}) {
		t.Errorf("what a person wrote is read as %q, %v", got, c.Err())
	}
	if labels(&c, `a, "never closed`); c.Err() == nil {
		t.Error("a quote that is never closed is read")
	}
}

// Whatever a file holds, each of its rows is tried once.
func FuzzSheet(f *testing.F) {
	f.Add([]byte("title,labels\nA,b\n\"x\",\"y\nz\"\n"))
	f.Add([]byte("title\n\"never closed\n\na,b\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		n, err := countRows(file)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v", err)
			}
			return
		}
		s, err := openSheet(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := map[int64]bool{}
		im := Import{ProjectID: uuid.New(), RowsTotal: n}
		for im.RowsDone < n {
			rows := s.rows(im)
			for _, g := range rows.Good {
				lines[g.Line] = true
				if err := g.Task.check(); err != nil {
					t.Errorf("a task that breaks a rule: %v", err)
				}
			}
			for _, b := range rows.Bad {
				lines[b.Line] = true
			}
			im.RowsDone = rows.To
		}
		if int64(len(lines)) != n {
			t.Errorf("%d lines of %d rows", len(lines), n)
		}
	})
}
