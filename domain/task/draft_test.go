package task

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/patch"
)

// What is named twice is dropped, but does not move what a pointer points at.
func TestMembersArePointedAtWhereTheyWereSent(t *testing.T) {
	t.Parallel()
	users, words := []uuid.UUID{uuid.Max, uuid.Max, uuid.Nil}, []string{"a", "a", ""}
	_, drafted := Draft{ProjectID: uuid.Max, Title: "x", Assignees: users, Labels: words}.task(time.Now(), identity.Caller{})
	_, patched := Patch{Assignees: patch.Field[[]uuid.UUID]{Set: true, To: users}, Labels: patch.Field[[]string]{Set: true, To: words}}.Normal()
	for name, err := range map[string]error{"draft": drafted, "patch": patched} {
		f := fault.As(err)
		if f == nil || len(f.Fields) != 2 || f.Fields[0].Pointer != "/assignees/2" || f.Fields[1].Pointer != "/labels/2" {
			t.Errorf("%s: %+v, want /assignees/2 and /labels/2", name, f)
		}
	}
}
