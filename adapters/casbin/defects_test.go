package casbin_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	casbinlib "github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
)

// These tests show what Casbin's other ways of answering do, and what is done
// here instead. One that fails after an upgrade tells that Casbin has changed,
// and that docs/decisions/casbin.md wants to be read again.

const denyOverrides = `
[request_definition]
r = sub, perm

[policy_definition]
p = sub, perm, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = g(r.sub, p.sub) && r.perm == p.perm
`

func modelOf(t *testing.T) model.Model {
	t.Helper()
	m, err := model.NewModelFromString(denyOverrides)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantEnforced(t *testing.T, what string, want bool, e interface{ Enforce(...any) (bool, error) }, rvals ...any) {
	t.Helper()
	if got, err := e.Enforce(rvals...); err != nil || got != want {
		t.Errorf("%s: Enforce says %v, %v, want %v", what, got, err, want)
	}
}

// Where Casbin caches decisions, who had a role keeps it when it is taken away.
// A policy that is compiled anew for each version does not.
func TestCachesAllowWhatWasTakenAway(t *testing.T) {
	t.Parallel()
	type enforcer interface {
		Enforce(...any) (bool, error)
		AddPolicy(...any) (bool, error)
		AddRoleForUser(user, role string, domain ...string) (bool, error)
		DeleteRoleForUser(user, role string, domain ...string) (bool, error)
	}
	cached, err1 := casbinlib.NewCachedEnforcer(modelOf(t))
	synced, err2 := casbinlib.NewSyncedCachedEnforcer(modelOf(t))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]enforcer{"cached": cached, "synced and cached": synced} {
		_, err1 := e.AddPolicy("member", "tasks:read", "allow")
		_, err2 := e.AddRoleForUser("ada", "member")
		wantEnforced(t, name+", given", true, e, "ada", "tasks:read")
		_, err3 := e.DeleteRoleForUser("ada", "member")
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		wantEnforced(t, name+", taken away", true, e, "ada", "tasks:read")
	}

	s, people := policyOf(1, 1)
	perm, who := s.Roles[0].Permissions[0], access.SubjectOf(people[0])
	for _, held := range []bool{true, false} {
		p, err := casbin.Compile(s)
		if err != nil || p.Allows(who, perm, uuid.Nil, time.Now()) != held {
			t.Errorf("compiled, %v: held %v", err, !held)
		}
		s.Assignments = nil
	}
}

// half is an adapter that has two rules, and breaks off between them.
type half struct{ persist.Adapter }

var errBrokenOff = errors.New("broken off")

func (half) LoadPolicy(m model.Model) error {
	return errors.Join(m.AddPolicy("p", "p", []string{"ada", "tasks:read", "allow"}), m.AddPolicy("p", "p", []string{"ada", "tasks:read", "deny"}))
}

func (half) LoadFilteredPolicy(m model.Model, _ any) error {
	return errors.Join(m.AddPolicy("p", "p", []string{"ada", "tasks:read", "allow"}), errBrokenOff)
}

func (half) IsFiltered() bool { return false }

// An enforcer whose filtered reload breaks off goes on deciding by half of the
// policy. Here one is loaded once, from a snapshot that is there, and refuses
// to be changed.
func TestHalfAPolicyAllows(t *testing.T) {
	t.Parallel()
	e, err := casbinlib.NewEnforcer(modelOf(t), half{})
	if err != nil {
		t.Fatal(err)
	}
	wantEnforced(t, "the whole policy", false, e, "ada", "tasks:read")
	if err := e.LoadFilteredPolicy(nil); !errors.Is(err, errBrokenOff) {
		t.Errorf("%v, want %v", err, errBrokenOff)
	}
	wantEnforced(t, "half of it", true, e, "ada", "tasks:read")

	s, _ := policyOf(2, 2)
	ours, err := casbin.NewEnforcer(s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func() error{
		"a rule added":       func() error { _, err := ours.AddPolicy("role:x", "tasks:read"); return err },
		"a role given":       func() error { _, err := ours.AddRoleForUser("user:x", "role:role 0"); return err },
		"a rule taken":       func() error { _, err := ours.RemovePolicy("role:role 0", "resource0:action"); return err },
		"rules taken":        func() error { _, err := ours.RemoveFilteredPolicy(0, "role:role 0"); return err },
		"the policy written": ours.SavePolicy,
		"part of it loaded":  func() error { return ours.LoadFilteredPolicy(nil) },
	} {
		if change() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Casbin says nothing of a chain that is too long and of one that is a circle:
// it denies at the end of the one and walks the other. So neither is stored
// (CycleIsRefusedAndNamed, HierarchyIsAtMostTenDeep), and both compile to what
// Casbin would say.
func TestCasbinIsSilentAboutItsHierarchy(t *testing.T) {
	t.Parallel()
	deep := access.Snapshot{Roles: []access.Role{{Name: "0", Permissions: []access.Permission{"deep:down"}}}}
	for i := 1; i < 2*access.MaxDepth; i++ {
		deep.Roles = append(deep.Roles, access.Role{Name: fmt.Sprint(i), Parents: []string{fmt.Sprint(i - 1)}})
	}
	deep.Assignments = []access.Assignment{{SubjectKind: access.KindClient, SubjectID: "x", Role: fmt.Sprint(2*access.MaxDepth - 1)}}
	circle := access.Snapshot{
		Roles:       []access.Role{{Name: "a", Parents: []string{"b"}}, {Name: "b", Parents: []string{"a"}, Permissions: []access.Permission{"deep:down"}}},
		Assignments: []access.Assignment{{SubjectKind: access.KindClient, SubjectID: "x", Role: "a"}},
	}
	who := access.Subject{Client: "x"}
	for _, c := range []struct {
		name string
		is   access.Snapshot
		want bool
	}{{"too deep", deep, false}, {"a circle", circle, true}} {
		e, err1 := casbin.NewEnforcer(c.is, time.Now())
		p, err2 := casbin.Compile(c.is)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		wantEnforced(t, c.name, c.want, e, casbin.Subject(who), casbin.Within(who, uuid.Nil), "deep:down")
		if got := p.Allows(who, "deep:down", uuid.Nil, time.Now()); got != c.want {
			t.Errorf("%s: compiled %v, want %v", c.name, got, c.want)
		}
	}
}
