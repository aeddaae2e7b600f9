package gate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// listening is world with a gate that listens, within a bubble of synctest.
func listening(t *testing.T) (*source, *gate.Gate, identity.Caller) {
	s, g, who := world()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); synctest.Wait() })
	go g.Run(ctx)
	synctest.Wait()
	return s, g, who
}

func TestPushIsEnforcedAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		for range 100 { // however fast they follow one another
			s.push(who.Tenant, s.set(who.Tenant, uuid.Nil))
			want(t, "taken away", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
			s.push(who.Tenant, s.set(who.Tenant, who.User))
			want(t, "given back", g.Allow(t.Context(), who, task.TasksRead), allowed)
		}
		atMostFour(t, s)
	})
}

func TestLostPushCostsTheLease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.set(who.Tenant, uuid.Nil)
		time.Sleep(time.Second)
		want(t, "a second later", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

// A pull that was sent before the change brings what was true before it; the
// push that overtook it counts.
func TestPushOvertakesAPull(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		time.Sleep(600 * time.Millisecond)
		s.with(func() { s.slow = 100 * time.Millisecond })
		want(t, "while it is renewed", g.Allow(t.Context(), who, task.TasksRead), allowed)
		time.Sleep(50 * time.Millisecond)
		s.push(who.Tenant, s.set(who.Tenant, uuid.Nil))
		time.Sleep(60 * time.Millisecond)
		want(t, "after the answer of before", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

func TestPushOfWhatIsNotNeededCostsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "once", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.push(who.Tenant, 1) // of the version that is held
		time.Sleep(time.Minute)
		s.push(who.Tenant, s.set(who.Tenant, who.User)) // of a tenant that is idle
		s.push(uuid.New(), 7)                           // of one that was never seen
		time.Sleep(time.Minute)
		if n := s.pullsNow(); n != 1 {
			t.Errorf("%d pulls, want the first alone", n)
		}
	})
}

// Versions of a tenant that is set up anew begin anew, and may come to be those
// that were held before.
func TestErasedPolicyIsForgotten(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		s.with(func() { delete(s.policies, who.Tenant) })
		s.push(who.Tenant, 0)
		s.set(who.Tenant, uuid.Nil)
		want(t, "another policy of the same version", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
		time.Sleep(300 * time.Millisecond)
		want(t, "and when it was pulled", g.Allow(t.Context(), who, task.TasksRead), fault.Forbidden)
	})
}

// restless is a source whose stream breaks after a while.
type restless struct {
	*source
	lasts  time.Duration
	opened int
}

func (r *restless) Changes(_ context.Context, opened func(), _ func(uuid.UUID, int64)) error {
	r.opened++
	opened()
	time.Sleep(r.lasts)
	return errAway
}

func TestGateListensAgain(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		for lasts, want := range map[time.Duration]int{0: 10, 2 * time.Second: 5} { // a stream that has lasted is followed by the next at once
			r := &restless{source: &source{}, lasts: lasts}
			ctx, cancel := context.WithTimeout(t.Context(), 9999*time.Millisecond)
			gate.New(r).Run(ctx)
			if cancel(); r.opened != want {
				t.Errorf("listened %d times in ten seconds to streams of %v, want %d", r.opened, lasts, want)
			}
		}
	})
}
