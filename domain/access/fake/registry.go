package fake

import (
	"cmp"
	"context"
	"slices"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

type declared struct {
	service string
	access.Declared
}

// Declare implements access.Registry.
func (s *Store) Declare(_ context.Context, service string, all []access.Declared) (news bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range all {
		if old, ok := s.declared[d.Name]; ok && old.service != service {
			return false, access.ErrDeclared()
		}
	}
	if s.declared == nil {
		s.declared = map[access.Permission]declared{}
	}
	for _, d := range all {
		now := declared{service, d}
		news, s.declared[d.Name] = news || s.declared[d.Name] != now, now
	}
	return news, nil
}

// Declared implements access.Registry.
func (s *Store) Declared(context.Context) (all []access.Declared, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.declared {
		all = append(all, d.Declared)
	}
	slices.SortFunc(all, func(a, b access.Declared) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Behind implements access.Registry.
func (s *Store) Behind(_ context.Context, limit int) (behind []identity.TenantID, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for tenant, p := range s.policies {
		has := map[access.Permission]bool{}
		for _, d := range p.Permissions {
			has[d.Name] = d.Builtin
		}
		for name := range s.declared {
			if !has[name] && len(behind) < limit && !slices.Contains(behind, tenant) {
				behind = append(behind, tenant)
			}
		}
	}
	return behind, nil
}
