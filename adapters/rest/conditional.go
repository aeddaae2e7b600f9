package rest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"bailiwick.dev/domain/fault"
)

// IfMatch is embedded in the input of an operation that changes what has a
// version (RFC 9110, section 13.1.1). Where a request lists several, Register
// calls the operation with one after the other.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version to change, in its quotes; of several, one must be the current one's. Weak tags and * never match" example:"\"1\""`
}

// maxTags bounds how often one request is tried.
const maxTags = 10

// each calls do for each tag until one names the current version. What compares
// is do's own statement, so that it is as safe as with one: a version that is
// not the current one changes nothing.
func (m *IfMatch) each(do func() error) error {
	var tags []string
	for tag := range strings.SplitSeq(m.IfMatch, ",") {
		if tag = strings.TrimSpace(tag); tag != "" { // section 5.6.1.2 allows empty ones
			tags = append(tags, tag)
		}
	}
	switch {
	case len(tags) < 2:
		return do()
	case len(tags) > maxTags:
		return unmet(fmt.Sprintf("If-Match names at most %d versions", maxTags))
	}
	var err error
	for _, m.IfMatch = range tags {
		if err = do(); !fault.Is(err, fault.Precondition) {
			break
		}
	}
	return err
}

// Version returns the version named. It returns fault.PreconditionRequired
// when there is none, and fault.Precondition when what is there is no strong
// entity tag of ours: "*" would overwrite what the client has never seen.
func (m IfMatch) Version() (int64, error) {
	if m.IfMatch == "" {
		return 0, fault.New(fault.PreconditionRequired, "precondition_required", "name the version to change in If-Match")
	}
	tag := plain(strings.Trim(m.IfMatch, ", \t"))
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	switch {
	case err == nil && tag == ETag(n):
		return n, nil
	case tag == "*":
		return 0, unmet("* names no version that the client has seen: name the ETag that was read in If-Match")
	case strings.HasPrefix(tag, "W/"):
		return 0, unmet("a weak tag never matches in If-Match: name the strong ETag that was read")
	case len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"':
		return 0, unmet(`an entity tag in If-Match stands in double quotes, as it does in ETag: "1"`)
	}
	return 0, unmet("If-Match does not name the current version")
}

func unmet(message string) error {
	return fault.New(fault.Precondition, "precondition_failed", message)
}

// ETag returns the strong entity tag of a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// notModified answers 304 when the client has what it would be sent (RFC 9110,
// section 13.1.2).
func notModified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if has := r.Header.Values("If-None-Match"); len(has) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			w = &comparing{ResponseWriter: w, has: strings.Join(has, ",")}
		}
		next.ServeHTTP(w, r)
	})
}

// comparing leaves out the body of an answer that the client has.
type comparing struct {
	http.ResponseWriter
	has           string
	begun, leaves bool
}

// WriteHeader implements http.ResponseWriter.
func (c *comparing) WriteHeader(status int) {
	h := c.Header()
	if tag := c.match(h.Get("ETag")); status == http.StatusOK && tag != "" {
		c.leaves, status = true, http.StatusNotModified
		h.Set("ETag", tag)
		h.Del("Content-Type")
		h.Del("Content-Length")
	}
	c.begun = true
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *comparing) Write(b []byte) (int, error) {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
	if c.leaves {
		return len(b), nil
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (c *comparing) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// match returns the tag of the client's that names the same version as current,
// compressed or not.
func (c *comparing) match(current string) string {
	if current == "" {
		return ""
	}
	for tag := range strings.SplitSeq(c.has, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" {
			return current
		}
		if plain(tag) == current {
			return tag
		}
	}
	return ""
}

// plain is the tag of a representation before it was compressed.
func plain(tag string) string {
	if p, was := strings.CutSuffix(tag, compressed+`"`); was {
		return p + `"`
	}
	return tag
}
