package pdf

import (
	"fmt"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/border"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

// Sizes in millimetres, and of type in points.
const (
	margin    = 12.0
	bottom    = 14.0 // the page number is in it
	page      = 210.0 - 2*margin
	grid      = 12
	small     = 8.0
	large     = 16.0
	leading   = 1.5 * perPoint // from line to line, times the size
	pad       = 1.0            // around text
	slack     = 0.5            // the writer measures in other roundings
	headColor = 225
)

// table makes the parts of a document.
type table struct {
	doc   report.Document
	title string        // as the fonts can show it
	m     core.Maroto   // the part under way
	rows  int           // in it
	lost  int64         // characters that could not be shown
	used  [1 << 16]bool // the characters of the part
	parts [][]byte
}

func newTable(d report.Document) *table {
	t := &table{doc: d}
	t.title, t.lost = shown(d.Title)
	t.begin()
	return t
}

func (t *table) begin() {
	var fonts []*entity.CustomFont
	for _, f := range faces {
		fonts = append(fonts, &entity.CustomFont{Family: f.family, Style: fontstyle.Normal, Bytes: f.file})
	}
	t.m = maroto.New(config.NewBuilder().WithSequentialMode().WithCompression(true).WithPageSize(pagesize.A4).WithMaxGridSize(grid).
		WithLeftMargin(margin).WithRightMargin(margin).WithTopMargin(margin).WithBottomMargin(bottom).
		WithCustomFonts(fonts).WithDefaultFont(&props.Font{Family: faces[0].family, Size: small}).
		WithTitle(t.title, true).WithCreator("Bailiwick", true).WithCreationDate(t.doc.At).Build())
	t.rows, t.used = 0, [1 << 16]bool{}
}

// add adds a row of the document. A part ends where a page does.
func (t *table) add(cells []report.Cell) error {
	lines := make([][]string, len(cells))
	for i, c := range cells {
		if t.doc.Columns[i].Share == 0 {
			continue
		}
		if lines[i] = t.lines(c, t.doc.Columns[i]); len(lines[i]) > maxLines {
			return fault.New(fault.Invalid, report.CellTooLong, t.doc.Columns[i].Name+" is longer than a page can show: choose XLSX or CSV")
		}
	}
	r, height := t.row(lines)
	if t.rows >= partRows && !t.m.FitlnCurrentPage(height) {
		if err := t.close(); err != nil {
			return err
		}
		t.begin()
	}
	if err := t.head(); err != nil {
		return err
	}
	t.rows++
	for _, l := range lines {
		t.use(l)
	}
	t.m.AddRows(r.WithStyle(&props.Cell{BorderType: border.Bottom, BorderThickness: 0.1, BorderColor: gray(200)}))
	return nil
}

// head begins a part, the first with the title.
func (t *table) head() error {
	if t.rows > 0 {
		return nil
	}
	if len(t.parts) == 0 {
		t.heading()
	}
	names := make([][]string, len(t.doc.Columns))
	for i, c := range t.doc.Columns {
		names[i] = []string{c.Name}
	}
	r, _ := t.row(names)
	return t.m.RegisterHeader(r.WithStyle(&props.Cell{BackgroundColor: gray(headColor)}))
}

func (t *table) heading() {
	t.line(wrap(t.title, large, page-2*pad-slack), large)
	t.line([]string{t.doc.At.UTC().Format("Made 2 January 2006, 15:04 UTC")}, small)
	t.m.AddRows(row.New(4))
}

func (t *table) line(lines []string, size float64) {
	t.use(lines)
	c := col.New(grid)
	t.m.AddRows(row.New(put(c, lines, size)).Add(c))
}

// row returns a row of the table, and its height.
func (t *table) row(cells [][]string) (core.Row, float64) {
	height := 0.0
	var all []core.Col
	for i, lines := range cells {
		if share := t.doc.Columns[i].Share; share > 0 {
			c := col.New(share)
			height = max(height, put(c, lines, small))
			all = append(all, c)
		}
	}
	return row.New(height).Add(all...), height
}

// put places each piece of a line itself: the writer knows one font for a text,
// and wraps at spaces only.
func put(c core.Col, lines []string, size float64) float64 {
	for i, s := range lines {
		for _, p := range pieces(s, size) {
			c.Add(text.New(p.text, props.Text{Family: p.family, Size: size, Left: pad + p.left, Top: pad + float64(i)*size*leading}))
		}
	}
	return float64(len(lines))*size*leading + pad
}

func (t *table) lines(c report.Cell, of report.Column) []string {
	if !c.Time.IsZero() {
		return []string{c.Time.UTC().Format("2006-01-02 15:04")}
	}
	s, lost := shown(c.Text)
	t.lost += lost
	return wrap(s, small, page*float64(of.Share)/grid-2*pad-slack)
}

// use notes which characters the part holds.
func (t *table) use(lines []string) {
	for _, s := range lines {
		for _, r := range s {
			t.used[r] = true
		}
	}
}

// neighbours returns the most characters in use that follow one another.
func (t *table) neighbours() (most int) {
	run := 0
	for _, used := range t.used {
		if run++; !used {
			run = 0
		}
		most = max(most, run)
	}
	return most
}

// end closes the last part; an empty table has its head alone.
func (t *table) end(rows int) error {
	if err := t.head(); err != nil {
		return err
	}
	note := []string{fmt.Sprintf("%d rows", rows)}
	if rows == 1 {
		note[0] = "1 row"
	}
	if t.lost > 0 {
		note = append(note, string(substitute)+" stands for a character that cannot be shown here. XLSX and CSV hold them all.")
	}
	t.m.AddRows(row.New(2))
	t.line(note, small)
	return t.close()
}

func (t *table) close() error {
	if t.neighbours() > maxNeighbours {
		return fault.New(fault.Invalid, "not_renderable", fmt.Sprintf("a PDF cannot show more than %d characters that follow one another in Unicode: choose XLSX or CSV", maxNeighbours))
	}
	d, err := t.m.Generate()
	if err != nil {
		return fmt.Errorf("part %d: %w", len(t.parts)+1, err)
	}
	t.parts = append(t.parts, d.GetBytes())
	return nil
}

func gray(v int) *props.Color { return &props.Color{Red: v, Green: v, Blue: v} }
