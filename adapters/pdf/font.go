package pdf

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// face is a font that is compiled in.
type face struct {
	family string
	file   []byte
}

// The fonts (SIL Open Font License 1.1, see OFL.txt): European letters,
// Chinese and Japanese, Korean.
var (
	//go:embed NotoSans-Regular.ttf
	european []byte
	//go:embed NotoSansSC-Regular.ttf
	chinese []byte
	//go:embed NanumGothicCoding.ttf
	korean []byte

	faces = [...]face{{"Noto Sans", european}, {"Noto Sans SC", chinese}, {"Nanum Gothic Coding", korean}}
)

const (
	substitute = '□' // stands for what no font can show
	perPoint   = 25.4 / 72
	em         = 1000
)

// glyph is how a character is shown.
type glyph struct {
	face  int8  // the first of faces that has it
	width int16 // in thousandths of the font's size, or -1 where no font has it
}

// glyphs holds those of the basic plane: beyond it the PDF writer panics.
var glyphs = sync.OnceValue(func() *[1 << 16]glyph {
	var all [1 << 16]glyph
	for r := range all {
		all[r].width = -1
	}
	for i, f := range slices.Backward(faces[:]) {
		measure(&all, int8(i), f.file)
	}
	return &all
})

func measure(all *[1 << 16]glyph, i int8, file []byte) {
	f, err := sfnt.Parse(file)
	if err != nil {
		panic(err) // it is compiled in
	}
	var b sfnt.Buffer
	for r := range all {
		n, err := f.GlyphIndex(&b, rune(r))
		if err != nil || n == 0 {
			continue
		}
		if w, err := f.GlyphAdvance(&b, n, fixed.I(em), font.HintingNone); err == nil {
			all[r] = glyph{i, int16(w.Ceil())}
		}
	}
}

// width returns what r takes at a size in points, in millimetres.
func width(r rune, size float64) float64 { return float64(glyphs()[r].width) * size * perPoint / em }

// shown returns s as the fonts can show it, on lines, and how many characters
// had to be replaced. Control characters become spaces.
func shown(s string) (_ string, replaced int64) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector): // marks without a picture
			return -1
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		case r > 0xffff || glyphs()[r].width < 0: // nor has any font what the writer could not set: letters that join, or run from right to left
			replaced++
			return substitute
		}
		return r
	}, norm.NFC.String(s)) // composed: the writer does not place accents
	return s, replaced
}

// wrap cuts s, as shown returns it, into lines no wider than most millimetres:
// at spaces and around ideographs, and within a word that fits on no line.
func wrap(s string, size, most float64) (lines []string) {
	for paragraph := range strings.SplitSeq(s, "\n") {
		lines = append(lines, wrapParagraph([]rune(strings.TrimSpace(paragraph)), size, most)...)
	}
	return lines
}

func wrapParagraph(rs []rune, size, most float64) (lines []string) {
	start, fit, taken := 0, 0, 0.0 // of the line; where it may end; its width so far
	for i := 0; i < len(rs); i++ {
		if i > start && (rs[i] == ' ' || ideograph(rs[i]) || ideograph(rs[i-1])) {
			fit = i
		}
		if taken += width(rs[i], size); taken <= most || i == start {
			continue
		}
		if fit <= start {
			fit = i
		}
		lines = append(lines, strings.TrimRight(string(rs[start:fit]), " "))
		for start = fit; start < len(rs)-1 && rs[start] == ' '; start++ {
		}
		i, fit, taken = start-1, start, 0
	}
	return append(lines, string(rs[start:]))
}

// piece is a part of a line in one font.
type piece struct {
	text, family string
	left         float64 // where it begins, in millimetres
}

// pieces cuts a line where its font changes.
func pieces(line string, size float64) (all []piece) {
	left := 0.0
	for _, r := range line {
		family := faces[glyphs()[r].face].family
		if len(all) == 0 || all[len(all)-1].family != family {
			all = append(all, piece{family: family, left: left})
		}
		all[len(all)-1].text += string(r)
		left += width(r, size)
	}
	return all
}

// ideograph reports whether a line may end before and after r.
func ideograph(r rune) bool { return r >= 0x2e80 && r <= 0xd7af || r >= 0xf900 && r <= 0xffef }
