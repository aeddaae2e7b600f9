package gate

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"bailiwick.dev/domain/access"
)

// pause is how long a gate that cannot listen waits before it tries again.
const pause = time.Second

// Start returns a gate that shows its metrics to operators and runs until ctx
// ends. It is for the one gate of a process.
func Start(ctx context.Context, source Source) *Gate {
	g := New(source)
	prometheus.MustRegister(g)
	go g.Run(ctx)
	return g
}

// Run makes the gate quicker than its leases until ctx ends: it listens for
// changes. One that it does not hear of costs what is left of a lease.
func (g *Gate) Run(ctx context.Context) {
	for told := false; ctx.Err() == nil; {
		begun := time.Now()
		err := g.source.Changes(ctx, func() { g.listening.Store(true) }, g.changed)
		g.listening.Store(false)
		if time.Since(begun) > pause { // a stream ends now and then
			told = false
			continue
		}
		if !told && ctx.Err() == nil {
			slog.Warn("changes of policies are not heard of", "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// changed ends the lease of a policy that is no longer in force, and pulls the
// new one if somebody has needed it of late. Version 0 is that of an erased
// policy, after which versions begin anew.
func (g *Gate) changed(tenant uuid.UUID, version int64) {
	g.pushes.Add(1)
	e, ok := g.policies.Peek(tenant)
	if !ok {
		return
	}
	h := e.held.Load()
	if version > 0 && version <= h.version() {
		return
	}
	inUse := time.Since(h.asked) < lease
	var policy access.Policy
	if version > 0 {
		policy = h.policy
	}
	e.end(policy)
	if inUse {
		g.want(e)
	}
}
