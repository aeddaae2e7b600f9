package rest

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"bailiwick.dev/domain/patch"
)

// Optional is a field of a merge patch that cannot be cleared.
type Optional[T any] struct{ patch.Field[T] }

// Nullable is a field of a merge patch that null clears.
type Nullable[T any] struct{ patch.Field[T] }

// Schema implements huma.SchemaProvider.
func (Optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = false
	return &s
}

// Resolve implements huma.ResolverWithPath: huma itself takes null for a field
// that is left out.
func (o Optional[T]) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	if !o.Null {
		return nil
	}
	message := "cannot be cleared"
	if reflect.TypeFor[T]().Kind() == reflect.Slice {
		message = "cannot be null; [] empties it"
	}
	return []error{&huma.ErrorDetail{Location: at.String(), Message: message}}
}

// Schema implements huma.SchemaProvider.
func (Nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = true
	return &s
}
