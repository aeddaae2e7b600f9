package access

import (
	"context"
	"slices"

	"bailiwick.dev/domain/identity"
)

// Seed sets up a tenant's policy: the platform's permissions, the seeded roles,
// and Viewer for the reports service. On a policy that exists it adds only the
// permissions that the platform learnt since, so that repeating it is safe and
// what the tenant took away stays away. It is for our own services.
func (s *Service) Seed(ctx context.Context, who identity.Caller) error {
	if !who.IsPlatform() {
		return forbidden
	}
	var version int64
	return s.store.Change(ctx, who, &version, func(now Snapshot, w Writer) (*Change, error) {
		version = now.Version
		fresh := without(Permissions(), names(now.Permissions)...)
		if len(fresh) == 0 {
			return nil, nil
		}
		if err := s.seedPermissions(fresh, w); err != nil {
			return nil, err
		}
		if now.Version > 0 {
			s.growRoles(now, fresh, w)
			return &Change{Action: "policy.grown", After: fresh}, nil
		}
		return &Change{Action: "policy.seeded", After: fresh}, s.seedRoles(w)
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

func (s *Service) seedPermissions(fresh []Permission, w Writer) error {
	for _, p := range fresh {
		id, err := newID()
		if err != nil {
			return err
		}
		w.PutPermission(PermissionDefinition{ID: id, Name: p, Description: "", Builtin: true, Version: 1, CreatedAt: s.now()})
	}
	return nil
}

func (s *Service) seedRoles(w Writer) error {
	for _, d := range Seeded() {
		id, err := newID()
		if err != nil {
			return err
		}
		now := s.now()
		w.PutRole(Role{ID: id, Name: d.Name, Description: d.Description, Parents: []string{}, Permissions: sorted(d.Permissions), Version: 1, CreatedAt: now, UpdatedAt: now})
	}
	id, err := newID()
	if err == nil {
		w.PutAssignment(Assignment{ID: id, SubjectKind: KindClient, SubjectID: ReportsClient, Role: Viewer, CreatedAt: s.now()})
	}
	return err
}

// growRoles gives fresh permissions to those seeded roles that hold them by default.
func (s *Service) growRoles(now Snapshot, fresh []Permission, w Writer) {
	for _, d := range Seeded() {
		gain := slices.DeleteFunc(slices.Clone(fresh), func(p Permission) bool { return !slices.Contains(d.Permissions, p) })
		if r, ok := now.role(d.Name); ok && len(gain) > 0 {
			r.Permissions = sorted(append(slices.Clone(r.Permissions), gain...))
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
