package main

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/ory/fosite"
)

// legible refuses parameters that are no text: PostgreSQL keeps none such, and JSON
// changes them. The state may be any bytes: it goes back as it came.
func legible(params url.Values) error {
	for name, values := range params {
		for _, v := range values {
			if !isText(name) || !isText(v) && name != "state" {
				return fosite.ErrInvalidRequest.WithHint("Parameters are UTF-8 without NUL.")
			}
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
