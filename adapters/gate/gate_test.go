package gate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

func TestDecidesByThePolicy(t *testing.T) {
	t.Parallel()
	s, g, who := world()
	want(t, "what the role holds", g.Allow(t.Context(), who, task.TasksRead), allowed)
	want(t, "what it does not", g.Allow(t.Context(), who, task.TasksWrite), fault.Forbidden)
	want(t, "somebody else", g.Allow(t.Context(), identity.Caller{Tenant: who.Tenant, User: uuid.New()}, task.TasksRead), fault.Forbidden)
	want(t, "in another tenant", g.Allow(t.Context(), identity.Caller{Tenant: uuid.New(), User: who.User}, task.TasksRead), fault.Forbidden)
	for range 1000 {
		_ = g.Allow(t.Context(), who, task.TasksRead)
	}
	if n := s.pullsNow(); n > 4 {
		t.Errorf("%d pulls for a thousand decisions", n)
	}
}

func TestWhatIsTakenAwayIsDeniedWithinASecond(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.set(who.Tenant, uuid.Nil)
		time.Sleep(time.Second)
		want(t, "a second later", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

// What is used all the time is renewed beside the decisions, which then find
// every change in half a second.
func TestPolicyInUseIsRenewedBeforeItsLeaseEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		for range 500 {
			want(t, "in use", g.Allow(t.Context(), who, task.TasksRead), allowed)
			time.Sleep(10 * time.Millisecond)
		}
		if n := s.pullsNow(); n > 10 || s.checked() > 0 {
			t.Errorf("5 seconds of use cost %d pulls and %d checks, want at most 10 and none", n, s.checked())
		}
		s.set(who.Tenant, uuid.Nil)
		time.Sleep(510 * time.Millisecond)
		_ = g.Allow(t.Context(), who, task.TasksRead)
		synctest.Wait()
		time.Sleep(10 * time.Millisecond)
		want(t, "after a change", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

// A lease counts from the question: an answer that travelled for long is old
// when it comes.
func TestSlowAnswerExtendsNoLease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		s.with(func() { s.slow = 900 * time.Millisecond })
		s.with(func() { s.check = errAway })
		asked := time.Now()
		want(t, "the first answer, 900 ms old", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.set(who.Tenant, uuid.Nil)
		time.Sleep(time.Until(asked.Add(time.Second - time.Millisecond)))
		want(t, "within the lease", g.Allow(t.Context(), who, task.TasksRead), allowed)
		time.Sleep(time.Millisecond)
		want(t, "a second after the question", g.Allow(t.Context(), who, task.TasksRead), fault.Unavailable)
		s.with(func() { s.slow = 1100 * time.Millisecond })
		time.Sleep(3 * time.Second)
		want(t, "an answer older than a lease", g.Allow(t.Context(), who, task.TasksRead), fault.Unavailable)
	})
}

func TestLeaseOverAndNobodyThereIsNo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.with(func() { s.pull, s.check = errAway, errAway })
		time.Sleep(999 * time.Millisecond)
		want(t, "within the lease", g.Allow(t.Context(), who, task.TasksRead), allowed)
		time.Sleep(time.Millisecond)
		want(t, "after it", g.Allow(t.Context(), who, task.TasksRead), fault.Unavailable)
		s.with(func() { s.check = nil })
		want(t, "with a remote decision", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.set(who.Tenant, uuid.Nil)
		want(t, "with a remote refusal", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

// An authorization service that takes questions and answers none holds nobody
// up for longer than a decision may take.
func TestStuckServiceIsGivenUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.with(func() { s.stuck = true })
		for _, c := range []struct {
			what   string
			tenant uuid.UUID
			most   time.Duration
		}{{"a policy that was held", who.Tenant, 120 * time.Millisecond}, {"one that never was", uuid.New(), time.Second}} {
			time.Sleep(time.Second)
			begun := time.Now()
			want(t, c.what, g.Allow(t.Context(), identity.Caller{Tenant: c.tenant, User: who.User}, task.TasksRead), fault.Unavailable)
			if took := time.Since(begun); took > c.most {
				t.Errorf("%s: denied after %v, want %v", c.what, took, c.most)
			}
		}
		s.with(func() { s.stuck = false })
		time.Sleep(2 * time.Second)
		want(t, "when it is back", g.Allow(t.Context(), who, task.TasksRead), allowed)
	})
}

func TestAnswerCutShortRenewsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.with(func() { s.short, s.check = true, errAway })
		time.Sleep(time.Second)
		want(t, "with a short answer", g.Allow(t.Context(), who, task.TasksRead), fault.Unavailable)
	})
}

func TestPoliciesHeldAreBounded(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		_, g, who := world()
		for range access.MaxHeld + 100 {
			who.Tenant = uuid.New()
			_ = g.Allow(t.Context(), who, task.TasksRead)
		}
		if got := g.Status().(gate.Status); got.Policies != access.MaxHeld {
			t.Errorf("%d policies are held, want %d", got.Policies, access.MaxHeld)
		}
	})
}

// Which projects a role is given for only a policy under a lease can tell.
func TestProjectsTakeALease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := world()
		project := uuid.New()
		s.set(who.Tenant, who.User)
		s.with(func() { s.policies[who.Tenant].Assignments[0].ProjectID = &project })
		for p, n := range map[access.Permission]int{task.TasksRead: 1, task.TasksWrite: 0} {
			if got, err := g.Projects(t.Context(), who, p); err != nil || len(got) != n || n == 1 && got[0] != project {
				t.Errorf("projects in which %s: %v, %v, want %d", p, got, err, n)
			}
		}
		s.with(func() { s.pull = errAway })
		time.Sleep(time.Second)
		_, err := g.Projects(t.Context(), who, task.TasksRead)
		want(t, "without a lease", err, fault.Unavailable)
	})
}
