package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

var (
	idLike   = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	timeLike = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]`)
)

// uniform returns the texts in a JSON value that look like an id or a time and
// are not as all of the platform's are: UUIDs of the versions (RFC 9562) in lower
// case, and RFC 3339 in UTC with Z.
func uniform(value any, versions ...uuid.Version) (odd []string) {
	switch v := value.(type) {
	case map[string]any:
		for _, x := range v {
			odd = append(odd, uniform(x, versions...)...)
		}
	case []any:
		for _, x := range v {
			odd = append(odd, uniform(x, versions...)...)
		}
	case string:
		if id, err := uuid.Parse(v); idLike.MatchString(v) && (err != nil || !slices.Contains(versions, id.Version()) || id.String() != v) {
			odd = append(odd, v)
		}
		if _, err := time.Parse(time.RFC3339, v); timeLike.MatchString(v) && (err != nil || !strings.HasSuffix(v, "Z")) {
			odd = append(odd, v)
		}
	}
	return odd
}

// versionsOf are those of the ids that an operation shows: 7, but for a session's,
// which is random, and a tenant's, which its registration's Idempotency-Key makes.
func versionsOf(op operation) []uuid.Version {
	switch {
	case strings.HasPrefix(op.shown, "/auth/v1/me/sessions"):
		return []uuid.Version{7, 4}
	case strings.HasPrefix(op.shown, "/users/v1/tenant"):
		return []uuid.Version{7, 5}
	}
	return []uuid.Version{7}
}

func TestOddIDsAndTimesAreFound(t *testing.T) {
	var value any
	err := json.Unmarshal([]byte(`{"a":["0199a1b2-c3d4-7e5f-8a6b-000000000001","2026-01-02T03:04:05.6Z","2026-01-02","text"],
		"b":["0199A1B2-c3d4-7e5f-8a6b-000000000001","0199a1b2-c3d4-4e5f-8a6b-000000000001","2026-01-02T03:04:05+00:00","2026-01-02 03:04:05Z","2026-01-02T03:04:05"]}`), &value)
	if odd := uniform(value, 7); err != nil || len(odd) != 5 {
		t.Errorf("found %q, %v, want all of b", odd, err)
	}
}
