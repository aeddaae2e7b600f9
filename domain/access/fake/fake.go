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
	receipts map[receiptKey]receipt
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
			s.policies = map[identity.TenantID]access.Snapshot{}
		}
		s.policies[who.Tenant] = w.next
	}
	return s.remember(who, result)
}

// Erase implements access.Store.
func (s *Store) Erase(_ context.Context, tenant identity.TenantID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.policies, tenant)
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

// Roles implements access.Store.
func (s *Store) Roles(ctx context.Context, who identity.Caller, r page.Request) (page.Result[access.Role], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	return list(p.Roles, r, func(x access.Role) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
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
func (s *Store) Definitions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[access.PermissionDefinition], error) {
	p, err := s.Snapshot(ctx, who.Tenant)
	return list(p.Permissions, r, func(x access.PermissionDefinition) page.Key { return page.Key{At: x.CreatedAt, ID: x.ID} }), err
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
