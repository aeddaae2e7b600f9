package rest

import (
	"strconv"
	"strings"

	"bailiwick.dev/domain/fault"
)

// IfMatch is embedded in the input of an operation that changes what has a
// version (RFC 9110, section 13.1.1).
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version to change" example:"\"1\""`
}

// Version returns the version named. It returns fault.PreconditionRequired
// when there is none, and fault.Precondition when what is there is no strong
// entity tag of ours: "*" would overwrite what the client has never seen.
func (m IfMatch) Version() (int64, error) {
	if m.IfMatch == "" {
		return 0, fault.New(fault.PreconditionRequired, "precondition_required", "name the version to change in If-Match")
	}
	tag := strings.TrimSpace(m.IfMatch)
	if plain, was := strings.CutSuffix(tag, compressed+`"`); was {
		tag = plain + `"`
	}
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || tag != ETag(n) {
		return 0, fault.New(fault.Precondition, "precondition_failed", "If-Match does not name the current version")
	}
	return n, nil
}

// ETag returns the strong entity tag of a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
