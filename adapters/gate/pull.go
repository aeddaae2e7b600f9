package gate

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
)

// want has e be part of a pull and returns that: the one that e is waiting for,
// or the next.
func (g *Gate) want(e *entry) *round {
	if r := e.pull.Load(); r != nil && !r.Ended() {
		return r
	}
	r := g.pulls.Join(e)
	e.pull.Store(r)
	return r
}

// pull asks about what is held of entries. An answer that comes after the
// leases it would give is of no use.
func (g *Gate) pull(entries []*entry) {
	ctx, cancel := context.WithTimeout(context.Background(), lease)
	defer cancel()
	g.asked.Add(1)
	if err := g.renew(ctx, entries); err != nil {
		g.failures.Add(1)
		slog.Warn("policies could not be pulled", "tenants", len(entries), "error", err)
	}
}

func (g *Gate) renew(ctx context.Context, entries []*entry) error {
	before, ask := make([]*held, len(entries)), make([]access.TenantVersion, len(entries))
	for i, e := range entries {
		before[i] = e.held.Load()
		ask[i] = access.TenantVersion{Tenant: e.tenant, Version: before[i].version()}
	}
	asked := time.Now()
	answer, err := g.source.Renew(ctx, ask)
	if err != nil {
		return err
	}
	if n := answer.Unchanged + len(answer.Changed) + len(answer.Later); n != len(entries) {
		return fmt.Errorf("the answer is about %d policies of %d", n, len(entries))
	}
	g.answered.Store(asked)
	news := map[uuid.UUID]*access.Snapshot{}
	for _, t := range answer.Later {
		news[t] = nil
	}
	for i := range answer.Changed {
		news[answer.Changed[i].Tenant] = &answer.Changed[i].Policy
	}
	for i, e := range entries {
		policy := before[i].policy
		if s, changed := news[e.tenant]; changed {
			if policy = g.compile(s); policy == nil {
				continue
			}
		}
		e.renew(before[i], policy, asked)
	}
	return nil
}

// compile returns nil where there is nothing to compile, or no sense in it:
// then the authorization service goes on being asked for each decision.
func (g *Gate) compile(s *access.Snapshot) access.Policy {
	if s == nil {
		return nil
	}
	policy, err := casbin.Compile(*s)
	if err != nil {
		slog.Error("a policy does not compile", "version", s.Version, "error", err)
		return nil
	}
	g.version.Store(s.Version)
	return policy
}
