package access

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Definitions lists the permissions that the tenant knows.
func (s *Service) Definitions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[PermissionDefinition], error) {
	if err := s.allow(ctx, who, RolesRead); err != nil {
		return page.Result[PermissionDefinition]{}, err
	}
	return s.store.Definitions(ctx, who, r)
}

// CreatePermission makes a permission of the tenant's own known, and gives it
// to the roles that hold everything.
func (s *Service) CreatePermission(ctx context.Context, who identity.Caller, d PermissionDraft) (p PermissionDefinition, err error) {
	if err := d.check(); err != nil {
		return p, err
	}
	id, err := newID()
	if err != nil {
		return p, err
	}
	err = s.change(ctx, who, RolesWrite, uuid.Nil, &p, func(now Snapshot, _ covers, w Writer) (*Change, error) {
		if now.knows(d.Name) {
			return nil, fault.New(fault.Conflict, "permission_exists", "the tenant knows this permission")
		}
		p = PermissionDefinition{ID: id, Name: d.Name, Description: d.Description, CreatedAt: s.now()}
		w.PutPermission(p)
		s.reshape(now, w, func(all []Permission) []Permission { return append(all, p.Name) })
		return &Change{Action: "permission.created", After: p}, nil
	})
	return p, err
}

// DeletePermission removes a permission of the tenant's own that no role holds
// but those that hold everything.
func (s *Service) DeletePermission(ctx context.Context, who identity.Caller, id uuid.UUID) error {
	var gone PermissionDefinition
	return s.change(ctx, who, RolesWrite, uuid.Nil, &gone, func(now Snapshot, covers covers, w Writer) (_ *Change, err error) {
		if gone, err = deletable(now, id); err != nil {
			return nil, err
		}
		if err := covers([]Permission{gone.Name}, uuid.Nil, Forever); err != nil {
			return nil, err
		}
		s.reshape(now, w, func(all []Permission) []Permission { return without(all, gone.Name) })
		w.DropPermission(gone)
		return &Change{Action: "permission.deleted", Before: gone}, nil
	})
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

func deletable(now Snapshot, id uuid.UUID) (PermissionDefinition, error) {
	p, ok := find(now.Permissions, func(d PermissionDefinition) bool { return d.ID == id })
	if !ok {
		return p, fault.New(fault.NotFound, "permission_not_found", "there is no such permission")
	}
	if p.Builtin {
		return p, fault.New(fault.Conflict, "permission_is_builtin", "the platform's own permissions stay")
	}
	held := slices.ContainsFunc(now.Roles, func(r Role) bool {
		return !slices.Contains(holdAll, r.Name) && slices.Contains(r.Permissions, p.Name)
	})
	if held {
		return p, fault.New(fault.Conflict, "permission_in_use", "a role holds this permission")
	}
	return p, nil
}
