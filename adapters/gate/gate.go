// Package gate decides in this process whether a caller may do something.
//
// It holds the compiled policy of each tenant that is asked about under a
// lease of one second. The lease counts from the moment when the policy was
// asked for, so what was taken away before that moment is denied when it ends,
// whatever fails. Conditional pulls, each for all tenants in use and at most
// four a second, renew leases; a push of the authorization service ends one
// early. Without a lease the gate asks remotely, and without an answer it denies.
package gate

import (
	"context"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"bailiwick.dev/adapters/rounds"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	lease    = time.Second
	renewal  = lease / 2              // a policy in use that was asked for so long ago joins the next pull
	interval = 260 * time.Millisecond // between pulls: at most four a second, also when one sets out late
	patience = 20 * time.Millisecond  // for a pull, before a decision is asked for
	remote   = 100 * time.Millisecond // for a decision that authz makes
	cold     = time.Second            // for the first policy of a tenant, when there is no decision either
	tenants  = access.MaxHeld         // whose policies are held

	unavailable   = "decision_unavailable"
	nobodyCanTell = "nobody can tell right now whether this is allowed"
)

// Source is the authorization service.
type Source interface {
	// Renew says which of these policies are in force at a moment after it was
	// called, and returns the others.
	Renew(ctx context.Context, held []access.TenantVersion) (access.Renewal, error)
	// Check returns one decision, made after it was called.
	Check(ctx context.Context, tenant uuid.UUID, s access.Subject, p access.Permission, project uuid.UUID) (access.Decision, error)
	// Changes calls opened once it listens, and changed with the version of each
	// policy that changes from then on. It returns when it cannot go on.
	Changes(ctx context.Context, opened func(), changed func(tenant uuid.UUID, version int64)) error
}

// Gate is an access.Gate.
type Gate struct {
	source   Source
	policies *lru.Cache[uuid.UUID, *entry]
	pulls    rounds.Rounds[*entry]
	counts
}

var _ access.Gate = (*Gate)(nil)

// New returns a gate that learns policies from source.
func New(source Source) *Gate {
	policies, err := lru.New[uuid.UUID, *entry](tenants)
	if err != nil {
		panic(err) // only for a size below one
	}
	g := &Gate{source: source, policies: policies}
	g.pulls.Do, g.pulls.Most, g.pulls.Every = g.pull, access.MaxHeld, interval
	return g
}

// Allow implements access.Gate.
func (g *Gate) Allow(ctx context.Context, who identity.Caller, p access.Permission) error {
	return g.AllowIn(ctx, who, p, uuid.Nil)
}

// AllowIn implements access.Gate.
func (g *Gate) AllowIn(ctx context.Context, who identity.Caller, p access.Permission, project uuid.UUID) error {
	e, now := g.entry(who.Tenant), time.Now()
	held := e.held.Load()
	age := now.Sub(held.asked)
	if age >= lease {
		return g.unleased(ctx, e, who, p, project)
	}
	if age > renewal {
		g.want(e)
	}
	return access.Decide(held.policy, who, p, project, now)
}

// Projects implements access.Gate. It waits for a lease: authz is asked for no
// more than a decision.
func (g *Gate) Projects(ctx context.Context, who identity.Caller, p access.Permission) ([]uuid.UUID, error) {
	e := g.entry(who.Tenant)
	held := e.held.Load()
	policy, age := held.policy, time.Since(held.asked)
	if age > renewal {
		if pulled := g.want(e); age >= lease {
			policy = e.after(ctx, pulled, cold)
		}
	}
	if policy == nil {
		g.unavailable.Add(1)
		return nil, fault.New(fault.Unavailable, unavailable, nobodyCanTell)
	}
	return policy.Projects(access.SubjectOf(who), p, time.Now()), nil
}

func (g *Gate) entry(tenant uuid.UUID) *entry {
	e, ok := g.policies.Get(tenant)
	if !ok {
		e = newEntry(tenant)
		if first, ok, _ := g.policies.PeekOrAdd(tenant, e); ok {
			return first
		}
	}
	return e
}

// unleased decides without a lease: by the pull, if that is quick, else by a
// decision of the authorization service.
func (g *Gate) unleased(ctx context.Context, e *entry, who identity.Caller, p access.Permission, project uuid.UUID) error {
	never := e.held.Load().policy == nil
	if !never {
		g.expiries.Add(1)
	}
	come, pulled := time.Now(), g.want(e)
	wait := patience
	if time.Until(pulled.Begins()) > patience {
		wait = 0
	}
	if policy := e.after(ctx, pulled, wait); policy != nil {
		return access.Decide(policy, who, p, project, time.Now())
	}
	d, err := g.ask(ctx, who, p, project)
	switch {
	case err == nil && d.Allowed:
		return nil
	case err == nil:
		return access.ErrForbidden()
	}
	if never { // a process that has just begun has to connect first
		if policy := e.after(ctx, pulled, cold-time.Since(come)); policy != nil {
			return access.Decide(policy, who, p, project, time.Now())
		}
	}
	g.unavailable.Add(1)
	return fault.Wrap(fault.Unavailable, unavailable, nobodyCanTell, err)
}

func (g *Gate) ask(ctx context.Context, who identity.Caller, p access.Permission, project uuid.UUID) (access.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, remote)
	defer cancel()
	g.checks.Add(1)
	return g.source.Check(ctx, who.Tenant, access.SubjectOf(who), p, project)
}
