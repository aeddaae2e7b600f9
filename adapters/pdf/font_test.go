package pdf

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the text: nothing gets lost, and no line is wider than its column.
func TestWrappedLinesFitAndHoldEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("a bcd  éЖ你好，。\n-/")), rapid.Rune())).Draw(t, "text")
		most := rapid.Float64Range(4, 80).Draw(t, "width")
		s, _ := shown(in)
		lines := wrap(s, small, most)
		for _, line := range lines {
			taken := 0.0
			for _, r := range line {
				if taken += width(r, small); r > 0xffff || widths()[r] < 0 {
					t.Fatalf("%q cannot be shown", r)
				}
			}
			if taken > most && len([]rune(line)) > 1 {
				t.Fatalf("%q takes %.1f of %.1f mm", line, taken, most)
			}
		}
		if got, want := letters(strings.Join(lines, "")), letters(s); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' {
			return -1
		}
		return r
	}, s)
}
