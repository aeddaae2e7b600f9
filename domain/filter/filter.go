// Package filter reads the filter language of lists:
//
//	status in (open, review) and due < now+7d and assignee = me and not label = "x"
//
// A filter is parsed to a tree over fields that the list allows; stores turn
// the tree into their own language and must agree with Match on its meaning.
// The logic has two values: an empty field satisfies no comparison, and "not"
// turns that round, so that "not due < now" finds what has no due date too.
package filter

import (
	"time"

	"github.com/google/uuid"
)

// Kind is what a field holds.
type Kind int

// The kinds. A field of many holds a set of them.
const (
	Text   Kind = iota // compared as it is; ~ finds a part of it in any case
	Person             // a UUID, or me
	ID                 // a UUID
	Time               // RFC 3339, a date, or now, now+7d, now-2h
	Number             // a whole number
)

// Field is what a list may be filtered by.
type Field struct {
	Name     string
	Also     string // another name for it; "": none
	Kind     Kind
	Many     bool     // it holds a set: = asks whether the value is one of it
	Nullable bool     // it may be empty
	Values   []string // of Text: the only ones there are; nil: any
}

// Op compares a field with values.
type Op string

// The operators. In holds if the field equals one of the values, Empty if it
// has none. "!=" is read as the negation of "=".
const (
	Equal       Op = "="
	Less        Op = "<"
	LessEqual   Op = "<="
	More        Op = ">"
	MoreEqual   Op = ">="
	Contains    Op = "~"
	In          Op = "in"
	Empty       Op = "is empty"
	notEqual    Op = "!="
	maxLength      = 2000 // characters of a filter
	maxDepth       = 32   // of parentheses and negations
	maxCompares    = 100
	maxValues      = 200 // of one "in"
)

// Expr is a node of the tree: And, Or, Not or Compare. nil holds always.
type Expr any

// And holds if both do.
type And struct{ Left, Right Expr }

// Or holds if one of them does.
type Or struct{ Left, Right Expr }

// Not holds if X does not.
type Not struct{ X Expr }

// Compare holds if Field stands in Op to Values, which are string, uuid.UUID,
// time.Time or int64 by the field's kind: one of them, several for In, none for Empty.
type Compare struct {
	Field  Field
	Op     Op
	Values []any
}

// Env is what the words of a filter mean where it is asked.
type Env struct {
	Now time.Time
	Me  uuid.UUID // zero: nobody, whom no field names
}
