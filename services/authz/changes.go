package main

import (
	"context"
	"sync"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// backlog is how many changes a gate may be behind. What it then does not hear
// of costs it what is left of a lease.
const backlog = 1000

// changes tells all who listen of each change of a policy. Its zero value is ready.
type changes struct {
	mu        sync.Mutex
	listeners map[chan access.TenantVersion]struct{}
	ended     bool
}

// join returns a channel of the changes from now on, which is closed at the
// end, and a function that leaves it.
func (c *changes) join() (<-chan access.TenantVersion, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := make(chan access.TenantVersion, backlog)
	if c.ended {
		close(heard)
		return heard, func() {}
	}
	if c.listeners == nil {
		c.listeners = map[chan access.TenantVersion]struct{}{}
	}
	c.listeners[heard] = struct{}{}
	return heard, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.listeners, heard)
	}
}

func (c *changes) tell(tenant identity.TenantID, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for heard := range c.listeners {
		select {
		case heard <- access.TenantVersion{Tenant: tenant, Version: version}:
		default:
		}
	}
}

// endWith ends all streams with ctx, so that the server need not wait for them.
func (c *changes) endWith(ctx context.Context) {
	<-ctx.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for heard := range c.listeners {
		close(heard)
	}
	clear(c.listeners)
}
