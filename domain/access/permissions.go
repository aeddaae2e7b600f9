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

// Definitions lists the permissions that the tenant knows.
func (s *Service) Definitions(ctx context.Context, who identity.Caller, f PermissionFilter, r page.Request) (Listing[PermissionDefinition], error) {
	return list(ctx, s, who, RolesRead, uuid.Nil, func() (page.Result[PermissionDefinition], error) { return s.store.Definitions(ctx, who, f, r) })
}

// Definition returns one permission. It returns fault.NotFound if the tenant
// knows none such.
func (s *Service) Definition(ctx context.Context, who identity.Caller, id uuid.UUID) (PermissionAnswer, error) {
	version, err := s.allow(ctx, who, RolesRead, uuid.Nil)
	if err != nil {
		return PermissionAnswer{}, err
	}
	d, err := s.store.Definition(ctx, who, id)
	return PermissionAnswer{d, version}, err
}

// CreatePermission makes a permission of the tenant's own known, and gives it
// to the roles that hold everything.
func (s *Service) CreatePermission(ctx context.Context, who identity.Caller, d PermissionDraft) (a PermissionAnswer, err error) {
	if err := d.check(); err != nil {
		return a, err
	}
	id, err := newID()
	if err != nil {
		return a, err
	}
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &a, &a.PolicyVersion, func(now Snapshot, _ covers, w Writer) (*Change, error) {
		if now.knows(d.Name) {
			return nil, fault.New(fault.Conflict, "permission_exists", "the tenant knows this permission")
		}
		if now.made() >= MaxOwnPermissions {
			return nil, fault.New(fault.Conflict, "too_many_permissions", fmt.Sprintf("a tenant makes at most %d permissions", MaxOwnPermissions))
		}
		a.PermissionDefinition = PermissionDefinition{ID: id, Name: d.Name, Description: d.Description, Version: 1, CreatedAt: s.now()}
		w.PutPermission(a.PermissionDefinition)
		s.reshape(now, w, func(all []Permission) []Permission { return append(all, d.Name) })
		return &Change{Action: "permission.created", After: a.PermissionDefinition}, nil
	})
	return a, err
}

// UpdatePermission redescribes the version of a permission of the tenant's own
// that the caller has seen. Its name stays: it is what programs ask for.
func (s *Service) UpdatePermission(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p PermissionPatch) (a PermissionAnswer, err error) {
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &a, &a.PolicyVersion, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		before, err := own(now, id, version, covers)
		if err != nil {
			return nil, err
		}
		after := before
		if p.Description != nil {
			after.Description = *p.Description
		}
		if a.PermissionDefinition = after; after == before {
			return nil, nil
		}
		if err := (PermissionDraft{after.Name, after.Description}).check(); err != nil {
			return nil, err
		}
		after.Version++
		a.PermissionDefinition = after
		w.PutPermission(after)
		return &Change{Action: "permission.updated", Before: before, After: after}, nil
	})
	return a, err
}

// DeletePermission removes a permission of the tenant's own that no role holds
// but those that hold everything. It returns the policy's new version.
func (s *Service) DeletePermission(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) (policy int64, err error) {
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &policy, &policy, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		gone, err := own(now, id, version, covers)
		if err != nil {
			return nil, err
		}
		if now.held(gone.Name) {
			return nil, fault.New(fault.Conflict, "permission_in_use", "a role holds this permission")
		}
		s.reshape(now, w, func(all []Permission) []Permission { return without(all, gone.Name) })
		w.DropPermission(gone)
		return &Change{Action: "permission.deleted", Before: gone}, nil
	})
	return policy, err
}

// made counts the permissions that the tenant made.
func (s Snapshot) made() (n int) {
	for _, p := range s.Permissions {
		if !p.Builtin {
			n++
		}
	}
	return n
}

// holdAll are the roles that are given whatever the tenant makes.
var holdAll = []string{Owner, Admin}

func (s *Service) reshape(now Snapshot, w Writer, shape func([]Permission) []Permission) {
	for _, name := range holdAll {
		if r, ok := now.role(name); ok {
			r.Permissions = sorted(shape(slices.Clone(r.Permissions)))
			r.Version, r.UpdatedAt = r.Version+1, s.now()
			w.PutRole(r)
		}
	}
}

// own returns the version of a permission that is the tenant's to change.
func own(now Snapshot, id uuid.UUID, version int64, covers covers) (PermissionDefinition, error) {
	p, ok := find(now.Permissions, func(d PermissionDefinition) bool { return d.ID == id })
	switch {
	case !ok:
		return p, ErrNoPermission()
	case p.Version != version:
		return p, fault.New(fault.Precondition, "precondition_failed", "the permission has changed since")
	case p.Builtin:
		return p, fault.New(fault.Conflict, "permission_is_builtin", "the platform's own permissions stay")
	}
	return p, covers([]Permission{p.Name}, uuid.Nil, Forever)
}

// held reports whether a role holds p that does not hold everything.
func (s Snapshot) held(p Permission) bool {
	return slices.ContainsFunc(s.Roles, func(r Role) bool {
		return !slices.Contains(holdAll, r.Name) && slices.Contains(r.Permissions, p)
	})
}
