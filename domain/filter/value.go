package filter

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// value reads the next token as a value of f's kind.
func (p *parser) value(f Field) (any, error) {
	t := p.peek()
	if t.kind != word && t.kind != quoted {
		return nil, p.unexpected("a value")
	}
	p.next()
	if cut := p.peek(); f.Kind == Time && (t.text == "now" || strings.Contains(t.text, "T")) && cut.kind == word && unicode.IsDigit(rune(cut.text[0])) {
		return nil, p.fail(cut.at, "syntax", "here a + has become a space: in an address it is sent as %2B")
	}
	v, wanted := f.read(t, p.env)
	if wanted != "" {
		return nil, p.fail(t.at, "invalid_value", "this field wants "+wanted)
	}
	return v, nil
}

// read returns the value or what it would rather have.
func (f Field) read(t token, env Env) (v any, wanted string) {
	switch f.Kind {
	case Person, ID:
		if f.Kind == Person && t.kind == word && t.text == "me" {
			return env.Me, ""
		}
		id, err := uuid.Parse(t.text)
		if err != nil || len(t.text) != 36 {
			return nil, "a UUID"
		}
		return id, ""
	case Time:
		at, ok := instant(t.text, env.Now)
		if !ok {
			return nil, "a date, an RFC 3339 time, now, or now+7d (s, m, h, d, w; at most a century, 36500d)"
		}
		return at, ""
	case Number:
		n, err := strconv.ParseInt(t.text, 10, 32)
		if err != nil {
			return nil, "a whole number"
		}
		return n, ""
	}
	if f.Values != nil && !slices.Contains(f.Values, t.text) {
		return nil, "one of " + strings.Join(f.Values, ", ")
	}
	if strings.ContainsRune(t.text, 0) || !utf8.ValidString(t.text) {
		return nil, "a text without control characters"
	}
	return t.text, ""
}

var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

const century = 100 * 365 * 24 * time.Hour

func instant(s string, now time.Time) (time.Time, bool) {
	if s == "now" {
		return now, true
	}
	if rest, ok := strings.CutPrefix(s, "now"); ok {
		unit, known := units[rest[len(rest)-1]]
		n, err := strconv.ParseInt(rest[:len(rest)-1], 10, 32)
		if !known || err != nil || rest[0] != '+' && rest[0] != '-' || max(n, -n) > int64(century/unit) {
			return now, false
		}
		return now.Add(time.Duration(n) * unit), true
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if at, err := time.Parse(layout, s); err == nil && at.Year() > 0 {
			return at.UTC().Truncate(time.Microsecond), true
		}
	}
	return now, false
}
