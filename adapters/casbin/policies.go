package casbin

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	kept  = 10_000                 // tenants whose compiled policy is kept
	fresh = 250 * time.Millisecond // for so long the store is not asked again
	wait  = 2 * time.Second        // for the store, whoever is left waiting
)

// Policies is an access.Policies on the store itself, for the service that
// keeps the policies: it compiles what is new, and asks for the version when it
// has not for a while or somebody wants a later one.
type Policies struct {
	store    access.Store
	compiled *lru.Cache[uuid.UUID, known]
	looks    singleflight.Group
	mu       sync.Mutex // between reading compiled and writing it
}

type known struct {
	access.Policy
	asked     time.Time // before the store was
	forgotten time.Time // what was asked before then is too old
}

var _ access.Policies = (*Policies)(nil)

// NewPolicies returns the policies of store.
func NewPolicies(store access.Store) *Policies {
	compiled, err := lru.New[uuid.UUID, known](kept)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Policies{store: store, compiled: compiled}
}

// Policy implements access.Policies.
func (p *Policies) Policy(ctx context.Context, tenant identity.TenantID, least int64) (access.Policy, error) {
	if k, ok := p.compiled.Get(tenant); ok && k.Version() >= least && time.Since(k.asked) < fresh {
		return k.Policy, nil
	}
	// A look that is under way may have begun before the change that least names.
	for range 2 {
		select {
		case r := <-p.looks.DoChan(string(tenant[:]), func() (any, error) { return p.look(ctx, tenant) }):
			if r.Err != nil {
				return nil, r.Err
			}
			if policy := r.Val.(access.Policy); policy.Version() >= least {
				return policy, nil
			}
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Unavailable, "decision_unavailable", "nobody can tell right now whether this is allowed", ctx.Err())
		}
	}
	return nil, access.ErrOlder()
}

// Forget implements access.Policies.
func (p *Policies) Forget(tenant identity.TenantID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k, ok := p.compiled.Peek(tenant); ok {
		p.compiled.Add(tenant, known{Policy: k.Policy, forgotten: time.Now()})
	}
	p.looks.Forget(string(tenant[:]))
}

func (p *Policies) keep(tenant identity.TenantID, k known) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, _ := p.compiled.Peek(tenant)
	if k.forgotten = old.forgotten; !k.asked.Before(old.asked) && !k.asked.Before(old.forgotten) {
		p.compiled.Add(tenant, k)
	}
}

// look asks the store. Whoever wants to know meanwhile shares the answer, so it
// must not end with the request that began it.
func (p *Policies) look(ctx context.Context, tenant identity.TenantID) (access.Policy, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	asked := time.Now()
	version, err := p.store.Version(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if k, ok := p.compiled.Get(tenant); ok && k.Version() == version {
		p.keep(tenant, known{Policy: k.Policy, asked: asked})
		return k.Policy, nil
	}
	s, err := p.store.Snapshot(ctx, tenant)
	if err != nil {
		return nil, err
	}
	policy, err := Compile(s)
	if err == nil {
		p.keep(tenant, known{Policy: policy, asked: asked})
	}
	return policy, err
}
