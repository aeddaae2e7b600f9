package casbin_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
)

// Names are data: whatever they hold, and however they resemble one another,
// each is itself alone, compiled as for Casbin.
func FuzzNames(f *testing.F) {
	for i, name := range conformance.Odd {
		f.Add(name, conformance.Odd[(i+1)%len(conformance.Odd)], "role:"+name, "user:"+name)
	}
	f.Fuzz(func(t *testing.T, first, second, third, fourth string) {
		s := access.Snapshot{Version: 1, Roles: []access.Role{{Name: first, Permissions: []access.Permission{access.Permission(second)}}}}
		if second != first {
			s.Roles = append(s.Roles, access.Role{Name: second, Parents: []string{first}, Permissions: []access.Permission{access.Permission(third)}})
		}
		project := uuid.UUID{15: 1}
		s.Assignments = []access.Assignment{
			{SubjectKind: access.KindClient, SubjectID: third, Role: first},
			{SubjectKind: access.KindClient, SubjectID: fourth, Role: second, ProjectID: &project},
		}
		compiled, err := casbin.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		obvious, err := fake.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		e, err := casbin.NewEnforcer(s, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{first, second, third, fourth} {
			subject := access.Subject{Client: who}
			for _, perm := range []string{first, second, third, fourth, "*"} {
				for _, in := range []uuid.UUID{uuid.Nil, project} {
					want, err := e.Enforce(casbin.Subject(subject), casbin.Within(subject, in), perm)
					got := compiled.Allows(subject, access.Permission(perm), in, time.Now())
					simple := obvious.Allows(subject, access.Permission(perm), in, time.Now())
					if err != nil || got != want || got != simple {
						t.Errorf("%q holds %q in %s: compiled %v, Enforce %v, %v, obviously %v", who, perm, in, got, want, err, simple)
					}
				}
			}
		}
	})
}
