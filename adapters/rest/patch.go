package rest

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick.dev/domain/patch"
)

// Optional is a field of a merge patch that cannot be cleared.
type Optional[T any] struct{ patch.Field[T] }

// Nullable is a field of a merge patch that null clears.
type Nullable[T any] struct{ patch.Field[T] }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *Optional[T]) UnmarshalJSONFrom(in *jsontext.Decoder) error { return read(&o.Field, in) }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *Nullable[T]) UnmarshalJSONFrom(in *jsontext.Decoder) error { return read(&n.Field, in) }

// read is called only for what a patch names. It reads as the rest of a body is
// read: encoding/json takes times that are none (https://go.dev/issue/54580).
func read[T any](f *patch.Field[T], in *jsontext.Decoder) error {
	f.Set, f.Null = true, in.PeekKind() == 'n'
	if f.Null {
		return in.SkipValue()
	}
	return json.UnmarshalDecode(in, &f.To)
}

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
