package rest

import (
	stdjson "encoding/json"
	"errors"
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep a request's JSON may nest.
const maxDepth = 64

// strictJSON refuses what two parsers could read differently: duplicate names,
// names in another case, invalid UTF-8, anything after the value.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error { return stdjson.NewEncoder(w).Encode(v) },
	Unmarshal: func(data []byte, v any) error {
		if err := checkDepth(data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, v); err != nil {
			return malformed(err)
		}
		return nil
	},
}

// checkDepth counts brackets outside strings. What is no JSON is for the decoder
// to find, which is slower.
func checkDepth(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inString && b == '\\':
			i++ // whatever is escaped ends nothing
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return errors.New(malformedAt + ": nests too deep")
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}

// malformedAt begins the message of a body that is no JSON; its place follows.
// huma keeps nothing of an error but its message, so that carries both.
const malformedAt = "malformed JSON at "

// malformed says where a body is no JSON, without repeating any of its values.
func malformed(err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return errors.New(malformedAt + string(syntax.JSONPointer) + ": a duplicate name, invalid UTF-8 or a syntax error")
	case errors.As(err, &semantic):
		return errors.New(malformedAt + string(semantic.JSONPointer) + ": a value of another type or size is wanted")
	}
	return errors.New(malformedAt + ": unreadable")
}
