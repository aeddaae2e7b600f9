package rest

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

const (
	// maxDepth bounds how deep a request's JSON may nest.
	maxDepth = 64
	// maxValues bounds how many objects, arrays and other values it may hold.
	maxValues = 500_000
)

// strictJSON refuses what two parsers could read differently: duplicate names,
// names in another case, invalid UTF-8, anything after the value.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error { return stdjson.NewEncoder(w).Encode(v) },
	Unmarshal: func(data []byte, v any) error {
		if _, err := countValues(data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, v, canonicalIDs); err != nil {
			return unreadable(data, err)
		}
		if toValidate, ok := v.(*any); ok {
			*toValidate = escaped(*toValidate)
		}
		return nil
	},
}

// huma writes where a mistake is with these characters between the names, and cuts
// there again: in a name they would point, and all pointers after it, elsewhere.
// The others are those that a JSON pointer (RFC 6901) escapes.
var (
	escapeName = strings.NewReplacer("~", "~0", "/", "~1", ".", "~2", "[", "~3", "]", "~4")
	toPointer  = strings.NewReplacer(".", "/", "[", "/", "]", "", "~2", ".", "~3", "[", "~4", "]")
)

// escaped returns v, which huma only validates, with all names escaped.
func escaped(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = escaped(v[i])
		}
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, value := range v {
			all[escapeName.Replace(name)] = escaped(value)
		}
		return all
	}
	return v
}

// canonicalIDs takes a UUID in the form that the document and addresses know
// (RFC 9562, section 4), of several that its own parser takes.
var canonicalIDs = json.WithUnmarshalers(json.UnmarshalFunc(func(value []byte, to *uuid.UUID) error {
	if value[0] == '"' && len(value) != len(`""`)+36 {
		return errNoUUID
	}
	return stdjson.Unmarshal(value, to)
}))

var errNoUUID = errors.New(noUUID)

// countValues counts brackets and commas outside strings. What is no JSON is for
// the decoder to find, which is slower.
func countValues(data []byte) (values int, err error) {
	values = 1
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inString && b == '\\':
			i++ // whatever is escaped ends nothing
		case b == '"':
			inString = !inString
		case inString:
		case b == ',':
			values++
		case b == '{' || b == '[':
			values++
			if depth++; depth > maxDepth {
				return 0, wrong{Position: i + 1, Code: "too_deep", Detail: fmt.Sprintf("it nests deeper than %d", maxDepth)}
			}
		case b == '}' || b == ']':
			depth--
		}
		if values > maxValues {
			return 0, wrong{Position: i + 1, Code: "too_many", Detail: fmt.Sprintf("it holds more than %d values", maxValues)}
		}
	}
	return values, nil
}

// wrong is a ProblemField as an error. huma keeps nothing of an error but its
// message, so that is all of it.
type wrong ProblemField

const wrongBegins = "wrong: "

// Error implements error.
func (w wrong) Error() string {
	text, _ := stdjson.Marshal(w) // strings and a number
	return wrongBegins + string(text)
}

// unreadable says where data is no JSON, or not what is wanted, without
// repeating any of its values.
func unreadable(data []byte, err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		w := wrong{Pointer: string(syntax.JSONPointer), Position: int(syntax.ByteOffset) + 1, Code: "malformed_json", Detail: "a syntax error"}
		if r, size := utf8.DecodeRune(data[min(syntax.ByteOffset, int64(len(data))):]); r == utf8.RuneError && size == 1 {
			w.Code, w.Detail = "invalid_utf8", "not in UTF-8"
		} else if errors.Is(err, jsontext.ErrDuplicateName) {
			w.Code, w.Detail = "duplicate_name", "it is there more than once"
		} else if errors.Is(err, io.ErrUnexpectedEOF) {
			w.Detail = "it ends too early"
		}
		return w
	case errors.As(err, &semantic):
		w := wrong{Pointer: string(semantic.JSONPointer), Code: "invalid_type", Detail: "a value of another type is wanted"}
		if errors.Is(err, strconv.ErrRange) {
			w.Code, w.Detail = "out_of_range", "the number is too large"
		} else if errors.Is(err, errNoUUID) {
			w.Code, w.Detail = "invalid_format", noUUID
		} else if semantic.JSONKind == '"' {
			w.Code, w.Detail = "invalid_format", "the text is not as this field wants it"
		}
		return w
	}
	return wrong{Code: "malformed_json", Detail: "unreadable"}
}
