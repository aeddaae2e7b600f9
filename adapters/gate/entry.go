package gate

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rounds"
	"bailiwick.dev/domain/access"
)

// entry is what the gate knows of a tenant.
type entry struct {
	tenant uuid.UUID
	held   atomic.Pointer[held] // replaced, never changed
	pull   atomic.Pointer[round]
}

type round = rounds.Round[*entry]

// held is a policy and when it was asked for; without a lease that is long ago.
type held struct {
	policy access.Policy // nil: none
	asked  time.Time
}

func newEntry(tenant uuid.UUID) *entry {
	e := &entry{tenant: tenant}
	e.held.Store(&held{})
	return e
}

func (h *held) version() int64 {
	if h.policy == nil {
		return access.NoVersion
	}
	return h.policy.Version()
}

// renew gives a lease to policy, unless what was held when it was asked for
// has been replaced since: then a push came, and the answer may be older than it.
func (e *entry) renew(before *held, policy access.Policy, asked time.Time) {
	e.held.CompareAndSwap(before, &held{policy, asked})
}

// end ends the lease. What is held stays, to be asked about.
func (e *entry) end(policy access.Policy) { e.held.Store(&held{policy: policy}) }

// after waits for a pull and returns the policy if there is a lease then.
func (e *entry) after(ctx context.Context, pulled *round, wait time.Duration) access.Policy {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-pulled.Done():
	case <-timer.C:
	case <-ctx.Done():
	}
	if h := e.held.Load(); time.Since(h.asked) < lease {
		return h.policy
	}
	return nil
}
