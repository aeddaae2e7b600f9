package gate_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// atMostFour fails if more than four pulls were sent in any second.
func atMostFour(t *testing.T, s *source) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	pulls := s.pulls
	for i := range pulls {
		if i >= 4 && pulls[i].Sub(pulls[i-4]) < time.Second {
			t.Errorf("five pulls within %v", pulls[i].Sub(pulls[i-4]))
		}
	}
}

// Whatever the traffic and however many tenants, the pulls are four a second;
// and they are enough to hold the leases of all.
func TestFourPullsASecondRenewAThousandTenants(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, _ := world()
		people := make([]identity.Caller, 1000)
		for i := range people {
			people[i] = identity.Caller{Tenant: uuid.New(), User: uuid.New()}
			s.set(people[i].Tenant, people[i].User)
			go func() { _ = g.Allow(t.Context(), people[i], task.TasksRead) }()
		}
		time.Sleep(300 * time.Millisecond)
		checks := s.checked()
		for range 500 {
			for _, who := range people {
				if err := g.Allow(t.Context(), who, task.TasksRead); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		if s.checked() != checks || g.Status().(gate.Status).Expiries != 0 {
			t.Errorf("%d leases ended while they were in use, and cost %d checks", g.Status().(gate.Status).Expiries, s.checked()-checks)
		}
		atMostFour(t, s)
	})
}

// Tenants that come and go, each for one request, cost no more pulls either;
// and those that are gone cost none.
func TestIdleTenantsCostNoPulls(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		for range 1000 {
			who.Tenant = uuid.New()
			s.set(who.Tenant, who.User)
			want(t, "a tenant's only request", g.Allow(t.Context(), who, task.TasksRead), allowed)
			time.Sleep(3 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		atMostFour(t, s)
		before := s.pullsNow()
		time.Sleep(time.Hour)
		if n := s.pullsNow() - before; n > 0 {
			t.Errorf("%d pulls for tenants that nobody uses", n)
		}
	})
}

// A policy for which an answer had no room is decided remotely until it comes.
func TestPolicyWithoutRoomComesLater(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		other := identity.Caller{Tenant: uuid.New(), User: uuid.New()}
		s.set(other.Tenant, other.User)
		s.with(func() { s.room = 1 })
		for range 3 {
			for _, who := range []identity.Caller{who, other} {
				want(t, "whether there was room or not", g.Allow(t.Context(), who, task.TasksRead), allowed)
			}
			time.Sleep(300 * time.Millisecond)
		}
		checks := s.checked()
		want(t, "the first", g.Allow(t.Context(), who, task.TasksRead), allowed)
		want(t, "the second", g.Allow(t.Context(), other, task.TasksRead), allowed)
		if s.checked() != checks {
			t.Error("a policy never found room")
		}
	})
}
