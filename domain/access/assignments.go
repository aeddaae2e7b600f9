package access

import (
	"context"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Assign gives a subject a role that holds nothing the caller lacks; our own
// services may give any. Giving it again changes nothing. It returns
// fault.NotFound if the tenant has no role of this name.
func (s *Service) Assign(ctx context.Context, who identity.Caller, to Subject, role string) (a Assignment, err error) {
	id, err := newID()
	if err != nil {
		return a, err
	}
	err = s.change(ctx, who, AssignmentsWrite, &a, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		r, err := givable(now, role, covers)
		if err != nil {
			return nil, err
		}
		var there bool
		if a, there = now.assignment(to, role); there {
			return nil, nil
		}
		a = Assignment{ID: id, SubjectKind: to.Kind(), SubjectID: to.ID(), Role: r.Name, CreatedAt: s.now()}
		w.PutAssignment(a)
		return &Change{Action: "assignment.created", After: a}, nil
	})
	return a, err
}

// Unassign takes a role away. Taking away what is not there changes nothing.
// It returns fault.Conflict for the last person who is owner, unless one of our
// own services undoes what it began.
func (s *Service) Unassign(ctx context.Context, who identity.Caller, from Subject, role string) error {
	var gone Assignment
	return s.change(ctx, who, AssignmentsWrite, &gone, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		a, there := now.assignment(from, role)
		if !there {
			return nil, nil
		}
		if _, err := givable(now, role, covers); err != nil {
			return nil, err
		}
		if role == Owner && from.Kind() == KindUser && now.owners() == 1 && !who.IsPlatform() {
			return nil, fault.New(fault.Conflict, "last_owner", "a tenant keeps at least one person who is owner")
		}
		gone = a
		w.DropAssignment(a)
		return &Change{Action: "assignment.deleted", Before: a}, nil
	})
}

func givable(now Snapshot, role string, covers covers) (Role, error) {
	r, ok := now.role(role)
	if !ok {
		return r, ErrNoRole()
	}
	return r, covers(r.Permissions)
}
