package pdf_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"bailiwick.dev/adapters/pdf"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

var at = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

func document(title string, rows func(yield func([]report.Cell, error) bool)) report.Document {
	return report.Document{Title: title, At: at, Count: func() (int64, error) { return 0, nil }, Replaced: func(int64) {}, Columns: []report.Column{
		{Name: "Title", Share: 6}, {Name: "Hidden"}, {Name: "Status", Share: 3}, {Name: "Due", Share: 3},
	}, Rows: rows}
}

func texts(all ...string) func(func([]report.Cell, error) bool) {
	return func(yield func([]report.Cell, error) bool) {
		for _, s := range all {
			if !yield([]report.Cell{{Text: s}, {Text: "invisible"}, {Text: "open"}, {Time: at}}, nil) {
				return
			}
		}
	}
}

func numbered(n int) func(func([]report.Cell, error) bool) {
	return func(yield func([]report.Cell, error) bool) {
		for i := range n {
			if !yield([]report.Cell{{Text: "Task number " + strconv.Itoa(i)}, {}, {Text: "open"}, {Time: at}}, nil) {
				return
			}
		}
	}
}

// alphabet holds n characters that follow one another.
func alphabet(n int) func(func([]report.Cell, error) bool) {
	var all []string
	for i := 0; i < n; i += 400 {
		line := ""
		for r := range 400 {
			line += string(rune('一' + i + r))
		}
		all = append(all, line)
	}
	return texts(all...)
}

func render(t *testing.T, d report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (pdf.Renderer{}).Render(t.Context(), &b, d); err != nil {
		t.Fatal(err)
	}
	if err := api.Validate(bytes.NewReader(b.Bytes()), nil); err != nil {
		t.Fatalf("it is no valid PDF: %v", err)
	}
	if dir := os.Getenv("PDF_DIR"); dir != "" { // to look at it
		_ = os.WriteFile(filepath.Join(dir, t.Name()+".pdf"), b.Bytes(), 0o600)
	}
	return b.Bytes()
}

// text returns what pdftotext reads, pages parted by form feeds.
func text(t *testing.T, file []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Fatal("pdftotext is missing: install poppler-utils")
	}
	cmd := exec.CommandContext(t.Context(), tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEveryRowIsThereUnderAHeader(t *testing.T) {
	t.Parallel()
	const rows = 4500 // three parts
	got := text(t, render(t, document("Open tasks", numbered(rows))))
	pages := strings.Split(strings.TrimSuffix(got, "\f"), "\f")
	for i, p := range pages {
		if !strings.Contains(p, "Title") || !strings.Contains(p, "Due") {
			t.Errorf("page %d has no header: %.200s", i+1, p)
		}
		if !strings.Contains(p, strconv.Itoa(i+1)+"/"+strconv.Itoa(len(pages))) {
			t.Errorf("page %d has no number: %.200s", i+1, p[max(0, len(p)-200):])
		}
		if n := strings.Count(p, "Task number"); i < len(pages)-1 && n < 40 {
			t.Errorf("page %d holds %d rows only", i+1, n)
		}
	}
	for i := range rows {
		if !strings.Contains(got, "Task number "+strconv.Itoa(i)+" ") {
			t.Fatalf("row %d is missing", i)
		}
	}
	if !strings.Contains(pages[0], "Open tasks") || !strings.Contains(pages[0], "Made 2 January 2026, 03:04 UTC") || strings.Contains(got, "invisible") {
		t.Errorf("first page: %.300s", pages[0])
	}
	if !strings.Contains(pages[len(pages)-1], "4500 rows") {
		t.Error("the last page does not count the rows")
	}
}

func TestAnyTextIsShownOrReplaced(t *testing.T) {
	t.Parallel()
	replaced := int64(0)
	d := document("Отчёт 报告 😀", texts("Привет, мир", "你好世界", "a😀b", "مرحبا", "שלום", "tab\there\x00\x01\x1f", "broken \xff utf8", "",
		strings.Repeat("word ", 40), strings.Repeat("x", 300), strings.Repeat("长", 150), "two\nlines", "Ελλας ñ ç ß – “quotes” €", "मानक हिन्दी", "e\u0301 combining", "x\u202ey", "ok\ufe0f", "=1+1"))
	d.Replaced = func(characters int64) { replaced = characters }
	got := text(t, render(t, d))
	for _, want := range []string{"Отчёт", "报告", "Привет, мир", "你好世界", "a□b", "tab here", "two", "lines", "Ελλας", "€", "é combining", "xy", "ok", "=1+1", "stands for a character"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if n := int64(strings.Count(got, "□")) - 1; n != replaced || n != 2+5+4+10 { // the last page names it
		t.Errorf("%d characters replaced, %d told of", n, replaced)
	}
	if n := strings.Count(got, "长"); n != 150 {
		t.Errorf("%d of 150 ideographs", n)
	}
	if n := strings.Count(got, "x"); n < 300 {
		t.Errorf("%d of 300 letters of a long word", n)
	}
}

func TestLettersOfEuropeAndEastAsiaAreShown(t *testing.T) {
	t.Parallel()
	all := []string{"Zażółć gęślą jaźń", "İstanbul ışık ğüşöç", "Čeština Ěščřžýáíé ďťňů", "Română ȘșȚțĂăÂâÎî", "Ελληνικά ώρα ϊΐ", "Ђорђе Її Ґґ Ў Қазақ",
		"Tiếng Việt: Nguyễn Ữ ặ", "Íslenska þæð", "Lietuvių ąčęėįšųū", "Latviešu ģķļņ", "Magyar őű", "Malti ġħż", "Cymraeg ŵŷ", "12 ₹ each, 30 ₺, ₽100, €5, 7₴", "x̌ ẹ́ q̃",
		"你好，世界", "日本語のテスト", "한국어 보고서", "Zażółć 报告 한글 ok"}
	got := text(t, render(t, document("Żółć Ωμέγα 报告", texts(all...))))
	for _, want := range append(all, "Żółć Ωμέγα 报告") {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if strings.Contains(got, "□") {
		t.Errorf("something was replaced in %s", got)
	}
}

func TestWhatNoPageCanHoldIsRefused(t *testing.T) {
	t.Parallel()
	for _, d := range []report.Document{
		document("T", texts(strings.Repeat("w", 1<<20))), document("T", texts(strings.Repeat("\n", 100)+"x")), document("T", numbered(50_001)),
		document("T", alphabet(20_000)), // must not take hours
	} {
		if err := (pdf.Renderer{}).Render(t.Context(), io.Discard, d); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v, want invalid", err)
		}
	}
}

// The title that a reader's window shows is the heading: the writer knows no character
// beyond the basic plane.
func TestTitleIsTheHeading(t *testing.T) {
	t.Parallel()
	info, err := api.PDFInfo(bytes.NewReader(render(t, document("Отчёт 报告 😀", texts("x")))), "", nil, false, nil)
	if err != nil || info.Title != "Отчёт 报告 □" {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestRowsAreCountedInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 rows", 1: "1 row", 2: "2 rows"} {
		if got := text(t, render(t, document("T", numbered(n)))); !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
}

func TestEmptyReportIsAPage(t *testing.T) {
	t.Parallel()
	got := text(t, render(t, document("Nothing", texts())))
	if !strings.Contains(got, "Nothing") || !strings.Contains(got, "0 rows") || !strings.Contains(got, "1/1") {
		t.Errorf("%s", got)
	}
}

func TestTooManyRowsAreRefusedUnread(t *testing.T) {
	t.Parallel()
	for n, broken := range map[int64]error{50_001: nil, 0: errors.New("nobody counts")} {
		read := false
		d := document("T", func(func([]report.Cell, error) bool) { read = true })
		d.Count = func() (int64, error) { return n, broken }
		if err := (pdf.Renderer{}).Render(t.Context(), io.Discard, d); fault.Is(err, fault.Invalid) == read || read != (broken != nil) {
			t.Errorf("%d rows, %v: %v, read: %v", n, broken, err, read)
		}
	}
}

func TestBrokenSourceIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := (pdf.Renderer{}).Render(t.Context(), io.Discard, document("T", func(yield func([]report.Cell, error) bool) { yield(nil, broken) }))
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the source's error", err)
	}
}
