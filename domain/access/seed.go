package access

import (
	"context"
	"slices"

	"bailiwick.dev/domain/identity"
)

// Seed sets up a tenant's policy: the permissions that our services declare,
// the seeded roles, and Viewer for the reports service. On a policy that exists
// it adds only the permissions that were declared since, so that repeating it
// is safe and what the tenant took away stays away. It is for our own services.
func (s *Service) Seed(ctx context.Context, who identity.Caller) error {
	if !who.IsPlatform() {
		return forbidden
	}
	all, err := s.store.Declared(ctx)
	if err != nil {
		return err
	}
	var version int64
	defer s.policies.Forget(who.Tenant)
	return s.store.Change(ctx, who, &version, func(now Snapshot, w Writer) (*Change, error) {
		version = now.Version
		fresh := now.unknown(all)
		if len(fresh) == 0 && now.Version > 0 {
			return nil, nil
		}
		version++
		if err := s.seedPermissions(now, fresh, w); err != nil {
			return nil, err
		}
		if now.Version > 0 {
			s.growRoles(now, fresh, w)
			return &Change{Action: "policy.grown", After: fresh}, nil
		}
		return &Change{Action: "policy.seeded", After: fresh}, s.seedRoles(fresh, w)
	})
}

// Unseed undoes Seed and all that was built on it. It is for our own services,
// which compensate an onboarding that failed.
func (s *Service) Unseed(ctx context.Context, who identity.Caller) error {
	if !who.IsPlatform() {
		return forbidden
	}
	defer s.policies.Forget(who.Tenant)
	return s.store.Erase(ctx, who.Tenant)
}

// unknown returns what of all the tenant does not have from the platform.
func (s Snapshot) unknown(all []Declared) []Declared {
	return slices.DeleteFunc(slices.Clone(all), func(d Declared) bool {
		return slices.ContainsFunc(s.Permissions, func(p PermissionDefinition) bool { return p.Builtin && p.Name == d.Name })
	})
}

// seedPermissions makes fresh known. What the tenant made under such a name
// becomes the platform's, and whoever holds it goes on holding it.
func (s *Service) seedPermissions(now Snapshot, fresh []Declared, w Writer) error {
	for _, d := range fresh {
		p, ok := find(now.Permissions, func(p PermissionDefinition) bool { return p.Name == d.Name })
		if !ok {
			id, err := newID()
			if err != nil {
				return err
			}
			p = PermissionDefinition{ID: id, Name: d.Name, CreatedAt: s.now()}
		}
		p.Description, p.Builtin, p.Version = d.Description, true, p.Version+1
		w.PutPermission(p)
	}
	return nil
}

func (s *Service) seedRoles(all []Declared, w Writer) error {
	for _, d := range Seeded(all) {
		id, err := newID()
		if err != nil {
			return err
		}
		r := d.role().normal()
		r.ID, r.CreatedAt = id, s.now()
		r.UpdatedAt = r.CreatedAt
		w.PutRole(r)
	}
	id, err := newID()
	if err == nil {
		a := reportsView
		a.ID, a.CreatedAt = id, s.now()
		w.PutAssignment(a)
	}
	return err
}

// growRoles gives fresh permissions to those seeded roles that hold them by default.
func (s *Service) growRoles(now Snapshot, fresh []Declared, w Writer) {
	for _, d := range Seeded(fresh) {
		if r, ok := now.role(d.Name); ok && len(d.Permissions) > 0 {
			r.Permissions = sorted(append(slices.Clone(r.Permissions), d.Permissions...))
			r.Version, r.UpdatedAt = r.Version+1, s.now()
			w.PutRole(r)
		}
	}
}

func names(all []PermissionDefinition) (ps []Permission) {
	for _, d := range all {
		ps = append(ps, d.Name)
	}
	return ps
}
