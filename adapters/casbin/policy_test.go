package casbin_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/identity"
)

// names are drawn from few, so that they meet, and from what a policy file, a
// matcher or a joined key would read as something else.
func names(label string) *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(append([]string{"a", "b", "a,b", "b,c", "c", label}, conformance.Odd...)), rapid.StringN(1, 20, -1))
}

func snapshots() *rapid.Generator[access.Snapshot] {
	return rapid.Custom(func(t *rapid.T) access.Snapshot {
		s := access.Snapshot{Version: rapid.Int64Min(1).Draw(t, "version")}
		roles := rapid.SliceOfNDistinct(names("role"), 0, 8, rapid.ID[string]).Draw(t, "roles")
		perms := rapid.SliceOfNDistinct(names("permission"), 1, 12, rapid.ID[string]).Draw(t, "permissions")
		for _, name := range roles {
			r := access.Role{Name: name}
			for _, p := range perms {
				if rapid.Bool().Draw(t, "holds") {
					r.Permissions = append(r.Permissions, access.Permission(p))
				}
			}
			s.Roles = append(s.Roles, r)
		}
		users := []uuid.UUID{{15: 1}, {15: 2}, {15: 3}}
		for range rapid.IntRange(0, 12).Draw(t, "assignments") {
			if len(roles) == 0 {
				break
			}
			a := access.Assignment{SubjectKind: access.KindUser, SubjectID: rapid.SampledFrom(users).Draw(t, "user").String(), Role: rapid.SampledFrom(roles).Draw(t, "role")}
			if rapid.Bool().Draw(t, "client") {
				a.SubjectKind, a.SubjectID = access.KindClient, names("client").Draw(t, "client id")
			}
			s.Assignments = append(s.Assignments, a)
		}
		return s
	})
}

func TestCompiledDecidesAsCasbinDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots().Draw(t, "snapshot")
		compiled, err := casbin.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		enforcer, err := casbin.NewEnforcer(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects(s) {
			for _, p := range permissions(s) {
				want, err := enforcer.Enforce(casbin.Subject(subject), string(p))
				if err != nil {
					t.Fatal(err)
				}
				if got := compiled.Allows(subject, p); got != want || got != obvious(s, subject, p) {
					t.Fatalf("%+v %q: compiled %v, Enforce %v, obviously %v", subject, p, got, want, obvious(s, subject, p))
				}
			}
		}
		if compiled.Version() != s.Version {
			t.Fatalf("version %d, want %d", compiled.Version(), s.Version)
		}
	})
}

func obvious(s access.Snapshot, subject access.Subject, p access.Permission) bool {
	for _, a := range s.Assignments {
		for _, r := range s.Roles {
			for _, held := range r.Permissions {
				if subject != (access.Subject{}) && a.Subject() == subject && a.Role == r.Name && held == p {
					return true
				}
			}
		}
	}
	return false
}

func subjects(s access.Snapshot) []access.Subject {
	all := []access.Subject{{User: uuid.UUID{15: 9}}, {Client: "stranger"}, {Client: "role"}, {}}
	for _, a := range s.Assignments {
		all = append(all, a.Subject())
	}
	for _, r := range s.Roles { // a client that is named like a role is not the role
		all = append(all, access.Subject{Client: r.Name}, access.Subject{Client: "role:" + r.Name})
	}
	return all
}

func permissions(s access.Snapshot) []access.Permission {
	all := []access.Permission{"", "*", "unknown"}
	for _, r := range s.Roles {
		all = append(all, r.Permissions...)
	}
	return all
}

// policyOf has roles × permissions, and a person for each role.
func policyOf(roles, perms int) (access.Snapshot, []identity.Caller) {
	s := access.Snapshot{Version: 1}
	var people []identity.Caller
	for i := range roles {
		r := access.Role{Name: fmt.Sprint("role ", i)}
		for j := range perms {
			r.Permissions = append(r.Permissions, access.Permission(fmt.Sprintf("resource%d:action", (i+j)%(2*perms))))
		}
		who := identity.Caller{User: uuid.New()}
		s.Roles = append(s.Roles, r)
		s.Assignments = append(s.Assignments, access.Assignment{SubjectKind: access.KindUser, SubjectID: who.User.String(), Role: r.Name})
		people = append(people, who)
	}
	return s, people
}

func TestDecisionAllocatesNothing(t *testing.T) {
	s, people := policyOf(10, 40)
	p, err := casbin.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() {
		_ = access.Decide(p, people[3], "resource7:action")
		_ = access.Decide(p, people[3], "nothing:such")
	})
	if n != 0 {
		t.Errorf("%v allocations per decision, want 0", n)
	}
}

func BenchmarkDecision(b *testing.B) {
	for _, roles := range []int{10, 1000} {
		s, people := policyOf(roles, 40)
		p, err := casbin.Compile(s)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("compiled/roles=%d", roles), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_ = access.Decide(p, people[i%len(people)], "resource7:action")
			}
		})
	}
	s, people := policyOf(10, 40)
	e, err := casbin.NewEnforcer(s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("casbin-enforce/roles=10", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := e.Enforce(casbin.Subject(access.SubjectOf(people[i%len(people)])), "resource7:action"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	s, _ := policyOf(10, 40)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := casbin.Compile(s); err != nil {
			b.Fatal(err)
		}
	}
}
