package casbin_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	casbinlib "github.com/casbin/casbin/v2"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// BenchmarkDecision shows a compiled decision at different sizes, and Casbin's
// own two ways to the same one.
func BenchmarkDecision(b *testing.B) {
	b.Run("compiled/10_roles_x_40", func(b *testing.B) { compiled(b, 1, 10, 40) })
	b.Run("compiled/1000_tenants_x_100_rules", func(b *testing.B) { compiled(b, 1000, 10, 10) })
	b.Run("compiled/1000_roles_x_40", func(b *testing.B) { compiled(b, 1, 1000, 40) })
	b.Run("compiled/inherited_for_a_project_until_a_time", inherited)
	for _, c := range []struct{ roles, perms int }{{10, 40}, {10, 10}, {1000, 40}} {
		s, people := policyOf(c.roles, c.perms)
		shape := fmt.Sprintf("%d_roles_x_%d", c.roles, c.perms)
		plain, err := casbin.NewEnforcer(s, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		cached, err := casbinlib.NewCachedEnforcer(plain.GetModel().Copy())
		if err != nil {
			b.Fatal(err)
		}
		if err := cached.BuildRoleLinks(); err != nil {
			b.Fatal(err)
		}
		b.Run("casbin_Enforce/"+shape, func(b *testing.B) { enforce(b, people, plain.Enforce) })
		people = people[:10] // so that what they ask is cached in little time
		b.Run("casbin_CachedEnforcer/"+shape, func(b *testing.B) { enforce(b, people, cached.Enforce) })
	}
}

func compiled(b *testing.B, tenants, roles, perms int) {
	policies, people := make([]access.Policy, tenants), make([][]identity.Caller, tenants)
	for i := range policies {
		var s access.Snapshot
		s, people[i] = policyOf(roles, perms)
		policies[i] = compile(b, s)
	}
	now := time.Now()
	b.ReportAllocs()
	defer processor(b)()
	for i := 0; b.Loop(); i++ {
		t := i % tenants
		_ = access.Decide(policies[t], people[t][i%roles], "resource7:action", uuid.Nil, now)
	}
}

// inherited decides by the longest chain of roles, of which the last is given
// for one project and until a time.
func inherited(b *testing.B) {
	s, people := policyOf(access.MaxDepth, 40)
	for i := range s.Roles[1:] {
		s.Roles[i+1].Parents = []string{s.Roles[i].Name}
	}
	now, project := time.Now(), uuid.New()
	last, until := &s.Assignments[access.MaxDepth-1], now.Add(time.Hour)
	last.ProjectID, last.Until = &project, &until
	p, who := compile(b, s), people[access.MaxDepth-1]
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		if err := access.Decide(p, who, "resource7:action", project, now); err != nil {
			b.Fatal(err)
		}
	}
}

func compile(b *testing.B, s access.Snapshot) access.Policy {
	b.Helper()
	p, err := casbin.Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func enforce(b *testing.B, people []identity.Caller, enforce func(...any) (bool, error)) {
	names := make([]string, len(people))
	for i, who := range people {
		names[i] = casbin.Subject(access.SubjectOf(who))
	}
	b.ReportAllocs()
	defer processor(b)()
	for i := 0; b.Loop(); i++ {
		if _, err := enforce(names[i%len(names)], "", "resource7:action"); err != nil {
			b.Fatal(err)
		}
	}
}

// processor reports the processor time from now on of each operation: on a
// machine that does other things too, the time by the clock is longer.
func processor(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

func BenchmarkCompile(b *testing.B) {
	all := map[string]access.Snapshot{"lattice_of_1000_roles_x_100_parents": lattice(100)}
	for _, c := range []struct{ roles, people int }{{10, 10}, {10, 1000}, {1000, 1000}} {
		all[fmt.Sprintf("%d_roles_x_40_%d_people", c.roles, c.people)] = populated(c.roles, c.people)
	}
	for name, s := range all {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			defer processor(b)()
			for b.Loop() {
				compile(b, s)
			}
		})
	}
}

// lattice has as many layers of roles as are allowed, each role of which
// inherits from all of the layer below.
func lattice(width int) (s access.Snapshot) {
	var below []string
	for layer := range access.MaxDepth {
		var names []string
		for i := range width {
			names = append(names, fmt.Sprint(layer, " ", i))
			s.Roles = append(s.Roles, access.Role{Name: names[i], Parents: below, Permissions: []access.Permission{"deep:down"}})
		}
		below = names
	}
	return s
}

// populated is policyOf with as many people, each of whom has one of the roles.
func populated(roles, people int) access.Snapshot {
	s, _ := policyOf(roles, 40)
	for i := len(s.Assignments); i < people; i++ {
		s.Assignments = append(s.Assignments, access.Assignment{SubjectKind: access.KindUser, SubjectID: uuid.NewString(), Role: s.Roles[i%roles].Name})
	}
	return s
}

// BenchmarkMemory shows what 10,000 tenants take in one process, each of 10
// roles, 40 permissions and 100 people.
func BenchmarkMemory(b *testing.B) {
	const tenants = 10_000
	held := make([]access.Policy, tenants)
	before := heap()
	for b.Loop() {
		for i := range held {
			held[i] = compile(b, populated(10, 100))
		}
	}
	after := heap()
	b.ReportMetric(float64(after-before)/tenants, "B/tenant")
	b.ReportMetric(float64(after-before)/(1<<20), "MiB")
	runtime.KeepAlive(held)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
