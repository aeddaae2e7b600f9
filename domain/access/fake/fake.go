// Package fake keeps policies in memory, for tests of what uses them.
package fake

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Store is an access.Store. Its zero value is empty and ready.
type Store struct {
	mu       sync.Mutex
	policies map[identity.TenantID]access.Snapshot
	changes  map[identity.TenantID][]access.Change
	receipts map[receiptKey]receipt
	declared map[access.Permission]declared
}

type receiptKey struct {
	tenant       identity.TenantID
	subject, key string
}

type receipt struct {
	fingerprint string
	result      []byte
}

// Snapshot implements access.Store.
func (s *Store) Snapshot(_ context.Context, tenant identity.TenantID) (access.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policies[tenant], nil
}

// Version implements access.Store.
func (s *Store) Version(ctx context.Context, tenant identity.TenantID) (int64, error) {
	p, err := s.Snapshot(ctx, tenant)
	return p.Version, err
}

// Versions implements access.Store.
func (s *Store) Versions(_ context.Context, tenants []identity.TenantID) (map[identity.TenantID]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[identity.TenantID]int64{}
	for _, t := range tenants {
		if p, ok := s.policies[t]; ok {
			all[t] = p.Version
		}
	}
	return all, nil
}

// Change implements access.Store.
func (s *Store) Change(_ context.Context, who identity.Caller, result any, edit func(access.Snapshot, access.Writer) (*access.Change, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, err := s.replay(who, result); done || err != nil {
		return err
	}
	w := &writer{next: s.policies[who.Tenant]}
	c, err := edit(w.next, w)
	if err != nil {
		return err
	}
	if c != nil {
		w.next.Version++
		if s.policies == nil {
			s.policies, s.changes = map[identity.TenantID]access.Snapshot{}, map[identity.TenantID][]access.Change{}
		}
		s.policies[who.Tenant] = w.next
		c.Version, c.At, c.By = w.next.Version, time.Now().UTC().Truncate(time.Microsecond), who.Subject()
		c.Before, c.After = plain(c.Before), plain(c.After)
		s.changes[who.Tenant] = append(s.changes[who.Tenant], *c)
	}
	return s.remember(who, result)
}

// Replace implements access.Store.
func (s *Store) Replace(ctx context.Context, who identity.Caller, result any, edit func(access.Snapshot, access.Writer) (*access.Change, error)) error {
	return s.Change(ctx, who, result, edit)
}

// Erase implements access.Store.
func (s *Store) Erase(_ context.Context, tenant identity.TenantID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.policies, tenant)
	delete(s.changes, tenant)
	return nil
}

func (s *Store) replay(who identity.Caller, result any) (bool, error) {
	once := who.Request.Once
	if once == nil {
		return false, nil
	}
	first, ok := s.receipts[receiptKey{who.Tenant, who.Subject(), once.Key}]
	if !ok {
		return false, nil
	}
	if first.fingerprint != once.Fingerprint {
		return true, fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
	}
	return true, json.Unmarshal(first.result, result)
}

func (s *Store) remember(who identity.Caller, result any) error {
	once := who.Request.Once
	if once == nil {
		return nil
	}
	if s.receipts == nil {
		s.receipts = map[receiptKey]receipt{}
	}
	body, err := json.Marshal(result)
	s.receipts[receiptKey{who.Tenant, who.Subject(), once.Key}] = receipt{once.Fingerprint, body}
	return err
}

// Holders implements access.Store.
func (s *Store) Holders(ctx context.Context, who identity.Caller, roles []string, project uuid.UUID, at time.Time, r page.Request) (page.Result[access.Assignment], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	all := slices.DeleteFunc(slices.Clone(p.Assignments), func(a access.Assignment) bool {
		return !slices.Contains(roles, a.Role) || !a.HoldsAt(at) || a.Project() != uuid.Nil && a.Project() != project
	})
	return list(all, r, func(x access.Assignment) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// plain is v as it comes back from a database.
func plain(v any) (out any) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic(err) // only for what JSON cannot say
	}
	return out
}

// Changes implements access.Store.
func (s *Store) Changes(_ context.Context, who identity.Caller, since int64, r page.Request) (page.Result[access.Change], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(s.changes[who.Tenant]), func(c access.Change) bool { return c.Version <= access.Since(since, r) })
	return page.Cut(all[:min(len(all), r.Limit+1)], r.Limit, access.Change.Key), nil
}

// Roles implements access.Store.
func (s *Store) Roles(ctx context.Context, who identity.Caller, f access.RoleFilter, r page.Request) (page.Result[access.Role], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	all := slices.DeleteFunc(slices.Clone(p.Roles), func(x access.Role) bool {
		return f.Name != "" && f.Name != x.Name || f.Parent != "" && !slices.Contains(x.Parents, f.Parent) || f.Permission != "" && !slices.Contains(x.Permissions, f.Permission)
	})
	return list(all, r, func(x access.Role) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// Role implements access.Store.
func (s *Store) Role(ctx context.Context, who identity.Caller, id uuid.UUID) (access.Role, error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	i := slices.IndexFunc(p.Roles, func(r access.Role) bool { return r.ID == id })
	if err != nil || i < 0 {
		return access.Role{}, access.ErrNoRole()
	}
	return p.Roles[i], nil
}

// Definitions implements access.Store.
func (s *Store) Definitions(ctx context.Context, who identity.Caller, f access.PermissionFilter, r page.Request) (page.Result[access.PermissionDefinition], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	role, _ := s.Role(ctx, who, f.Role())
	all := slices.DeleteFunc(slices.Clone(p.Permissions), func(d access.PermissionDefinition) bool {
		return !f.Matches(d) || f.Role() != uuid.Nil && !slices.Contains(role.Permissions, d.Name)
	})
	return list(all, r, func(x access.PermissionDefinition) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

// Definition implements access.Store.
func (s *Store) Definition(ctx context.Context, who identity.Caller, id uuid.UUID) (access.PermissionDefinition, error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	i := slices.IndexFunc(p.Permissions, func(d access.PermissionDefinition) bool { return d.ID == id })
	if err != nil || i < 0 {
		return access.PermissionDefinition{}, access.ErrNoPermission()
	}
	return p.Permissions[i], nil
}

// Assignment implements access.Store.
func (s *Store) Assignment(ctx context.Context, who identity.Caller, id uuid.UUID) (access.Assignment, error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	i := slices.IndexFunc(p.Assignments, func(a access.Assignment) bool { return a.ID == id })
	if err != nil || i < 0 {
		return access.Assignment{}, access.ErrNoAssignment()
	}
	return p.Assignments[i], nil
}

// Assignments implements access.Store.
func (s *Store) Assignments(ctx context.Context, who identity.Caller, f access.AssignmentFilter, r page.Request) (page.Result[access.Assignment], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	all := slices.DeleteFunc(slices.Clone(p.Assignments), func(a access.Assignment) bool {
		return f.SubjectKind != "" && f.SubjectKind != a.SubjectKind || f.SubjectID != "" && f.SubjectID != a.SubjectID || f.Role != "" && f.Role != a.Role || f.ProjectID != "" && f.ProjectID != a.Project().String()
	})
	return list(all, r, func(x access.Assignment) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
}

func list[T any](all []T, r page.Request, key func(T) page.Key) page.Result[T] {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b T) int { return compare(key(a), key(b)) })
	if !r.After.At.Equal(time.Time{}) {
		all = slices.DeleteFunc(all, func(x T) bool { return compare(key(x), r.After) <= 0 })
	}
	return page.Cut(all[:min(len(all), r.Limit+1)], r.Limit, key)
}

func compare(a, b page.Key) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return slices.Compare(a.ID[:], b.ID[:])
}
