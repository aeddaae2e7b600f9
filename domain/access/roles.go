package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Roles lists the tenant's roles.
func (s *Service) Roles(ctx context.Context, who identity.Caller, f RoleFilter, r page.Request) (Listing[Role], error) {
	return list(ctx, s, who, RolesRead, uuid.Nil, func() (page.Result[Role], error) { return s.store.Roles(ctx, who, f, r) })
}

// Role returns one role. It returns fault.NotFound if the tenant has none such.
func (s *Service) Role(ctx context.Context, who identity.Caller, id uuid.UUID) (RoleAnswer, error) {
	version, err := s.allow(ctx, who, RolesRead, uuid.Nil)
	if err != nil {
		return RoleAnswer{}, err
	}
	r, err := s.store.Role(ctx, who, id)
	return RoleAnswer{r, version}, err
}

// RolePermissions lists what a role holds itself; fault.NotFound.
func (s *Service) RolePermissions(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (Listing[PermissionDefinition], error) {
	if _, err := s.Role(ctx, who, id); err != nil {
		return Listing[PermissionDefinition]{}, err
	}
	return s.Definitions(ctx, who, PermissionFilter{role: id}, r)
}

// CreateRole adds a role that holds nothing its maker lacks.
func (s *Service) CreateRole(ctx context.Context, who identity.Caller, d RoleDraft) (a RoleAnswer, err error) {
	id, err := newID()
	if err != nil {
		return a, err
	}
	now := s.now()
	made := d.role()
	made.ID, made.CreatedAt, made.UpdatedAt = id, now, now
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &a, &a.PolicyVersion, func(snap Snapshot, covers covers, w Writer) (*Change, error) {
		if a.Role, err = placed(snap, made, covers); err != nil {
			return nil, err
		}
		w.PutRole(a.Role)
		return &Change{Action: "role.created", After: a.Role}, nil
	})
	return a, err
}

// UpdateRole renames or redescribes the version of a role that the caller has
// seen, or has it inherit from others.
func (s *Service) UpdateRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p RolePatch) (RoleAnswer, error) {
	return s.updateRole(ctx, who, id, version, "role.updated", func(r *Role) {
		if p.Name != nil {
			r.Name = *p.Name
		}
		if p.Description != nil {
			r.Description = *p.Description
		}
		if p.Parents != nil {
			r.Parents = *p.Parents
		}
	})
}

// SetPermissions replaces what a role holds.
func (s *Service) SetPermissions(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, ps []Permission) (RoleAnswer, error) {
	return s.updateRole(ctx, who, id, version, "role.permissions_set", func(r *Role) { r.Permissions = ps })
}

// GivePermission adds to what a role holds. Adding what is there changes nothing.
func (s *Service) GivePermission(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p Permission) (RoleAnswer, error) {
	return s.updateRole(ctx, who, id, version, "role.permission_given", func(r *Role) {
		r.Permissions = append(slices.Clone(r.Permissions), p)
	})
}

// TakePermission takes from what a role holds. Taking what is not there changes nothing.
func (s *Service) TakePermission(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p Permission) (RoleAnswer, error) {
	return s.updateRole(ctx, who, id, version, "role.permission_taken", func(r *Role) { r.Permissions = without(r.Permissions, p) })
}

func (s *Service) updateRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, action string, update func(*Role)) (a RoleAnswer, err error) {
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &a, &a.PolicyVersion, func(snap Snapshot, covers covers, w Writer) (*Change, error) {
		before, err := changeable(snap, id, version, covers)
		if err != nil {
			return nil, err
		}
		r := before
		update(&r)
		if a.Role = before; r.normal().same(before) {
			return nil, nil
		}
		r.Version, r.UpdatedAt = r.Version+1, s.now()
		if a.Role, err = placed(snap, r, covers); err != nil {
			return nil, err
		}
		w.PutRole(a.Role)
		return &Change{Action: action, Before: before, After: a.Role}, nil
	})
	return a, err
}

// DeleteRole removes a role that nobody has and no role inherits from. It
// returns the policy's new version.
func (s *Service) DeleteRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) (policy int64, err error) {
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &policy, &policy, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		gone, err := changeable(now, id, version, covers)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(now.Roles, func(r Role) bool { return slices.Contains(r.Parents, gone.Name) }) {
			return nil, fault.New(fault.Conflict, "role_in_use", "a role inherits from this one")
		}
		for _, a := range now.Assignments {
			if a.Role != gone.Name {
				continue
			}
			if a.HoldsAt(s.now()) {
				return nil, fault.New(fault.Conflict, "role_in_use", "somebody has this role")
			}
			w.DropAssignment(a) // it is over
		}
		w.DropRole(gone)
		return &Change{Action: "role.deleted", Before: gone}, nil
	})
	return policy, err
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
	return r, covers(now.byName().holds(r.Name), uuid.Nil, Forever)
}

// placed returns r as it may stand among the tenant's roles.
func placed(now Snapshot, r Role, covers covers) (Role, error) {
	if err := r.check(now.index()); err != nil {
		return r, err
	}
	r = r.normal()
	if same, ok := now.role(r.Name); ok && same.ID != r.ID {
		return r, fault.New(fault.Conflict, "role_exists", "there is a role of this name")
	}
	if old, _ := now.roleByID(r.ID); old.Name != r.Name {
		if err := now.nameable(r.Name, "/name", covers); err != nil {
			return r, err
		}
	}
	next := now.with(r)
	if len(next.Roles) > MaxRoles {
		return r, fault.New(fault.Conflict, "too_many_roles", fmt.Sprintf("a tenant has at most %d roles", MaxRoles))
	}
	if err := next.hierarchy(); err != nil {
		return r, err
	}
	return r, covers(next.byName().holds(r.Name), uuid.Nil, Forever)
}

// nameable returns fault.Forbidden, which points there, if a role would take one
// of the names that the platform gives permissions to and the caller does not
// hold everything: who has the role would come to hold what they lack.
func (s Snapshot) nameable(name, pointer string, covers covers) error {
	if !slices.Contains(seededNames, name) || covers(names(s.Permissions), uuid.Nil, Forever) == nil {
		return nil
	}
	err := fault.New(fault.Forbidden, "seeded_name", "only who holds everything gives a role this name, to which the platform gives permissions")
	err.Fields = []fault.Field{{Pointer: pointer, Code: err.Code, Message: err.Message}}
	return err
}
