package gate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// BenchmarkAllow shows a decision with everything around it: the tenant looked
// up, its lease looked at, and renewed when it is due.
func BenchmarkAllow(b *testing.B) {
	for _, tenants := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d_tenants", tenants), func(b *testing.B) {
			g, people := loaded(b, tenants)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := g.Allow(b.Context(), people[i%tenants], task.TasksRead); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("1000_tenants_in_parallel", func(b *testing.B) {
		g, people := loaded(b, 1000)
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := g.Allow(b.Context(), people[i%len(people)], task.TasksRead); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// loaded is a gate that holds a policy of 100 rules for each of many tenants.
func loaded(b *testing.B, tenants int) (*gate.Gate, []identity.Caller) {
	b.Helper()
	s := &source{policies: map[uuid.UUID]access.Snapshot{}, room: 100}
	people := make([]identity.Caller, tenants)
	for i := range people {
		people[i] = identity.Caller{Tenant: uuid.New(), User: uuid.New()}
		s.policies[people[i].Tenant] = hundred(people[i].User)
	}
	g := gate.New(s)
	for s.with(func() { s.checks = -1 }); s.checked() != 0; { // until nothing is decided remotely
		s.with(func() { s.checks = 0 })
		var all errgroup.Group
		for _, who := range people {
			all.Go(func() error { return g.Allow(context.Background(), who, task.TasksRead) })
		}
		if err := all.Wait(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return g, people
}

func hundred(user uuid.UUID) access.Snapshot {
	s := access.Snapshot{Version: 1, Roles: roles()}
	for i := range 10 {
		r := access.Role{Name: fmt.Sprint("role ", i)}
		for j := range 10 {
			r.Permissions = append(r.Permissions, access.Permission(fmt.Sprintf("resource%d:action", i*10+j)))
		}
		s.Roles = append(s.Roles, r)
	}
	for _, r := range s.Roles[:3] {
		s.Assignments = append(s.Assignments, access.Assignment{SubjectKind: access.KindUser, SubjectID: user.String(), Role: r.Name})
	}
	return s
}
