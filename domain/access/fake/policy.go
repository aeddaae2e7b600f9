package fake

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

type policy struct{ is access.Snapshot }

// Compile is an access.Compiler that does the obvious.
func Compile(s access.Snapshot) (access.Policy, error) { return policy{s}, nil }

func (p policy) Version() int64 { return p.is.Version }

func (p policy) Allows(s access.Subject, perm access.Permission, project uuid.UUID, at time.Time) bool {
	return slices.ContainsFunc(p.is.Assignments, func(a access.Assignment) bool {
		there := a.Project() == uuid.Nil || a.Project() == project
		return s != access.Subject{} && a.Subject() == s && there && a.HoldsAt(at) && p.holds(a.Role, perm)
	})
}

func (p policy) Projects(s access.Subject, perm access.Permission, at time.Time) (all []uuid.UUID) {
	for _, a := range p.is.Assignments {
		if s != (access.Subject{}) && a.ProjectID != nil && a.Subject() == s && a.HoldsAt(at) && p.holds(a.Role, perm) && !slices.Contains(all, *a.ProjectID) {
			all = append(all, *a.ProjectID)
		}
	}
	return all
}

func (p policy) Held(s access.Subject, project uuid.UUID, at time.Time) (all []access.Permission) {
	for _, d := range p.is.Permissions {
		if p.Allows(s, d.Name, project, at) {
			all = append(all, d.Name)
		}
	}
	return all
}

func (p policy) holds(role string, perm access.Permission) bool {
	return slices.ContainsFunc(p.is.Roles, func(r access.Role) bool {
		return r.Name == role && (slices.Contains(r.Permissions, perm) ||
			slices.ContainsFunc(r.Parents, func(parent string) bool { return p.holds(parent, perm) }))
	})
}

// Policies gives the newest policies of a store.
type Policies struct{ Store access.Store }

// Policy implements access.Policies.
func (p Policies) Policy(ctx context.Context, tenant identity.TenantID, least int64) (access.Policy, error) {
	s, err := p.Store.Snapshot(ctx, tenant)
	if err == nil && s.Version < least {
		err = access.ErrOlder()
	}
	if err != nil {
		return nil, err
	}
	return Compile(s)
}

// Forget implements access.Policies.
func (Policies) Forget(identity.TenantID) {}

// Allow implements access.Gate.
func (p Policies) Allow(ctx context.Context, who identity.Caller, perm access.Permission) error {
	return p.AllowIn(ctx, who, perm, uuid.Nil)
}

// AllowIn implements access.Gate.
func (p Policies) AllowIn(ctx context.Context, who identity.Caller, perm access.Permission, project uuid.UUID) error {
	policy, err := p.Policy(ctx, who.Tenant, 0)
	if err != nil {
		return err
	}
	return access.Decide(policy, who, perm, project, time.Now())
}

// Projects implements access.Gate.
func (p Policies) Projects(ctx context.Context, who identity.Caller, perm access.Permission) ([]uuid.UUID, error) {
	policy, err := p.Policy(ctx, who.Tenant, 0)
	if err != nil {
		return nil, err
	}
	return policy.Projects(access.SubjectOf(who), perm, time.Now()), nil
}

// Gate is an access.Gate that allows everything but what it names.
type Gate map[access.Permission]error

// Allow implements access.Gate.
func (g Gate) Allow(_ context.Context, _ identity.Caller, p access.Permission) error { return g[p] }

// AllowIn implements access.Gate.
func (g Gate) AllowIn(_ context.Context, _ identity.Caller, p access.Permission, _ uuid.UUID) error {
	return g[p]
}

// Projects implements access.Gate.
func (Gate) Projects(context.Context, identity.Caller, access.Permission) ([]uuid.UUID, error) {
	return nil, nil
}

// People is an access.People of whom all can log in but those whom Shut names.
// Its zero value is ready.
type People struct {
	mu   sync.Mutex
	shut map[identity.UserID]bool
}

// Shut lets a person not log in.
func (p *People) Shut(user identity.UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut == nil {
		p.shut = map[identity.UserID]bool{}
	}
	p.shut[user] = true
}

// CanLogIn implements access.People.
func (p *People) CanLogIn(_ context.Context, _ identity.TenantID, user identity.UserID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.shut[user], nil
}
