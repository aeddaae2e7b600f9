package filter

import (
	"strings"
	"unicode"
)

type kind int

const (
	end kind = iota
	word
	quoted
	sign
)

type token struct {
	kind kind
	text string
	at   int // in characters, from 1
}

func (p *parser) lex(text string) (all []token, err error) {
	rs := []rune(text)
	for i := 0; i < len(rs); {
		r, from := rs[i], i
		switch {
		case unicode.IsSpace(r):
			i++
		case strings.ContainsRune("(),=~", r):
			i++
			all = append(all, token{sign, string(r), from + 1})
		case strings.ContainsRune("<>!", r):
			if i++; i < len(rs) && rs[i] == '=' {
				i++
			}
			all = append(all, token{sign, string(rs[from:i]), from + 1})
		case r == '"':
			var s string
			if s, i, err = p.quoted(rs, i); err != nil {
				return nil, err
			}
			all = append(all, token{quoted, s, from + 1})
		case plain(r):
			for i < len(rs) && plain(rs[i]) {
				i++
			}
			all = append(all, token{word, string(rs[from:i]), from + 1})
		default:
			return nil, p.fail(from+1, "syntax", "a character that means nothing here; texts stand in quotes")
		}
	}
	return append(all, token{end, "", len(rs) + 1}), nil
}

// quoted reads a text in double quotes, in which a backslash makes the next
// character plain.
func (p *parser) quoted(rs []rune, i int) (string, int, error) {
	var s strings.Builder
	for from := i; ; {
		if i++; i < len(rs) && rs[i] == '\\' {
			i++
		} else if i < len(rs) && rs[i] == '"' {
			return s.String(), i + 1, nil
		}
		if i >= len(rs) {
			return "", i, p.fail(from+1, "syntax", "the text that begins here has no end")
		}
		s.WriteRune(rs[i])
	}
}

func plain(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-+:.@/", r)
}
