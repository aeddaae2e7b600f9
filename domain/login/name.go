package login

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"bailiwick.dev/domain/fault"
)

// MaxName bounds the names of clients, people and companies, in characters.
const MaxName = 200

// CheckName notes at pointer why nobody is called name: it has fewer characters than
// least or more than MaxName, or is not IsPlain.
func CheckName(f *fault.Check, name string, least int, pointer string) {
	n := utf8.RuneCountInString(name)
	f.That(n >= least && n <= MaxName, pointer, "length", fmt.Sprintf("between %d and %d characters", least, MaxName))
	f.That(IsPlain(name), pointer, "invalid_character", "one line of text is wanted, without control characters and those that turn the direction of writing")
}

// IsPlain reports whether pages and mails can show s amid their own text: it is UTF-8,
// without what controls, breaks lines, or lets s, and what follows it, be read in another
// order than it is written in (Unicode Standard Annex 9).
func IsPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}
