// Package fault names the ways in which an operation can fail.
//
// One vocabulary drives the HTTP status (RFC 9110), the problem document
// (RFC 9457), what a client of ours sees as an error, and whether a Temporal
// activity is tried again.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is a way to fail that a caller can act on.
type Kind int

// The kinds. Any error that is no *Error counts as Internal: it is logged once
// and never shown.
const (
	Internal             Kind = iota
	Invalid                   // the input breaks a rule; fields say which
	Unauthenticated           // nobody vouches for the caller
	Forbidden                 // the policy does not give it
	NotFound                  // unknown, or another tenant's
	Conflict                  // the state of things does not allow it
	Precondition              // the version named is not the current one
	PreconditionRequired      // a version must be named
	Throttled                 // too often; try again later
	Unavailable               // a part is missing; try again later
)

// String returns the name that problem types and Temporal error types carry.
func (k Kind) String() string {
	return [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict",
		"precondition", "precondition_required", "throttled", "unavailable"}[k]
}

// Retryable says whether the same request may succeed later unchanged.
func (k Kind) Retryable() bool {
	return k == Internal || k == Throttled || k == Unavailable
}

// Error is a failure that its caller is told about.
type Error struct {
	Kind       Kind
	Code       string        // stable, snake_case; it becomes the problem's type
	Message    string        // for people; holds no input and no secret
	Fields     []Field       // what is wrong where, for Invalid; what names the unknown, for NotFound
	RetryAfter time.Duration // for Throttled and Unavailable; zero: unknown
	Err        error         // the cause, logged and never shown
}

// Field says what is wrong with one part of the input.
type Field struct {
	Pointer   string // RFC 6901, into the request body: "/title"
	Parameter string // instead of a pointer: the parameter of the query or the path
	Position  int    // in the parameter's text, in characters from 1; zero: all of it
	Code      string // stable, snake_case
	Message   string
}

// New returns a failure of kind k.
func New(k Kind, code, message string) *Error {
	return &Error{Kind: k, Code: code, Message: message}
}

// Wrap returns a failure of kind k whose cause is err.
func Wrap(k Kind, code, message string, err error) *Error {
	return &Error{Kind: k, Code: code, Message: message, Err: err}
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a failure of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// As returns the first *Error in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
