// Package patch has the field of a JSON merge patch (RFC 7396): what a patch
// does not name stays, what it names as null is cleared.
package patch

// Field is one field of a patch; the zero Field changes nothing.
type Field[T any] struct {
	Set  bool // the patch names it
	Null bool // as null
	To   T
}

// To returns a Field that sets v.
func To[T any](v T) Field[T] { return Field[T]{Set: true, To: v} }

// Apply changes a value that cannot be cleared.
func (f Field[T]) Apply(to *T) {
	if f.Set && !f.Null {
		*to = f.To
	}
}

// ApplyNullable changes a value that can be cleared.
func (f Field[T]) ApplyNullable(to **T) {
	switch {
	case f.Null:
		*to = nil
	case f.Set:
		*to = &f.To
	}
}
