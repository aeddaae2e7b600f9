package casbin_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
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
		roles := rapid.SliceOfNDistinct(names("role"), 0, access.MaxDepth, rapid.ID[string]).Draw(t, "roles")
		perms := rapid.SliceOfNDistinct(names("permission"), 1, 12, rapid.ID[string]).Draw(t, "permissions")
		for i, name := range roles {
			r := access.Role{Name: name}
			for _, parent := range roles[:i] { // those before it: no cycle, and no chain over 10
				if rapid.IntRange(0, 3).Draw(t, "inherits") == 0 {
					r.Parents = append(r.Parents, parent)
				}
			}
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
			if p := rapid.SampledFrom(projects).Draw(t, "project"); p != uuid.Nil {
				a.ProjectID = &p
			}
			if end := rapid.SampledFrom(moments[:5]).Draw(t, "until"); !end.IsZero() {
				a.Until = &end
			}
			s.Assignments = append(s.Assignments, a)
		}
		return s
	})
}

var (
	projects = []uuid.UUID{uuid.Nil, {15: 101}, {15: 102}}
	moments  = []time.Time{{}, time.Unix(1000, 0), time.Unix(2000, 0), time.Unix(2000, 1), time.Unix(3000, 0), access.Forever}
)

func compareIDs(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

func TestCompiledDecidesAsCasbinDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots().Draw(t, "snapshot")
		compiled, err := casbin.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		obvious, err := fake.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.SampledFrom(moments).Draw(t, "now")
		enforcer, err := casbin.NewEnforcer(s, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects(s) {
			for _, p := range permissions(s) {
				for _, project := range projects {
					want, err := enforcer.Enforce(casbin.Subject(subject), casbin.Within(subject, project), string(p))
					if err != nil {
						t.Fatal(err)
					}
					if got, simple := compiled.Allows(subject, p, project, at), obvious.Allows(subject, p, project, at); got != want || got != simple {
						t.Fatalf("%+v %q in %s at %s: compiled %v, Enforce %v, obviously %v", subject, p, project, at, got, want, simple)
					}
				}
				got, simple := compiled.Projects(subject, p, at), obvious.Projects(subject, p, at)
				if slices.SortFunc(got, compareIDs); !slices.Equal(got, slices.SortedFunc(slices.Values(simple), compareIDs)) {
					t.Fatalf("%+v %q at %s: in the projects %v, obviously %v", subject, p, at, got, simple)
				}
			}
		}
		if compiled.Version() != s.Version {
			t.Fatalf("version %d, want %d", compiled.Version(), s.Version)
		}
	})
}

// A chain of as many roles as are allowed reaches from its first to its last.
func TestHierarchyReachesTenRoles(t *testing.T) {
	t.Parallel()
	s := access.Snapshot{Roles: []access.Role{{Name: "0", Permissions: []access.Permission{"deep:down"}}}}
	for i := 1; i < access.MaxDepth; i++ {
		s.Roles = append(s.Roles, access.Role{Name: fmt.Sprint(i), Parents: []string{fmt.Sprint(i - 1)}})
	}
	who := access.Subject{Client: "x"}
	s.Assignments = []access.Assignment{{SubjectKind: access.KindClient, SubjectID: "x", Role: fmt.Sprint(access.MaxDepth - 1)}}
	compiled, err := casbin.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	enforcer, err := casbin.NewEnforcer(s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want, err := enforcer.Enforce(casbin.Subject(who), casbin.Within(who, uuid.Nil), "deep:down")
	if got := compiled.Allows(who, "deep:down", uuid.Nil, time.Now()); err != nil || !want || !got {
		t.Errorf("compiled %v, Enforce %v, %v, want both to allow", got, want, err)
	}
}

func subjects(s access.Snapshot) []access.Subject {
	all := []access.Subject{{User: uuid.UUID{15: 9}}, {Client: "stranger"}, {Client: "role"}, {}}
	for _, a := range s.Assignments {
		all = append(all, a.Subject())
	}
	for _, r := range s.Roles { // a client that is named like a role is not the role
		all = append(all, access.Subject{Client: r.Name}, access.Subject{Client: "role:" + r.Name}, access.Subject{Client: "in:" + r.Name})
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
	now := time.Now()
	n := testing.AllocsPerRun(100, func() {
		_ = access.Decide(p, people[3], "resource7:action", uuid.Nil, now)
		_ = access.Decide(p, people[3], "nothing:such", people[3].User, now)
	})
	if n != 0 {
		t.Errorf("%v allocations per decision, want 0", n)
	}
}
