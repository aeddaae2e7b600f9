package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Assign gives a subject a role that holds nothing the caller lacks there or
// until then; our own services may give any. Giving it again changes when it
// ends, or nothing. It returns fault.NotFound if the tenant has no role of this
// name, and fault.Conflict if the last person who is owner would cease to be.
func (s *Service) Assign(ctx context.Context, who identity.Caller, g Grant) (answer AssignmentAnswer, err error) {
	id, err := newID()
	if err != nil {
		return answer, err
	}
	if !g.Until.IsZero() {
		g.Until = g.Until.UTC().Truncate(time.Microsecond)
	}
	a := &answer.Assignment
	err = s.change(ctx, who, AssignmentsWrite, g.Project, &answer, &answer.PolicyVersion, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		at := s.now()
		if err := g.check(at); err != nil {
			return nil, err
		}
		before, there := now.assignment(g.Subject, g.Role, g.Project)
		if *a = before; there && a.End().Equal(g.end()) {
			return nil, givable(now, g.Role, covers, g.Project, g.end())
		}
		if there {
			if err := takeable(now, before, who, covers); err != nil {
				return nil, err
			}
		}
		if err := givable(now, g.Role, covers, g.Project, g.end()); err != nil {
			return nil, err
		}
		if !there {
			*a = Assignment{ID: id, SubjectKind: g.Kind(), SubjectID: g.ID(), Role: g.Role, ProjectID: pointer(g.Project), CreatedAt: at}
		}
		a.Until = pointer(g.Until)
		w.PutAssignment(*a)
		if there {
			return &Change{Action: "assignment.changed", Before: before, After: *a}, nil
		}
		return &Change{Action: "assignment.created", After: *a}, nil
	})
	return answer, err
}

// Unassign takes a role away that was given for the project, or for the whole
// tenant if that is uuid.Nil. Taking away what is not there changes nothing.
// It returns fault.Conflict for the last person who is owner, unless one of our
// own services undoes what it began. It returns the policy's version.
func (s *Service) Unassign(ctx context.Context, who identity.Caller, from Subject, role string, project uuid.UUID) (policy int64, err error) {
	err = s.change(ctx, who, AssignmentsWrite, project, &policy, &policy, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		a, there := now.assignment(from, role, project)
		if !there {
			return nil, nil
		}
		if err := takeable(now, a, who, covers); err != nil {
			return nil, err
		}
		w.DropAssignment(a)
		return &Change{Action: "assignment.deleted", Before: a}, nil
	})
	return policy, err
}

func givable(now Snapshot, role string, covers covers, project uuid.UUID, until time.Time) error {
	r, ok := now.role(role)
	if !ok {
		return ErrNoRole()
	}
	return covers(now.byName().holds(r), project, until)
}

// Givable reports whether a subject holds, everywhere and without end, all that
// the role does, so that it may pass the role on. It is for our own services,
// which give roles later for whoever asks now. It returns fault.NotFound if
// there is no such role, else fault.Forbidden.
func (s *Service) Givable(ctx context.Context, who identity.Caller, by Subject, role string) error {
	if !who.IsPlatform() {
		return forbidden
	}
	now, err := s.store.Snapshot(ctx, who.Tenant)
	if err != nil {
		return err
	}
	policy, err := s.compile(now)
	if err != nil {
		return err
	}
	return givable(now, role, coveredBy(policy, by), uuid.Nil, Forever)
}

// takeable asks for as much as giving a did, as far as that is still to come.
func takeable(now Snapshot, a Assignment, who identity.Caller, covers covers) error {
	if err := givable(now, a.Role, covers, a.Project(), a.End()); err != nil {
		return err
	}
	if a.Role == Owner && a.SubjectKind == KindUser && a.lasting() && now.owners() == 1 && !who.IsPlatform() {
		return errLastOwner()
	}
	return nil
}

func errLastOwner() error {
	return fault.New(fault.Conflict, "last_owner", "a tenant keeps at least one person who is owner")
}

// pointer returns nil for the zero value.
func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
