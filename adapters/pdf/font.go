package pdf

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// fontFile is Noto Sans SC: Latin, Cyrillic, Chinese and Japanese in one
// file (SIL Open Font License 1.1, see NotoSansSC-OFL.txt).
//
//go:embed NotoSansSC-Regular.ttf
var fontFile []byte

const (
	substitute = '□' // stands for what the font cannot show
	perPoint   = 25.4 / 72
	em         = 1000
)

// widths holds what each character of the basic plane takes, in thousandths of
// the font's size, or -1 where the font has none. Beyond that plane the PDF
// writer panics.
var widths = sync.OnceValue(func() *[1 << 16]int16 {
	f, err := sfnt.Parse(fontFile)
	if err != nil {
		panic(err) // it is compiled in
	}
	var all [1 << 16]int16
	var b sfnt.Buffer
	for r := range all {
		all[r] = -1
		glyph, err := f.GlyphIndex(&b, rune(r))
		if err != nil || glyph == 0 {
			continue
		}
		if w, err := f.GlyphAdvance(&b, glyph, fixed.I(em), font.HintingNone); err == nil {
			all[r] = int16(w.Ceil())
		}
	}
	return &all
})

// width returns what r takes at a size in points, in millimetres.
func width(r rune, size float64) float64 { return float64(widths()[r]) * size * perPoint / em }

// shown returns s as the font can show it, on lines, and whether something had
// to be replaced. Characters that print nothing become spaces.
func shown(s string) (string, bool) {
	lost := false
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\u00ad' || r == '\u200b' || r == '\ufeff' || r >= 0xfe00 && r <= 0xfe0f: // marks without a picture
			return -1
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		case r > 0xffff || widths()[r] < 0 || unicode.In(r, unicode.Arabic, unicode.Hebrew): // these would run backwards
			lost = true
			return substitute
		}
		return r
	}, norm.NFC.String(s)), lost // composed: the writer would draw an accent over the next letter
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

// ideograph reports whether a line may end before and after r.
func ideograph(r rune) bool { return r >= 0x2e80 && r <= 0xd7af || r >= 0xf900 && r <= 0xffef }
