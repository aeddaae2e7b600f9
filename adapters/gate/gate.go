// Package gate decides in this process whether a caller may do something.
//
// It holds each tenant's compiled policy under a lease of one second, which
// conditional pulls renew: a permission taken away is denied everywhere within
// that second. With the lease over it asks remotely, and without an answer it
// denies.
package gate

import (
	"context"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	lease   = time.Second
	renewal = lease / 2              // older than this, a policy in use is renewed beside the request
	patient = time.Second            // for the first pull of a tenant
	remote  = 100 * time.Millisecond // for a decision that authz makes
	tenants = 10_000
)

// Source is the authorization service.
type Source interface {
	// Policy returns the tenant's policy, or nil if its version is have; -1 has none.
	Policy(ctx context.Context, tenant uuid.UUID, have int64) (*access.Snapshot, error)
	// Check returns one decision, about the project or, if it is uuid.Nil, the whole tenant.
	Check(ctx context.Context, tenant uuid.UUID, s access.Subject, p access.Permission, project uuid.UUID) (access.Decision, error)
}

// Gate is an access.Gate.
type Gate struct {
	source   Source
	policies *lru.Cache[uuid.UUID, held]
	pulls    singleflight.Group
}

type held struct {
	access.Policy
	asked time.Time // when the pull that confirmed it was sent
}

var _ access.Gate = (*Gate)(nil)

// New returns a gate that learns policies from source.
func New(source Source) *Gate {
	policies, err := lru.New[uuid.UUID, held](tenants)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Gate{source: source, policies: policies}
}

// Allow implements access.Gate.
func (g *Gate) Allow(ctx context.Context, who identity.Caller, p access.Permission) error {
	return g.AllowIn(ctx, who, p, uuid.Nil)
}

// AllowIn implements access.Gate.
func (g *Gate) AllowIn(ctx context.Context, who identity.Caller, p access.Permission, project uuid.UUID) error {
	h, ok := g.policies.Get(who.Tenant)
	now := time.Now()
	age := now.Sub(h.asked)
	if ok && age < lease {
		if age > renewal {
			g.pull(ctx, who.Tenant)
		}
		return access.Decide(h.Policy, who, p, project, now)
	}
	wait := remote
	if !ok {
		wait = patient
	}
	select {
	case r := <-g.pull(ctx, who.Tenant):
		if r.Err == nil {
			return access.Decide(r.Val.(held).Policy, who, p, project, time.Now())
		}
	case <-time.After(wait):
	case <-ctx.Done():
	}
	return g.ask(ctx, who, p, project)
}

// pull renews the lease of a tenant's policy. Whoever needs it meanwhile
// shares the pull, so it must not end with the request that began it.
func (g *Gate) pull(ctx context.Context, tenant uuid.UUID) <-chan singleflight.Result {
	return g.pulls.DoChan(string(tenant[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patient)
		defer cancel()
		h, known := g.policies.Get(tenant)
		have := int64(-1)
		if known {
			have = h.Version()
		}
		asked := time.Now()
		s, err := g.source.Policy(ctx, tenant, have)
		if err != nil {
			return nil, err
		}
		if s != nil {
			if h.Policy, err = casbin.Compile(*s); err != nil {
				return nil, err
			}
		}
		h.asked = asked
		g.policies.Add(tenant, h)
		return h, nil
	})
}

func (g *Gate) ask(ctx context.Context, who identity.Caller, p access.Permission, project uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, remote)
	defer cancel()
	d, err := g.source.Check(ctx, who.Tenant, access.SubjectOf(who), p, project)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "decision_unavailable", "nobody can tell right now whether this is allowed", err)
	}
	if !d.Allowed {
		return access.ErrForbidden()
	}
	return nil
}
