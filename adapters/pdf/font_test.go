package pdf

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/bidi"
	"pgregory.net/rapid"
)

// Whatever the text: nothing gets lost, and no line is wider than its column.
func TestWrappedLinesFitAndHoldEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("a bcd  éЖż你好，한。\n-/")), rapid.Rune())).Draw(t, "text")
		most := rapid.Float64Range(4, 80).Draw(t, "width")
		s, _ := shown(in)
		lines := wrap(s, small, most)
		for _, line := range lines {
			taken := 0.0
			for _, r := range line {
				if taken += width(r, small); r > 0xffff || glyphs()[r].width < 0 {
					t.Fatalf("%q cannot be shown", r)
				}
			}
			if taken > most && len([]rune(line)) > 1 {
				t.Fatalf("%q takes %.1f of %.1f mm", line, taken, most)
			}
		}
		for _, line := range lines {
			whole, right := "", 0.0
			for _, p := range pieces(line, small) {
				if p.left < right {
					t.Fatalf("%q begins at %.1f, before %.1f", p.text, p.left, right)
				}
				whole, right = whole+p.text, p.left
			}
			if whole != line {
				t.Fatalf("%q in pieces is %q", line, whole)
			}
		}
		if got, want := letters(strings.Join(lines, "")), letters(s); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

// The writer sets letters one after the other, from left to right.
func TestNoFontHasLettersThatTheWriterCannotSet(t *testing.T) {
	t.Parallel()
	for r, g := range glyphs() {
		p, _ := bidi.LookupRune(rune(r))
		leftwards := p.Class() == bidi.R || p.Class() == bidi.AL
		if g.width >= 0 && (leftwards && !unicode.Is(unicode.Cf, rune(r)) || unicode.In(rune(r), unicode.Devanagari, unicode.Thai, unicode.Tamil)) {
			t.Errorf("%U would be set wrongly", r)
		}
	}
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' {
			return -1
		}
		return r
	}, s)
}
