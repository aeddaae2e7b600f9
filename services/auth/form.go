package main

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/ory/fosite"

	"bailiwick.dev/adapters/rest"
)

// understood answers with a page where the query cannot be read: url.Values leaves out
// the part that is malformed, and with it what it asked for.
func (s *server) understood(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params, err := url.ParseQuery(r.URL.RawQuery)
		if err == nil {
			err = legible(params)
		}
		if err != nil {
			s.refuse(w, http.StatusBadRequest, "The address cannot be read. Go back to where you came from and begin again.")
			return
		}
		r.URL.RawQuery = params.Encode() // without what has no value
		next.ServeHTTP(w, r)
	})
}

// legible refuses parameters that are no text: PostgreSQL keeps none such, and JSON
// changes them. The state may be any bytes: it goes back as it came. Those without a
// value count as left out (RFC 6749, sections 3.1 and 3.2), and are taken out.
func legible(params url.Values) error {
	for name, values := range params {
		if params[name] = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(params[name]) == 0 {
			delete(params, name)
		}
		for _, v := range params[name] {
			if !rest.IsText(name) || !rest.IsText(v) && name != "state" {
				return fosite.ErrInvalidRequest.WithHint("Parameters are UTF-8 without NUL.")
			}
		}
	}
	return nil
}
