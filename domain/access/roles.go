package access

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Roles lists the tenant's roles.
func (s *Service) Roles(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Role], error) {
	if err := s.allow(ctx, who, RolesRead); err != nil {
		return page.Result[Role]{}, err
	}
	return s.store.Roles(ctx, who, r)
}

// Role returns one role. It returns fault.NotFound if the tenant has none such.
func (s *Service) Role(ctx context.Context, who identity.Caller, id uuid.UUID) (Role, error) {
	if err := s.allow(ctx, who, RolesRead); err != nil {
		return Role{}, err
	}
	return s.store.Role(ctx, who, id)
}

// CreateRole adds a role that holds nothing its maker lacks.
func (s *Service) CreateRole(ctx context.Context, who identity.Caller, d RoleDraft) (r Role, err error) {
	id, err := newID()
	if err != nil {
		return r, err
	}
	now := s.now()
	made := Role{ID: id, Name: d.Name, Description: d.Description, Parents: sorted(d.Parents), Permissions: sorted(d.Permissions), Version: 1, CreatedAt: now, UpdatedAt: now}
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &r, func(snap Snapshot, covers covers, w Writer) (*Change, error) {
		r = made
		if err := placeable(snap, r, covers); err != nil {
			return nil, err
		}
		w.PutRole(r)
		return &Change{Action: "role.created", After: r}, nil
	})
	return r, err
}

// UpdateRole renames or redescribes the version of a role that the caller has
// seen, or has it inherit from others.
func (s *Service) UpdateRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p RolePatch) (Role, error) {
	return s.updateRole(ctx, who, id, version, "role.updated", func(r *Role) {
		if p.Name != nil {
			r.Name = *p.Name
		}
		if p.Description != nil {
			r.Description = *p.Description
		}
		if p.Parents != nil {
			r.Parents = sorted(*p.Parents)
		}
	})
}

// SetPermissions replaces what a role holds.
func (s *Service) SetPermissions(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, ps []Permission) (Role, error) {
	return s.updateRole(ctx, who, id, version, "role.permissions_set", func(r *Role) { r.Permissions = sorted(ps) })
}

func (s *Service) updateRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, action string, update func(*Role)) (r Role, err error) {
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &r, func(snap Snapshot, covers covers, w Writer) (*Change, error) {
		before, err := changeable(snap, id, version, covers)
		if err != nil {
			return nil, err
		}
		r = before
		update(&r)
		r.Version, r.UpdatedAt = r.Version+1, s.now()
		if err := placeable(snap, r, covers); err != nil {
			return nil, err
		}
		w.PutRole(r)
		return &Change{Action: action, Before: before, After: r}, nil
	})
	return r, err
}

// DeleteRole removes a role that nobody has and no role inherits from.
func (s *Service) DeleteRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	var gone Role
	return s.change(ctx, who, RolesWrite, uuid.Nil, &gone, func(snap Snapshot, covers covers, w Writer) (_ *Change, err error) {
		if gone, err = changeable(snap, id, version, covers); err != nil {
			return nil, err
		}
		for _, a := range snap.Assignments {
			if a.Role == gone.Name && a.HoldsAt(s.now()) {
				return nil, fault.New(fault.Conflict, "role_in_use", "somebody has this role")
			}
			if a.Role == gone.Name {
				w.DropAssignment(a) // it ended
			}
		}
		if slices.ContainsFunc(snap.Roles, func(r Role) bool { return slices.Contains(r.Parents, gone.Name) }) {
			return nil, fault.New(fault.Conflict, "role_in_use", "a role inherits from this one")
		}
		w.DropRole(gone)
		return &Change{Action: "role.deleted", Before: gone}, nil
	})
}

// changeable returns the role as it is, if the caller may change this version of it.
func changeable(now Snapshot, id uuid.UUID, version int64, covers covers) (Role, error) {
	r, err := now.roleByID(id)
	switch {
	case err != nil:
		return r, err
	case r.Version != version:
		return r, fault.New(fault.Precondition, "precondition_failed", "the role has changed since")
	case r.Name == Owner:
		return r, fault.New(fault.Conflict, "owner_is_fixed", "the role owner holds everything and stays as it is")
	}
	return r, covers(now.holds(r), uuid.Nil, Forever)
}

// placeable reports whether r may stand among the tenant's roles.
func placeable(now Snapshot, r Role, covers covers) error {
	if err := r.check(now); err != nil {
		return err
	}
	if same, ok := now.role(r.Name); ok && same.ID != r.ID {
		return fault.New(fault.Conflict, "role_exists", "there is a role of this name")
	}
	next := now.with(r)
	if err := next.hierarchy(); err != nil {
		return err
	}
	return covers(next.holds(r), uuid.Nil, Forever)
}
