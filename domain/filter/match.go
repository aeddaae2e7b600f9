package filter

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Match reports whether e holds for what get returns of each field: the values
// that it has, none if it is empty.
func Match(e Expr, get func(field string) []any) bool {
	switch e := e.(type) {
	case And:
		return Match(e.Left, get) && Match(e.Right, get)
	case Or:
		return Match(e.Left, get) || Match(e.Right, get)
	case Not:
		return !Match(e.X, get)
	case Compare:
		has := get(e.Field.Name)
		if e.Op == Empty {
			return len(has) == 0
		}
		return slices.ContainsFunc(has, func(v any) bool {
			return slices.ContainsFunc(e.Values, func(w any) bool { return holds(v, e.Op, w) })
		})
	}
	return true
}

func holds(v any, op Op, w any) bool {
	if op == Contains {
		return strings.Contains(strings.ToLower(v.(string)), strings.ToLower(w.(string)))
	}
	n := order(v, w)
	switch op {
	case Less:
		return n < 0
	case LessEqual:
		return n <= 0
	case More:
		return n > 0
	case MoreEqual:
		return n >= 0
	}
	return n == 0
}

func order(v, w any) int {
	switch v := v.(type) {
	case string:
		return strings.Compare(v, w.(string))
	case int64:
		return cmp.Compare(v, w.(int64))
	case time.Time:
		return v.Compare(w.(time.Time))
	}
	a, b := v.(uuid.UUID), w.(uuid.UUID)
	return bytes.Compare(a[:], b[:])
}
