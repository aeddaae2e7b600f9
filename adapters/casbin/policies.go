package casbin

import (
	"context"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

const kept = 10_000 // tenants whose compiled policy is kept

// Policies is an access.Policies on the store itself, for the service that
// keeps the policies: it asks for the version each time and compiles what is new.
type Policies struct {
	store    access.Store
	compiled *lru.Cache[uuid.UUID, access.Policy]
}

// NewPolicies returns the policies of store.
func NewPolicies(store access.Store) *Policies {
	compiled, err := lru.New[uuid.UUID, access.Policy](kept)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Policies{store, compiled}
}

// Policy implements access.Policies.
func (p *Policies) Policy(ctx context.Context, tenant identity.TenantID) (access.Policy, error) {
	version, err := p.store.Version(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if policy, ok := p.compiled.Get(tenant); ok && policy.Version() == version {
		return policy, nil
	}
	s, err := p.store.Snapshot(ctx, tenant)
	if err != nil {
		return nil, err
	}
	policy, err := Compile(s)
	if err == nil {
		p.compiled.Add(tenant, policy)
	}
	return policy, err
}
