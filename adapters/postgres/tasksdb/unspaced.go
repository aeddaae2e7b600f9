package tasksdb

import (
	"slices"
	"strings"
	"unicode"
)

// unspaced are the characters of Chinese, Japanese and Korean, of which words
// are written without spaces; task_words_of knows them too.
var unspaced = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1100, 0x11ff, 1}, {0x3005, 0x3007, 1}, {0x3031, 0x318e, 1}, {0x31f0, 0x31ff, 1}, {0x3400, 0x4dbf, 1}, {0x4e00, 0x9fff, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1}, {0xff66, 0xff9f, 1}},
	R32: []unicode.Range32{{0x20000, 0x3ffff, 1}},
}

func isUnspaced(r rune) bool { return unicode.Is(unspaced, r) }

func isText(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }

// split returns the words that PostgreSQL finds whole, and of the others the
// parts between punctuation, which may be anywhere.
func split(words []string) (spaced, parts []string) {
	for _, w := range words {
		if !strings.ContainsFunc(w, isUnspaced) {
			spaced = append(spaced, w)
			continue
		}
		for _, p := range strings.FieldsFunc(w, func(r rune) bool { return !isText(r) }) {
			if strings.ContainsFunc(p, isUnspaced) {
				parts = append(parts, p)
			} else {
				spaced = append(spaced, p)
			}
		}
	}
	if len(parts) > 0 { // else PostgreSQL finds nothing by nothing
		spaced = slices.DeleteFunc(spaced, func(w string) bool { return !strings.ContainsFunc(w, isText) })
	}
	return spaced, parts
}

// grams returns the pairs of neighbours in parts, and who stands alone.
func grams(parts []string) (all []string) {
	for _, p := range parts {
		runes := []rune(p)
		for i, r := range runes {
			switch {
			case !isUnspaced(r):
			case i+1 < len(runes) && isUnspaced(runes[i+1]):
				all = append(all, string(runes[i:i+2]))
			case i == 0 || !isUnspaced(runes[i-1]):
				all = append(all, string(r))
			}
		}
	}
	return all
}
