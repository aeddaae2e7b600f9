package main

import (
	"context"
	"log/slog"
	"time"

	"bailiwick.dev/adapters/process"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

const growAgain = 2 * time.Second // after a failure

// growth has every tenant learn what services declare: at the start, when
// there is news, and every hour, in case whoever had the news broke off.
type growth struct {
	access *access.Service
	wake   chan struct{}
}

func newGrowth(s *access.Service) *growth { return &growth{s, make(chan struct{}, 1)} }

// news returns at once.
func (g *growth) news() {
	select {
	case g.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// run declares what this service itself asks for, and grows until ctx ends.
func (g *growth) run(ctx context.Context) {
	self := identity.Caller{Tenant: identity.Platform, Client: "svc-authz", Scopes: []string{identity.PlatformScope}}
	for {
		next := process.Hourly
		_, err := g.access.Register(ctx, self, "authz", access.Declarations)
		if err == nil {
			err = g.access.Grow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			slog.Warn("will be tried again", "what", "bring permissions to all tenants", "error", err)
			next = growAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		case <-time.After(next):
		}
	}
}
