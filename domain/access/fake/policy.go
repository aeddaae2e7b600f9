package fake

import (
	"context"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

type policy struct {
	version int64
	holds   map[access.Subject]map[access.Permission]bool
}

func (p policy) Version() int64                                       { return p.version }
func (p policy) Allows(s access.Subject, perm access.Permission) bool { return p.holds[s][perm] }

// Compile is an access.Compiler that does the obvious.
func Compile(s access.Snapshot) (access.Policy, error) {
	roles := map[string][]access.Permission{}
	for _, r := range s.Roles {
		roles[r.Name] = r.Permissions
	}
	p := policy{s.Version, map[access.Subject]map[access.Permission]bool{}}
	for _, a := range s.Assignments {
		if p.holds[a.Subject()] == nil {
			p.holds[a.Subject()] = map[access.Permission]bool{}
		}
		for _, perm := range roles[a.Role] {
			p.holds[a.Subject()][perm] = true
		}
	}
	return p, nil
}

// Policies gives the newest policies of a store.
type Policies struct{ Store access.Store }

// Policy implements access.Policies.
func (p Policies) Policy(ctx context.Context, tenant identity.TenantID) (access.Policy, error) {
	s, err := p.Store.Snapshot(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return Compile(s)
}

// Allow implements access.Gate.
func (p Policies) Allow(ctx context.Context, who identity.Caller, perm access.Permission) error {
	policy, err := p.Policy(ctx, who.Tenant)
	if err != nil {
		return err
	}
	return access.Decide(policy, who, perm)
}

// Gate is an access.Gate that allows everything but what it names.
type Gate map[access.Permission]error

// Allow implements access.Gate.
func (g Gate) Allow(_ context.Context, _ identity.Caller, p access.Permission) error { return g[p] }
