// Package page cuts long lists into pages by keyset: a page begins after the
// last row of the one before, so that it costs the same wherever it lies.
package page

import (
	"time"

	"github.com/google/uuid"
)

// DefaultLimit and MaxLimit bound the rows of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// Key is a row's place in a list ordered by creation or, where Sort says so, by
// values of the row.
type Key struct {
	At   time.Time
	ID   uuid.UUID
	Sort string // the values, each followed by a NUL
}

// Request asks for at most Limit rows after After; the zero Key asks for the first page.
type Request struct {
	Limit int
	After Key
}

// Result is one page; Next is nil on the last.
type Result[T any] struct {
	Items []T
	Next  *Key
}

// Cut makes a page of limit rows out of rows, of which the store was asked for
// limit+1: the one too many tells that there is a next page.
func Cut[T any](rows []T, limit int, key func(T) Key) Result[T] {
	if len(rows) <= limit {
		return Result[T]{Items: rows}
	}
	next := key(rows[limit-1])
	return Result[T]{Items: rows[:limit], Next: &next}
}

// Map makes a page of what f makes of each row.
func Map[A, B any](r Result[A], f func(A) B) Result[B] {
	out := Result[B]{Next: r.Next}
	for _, row := range r.Items {
		out.Items = append(out.Items, f(row))
	}
	return out
}
