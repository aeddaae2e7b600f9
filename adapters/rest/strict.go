package rest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick.dev/domain/fault"
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

func checkDepth(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return malformed(err)
		}
		if d.StackDepth() > maxDepth {
			return &fault.Error{Kind: fault.Invalid, Code: "malformed_json", Message: "the body nests too deep"}
		}
	}
}

// malformed says where a body is no JSON, without repeating any of it.
func malformed(err error) error {
	e := fault.Wrap(fault.Invalid, "malformed_json", "the body is not the JSON that is wanted", err)
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		e.Fields = []fault.Field{{Pointer: string(syntax.JSONPointer), Code: "malformed_json", Message: "duplicate name, invalid UTF-8 or a syntax error here"}}
	case errors.As(err, &semantic):
		e.Fields = []fault.Field{{Pointer: string(semantic.JSONPointer), Code: "invalid_value", Message: "a value of another type is wanted here"}}
	}
	return e
}
