package access

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Assign gives a subject a role that holds nothing the caller lacks there or
// until then; our own services may give any. Giving it again changes when it
// ends, or nothing. It returns fault.NotFound if the tenant has no role of this
// name, and fault.Conflict if the last person who is owner and can log in would cease to be,
// or if the platform alone gives roles to this client.
func (s *Service) Assign(ctx context.Context, who identity.Caller, g Grant) (answer Assigned, err error) {
	id, err := newID()
	if err != nil {
		return answer, err
	}
	heir, err := s.heir(ctx, who, g.Subject, g.Role, g.Project)
	if err != nil {
		return answer, err
	}
	a := &answer.Assignment
	err = s.change(ctx, who, AssignmentsWrite, g.Project, &answer, &answer.PolicyVersion, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		before, there := now.assignment(g.Subject, g.Role, g.Project)
		if answer.Again = there; there {
			return s.end(now, before, pointer(g.Until), who, covers, heir, w, a)
		}
		*a = Assignment{ID: id, SubjectKind: g.Kind(), SubjectID: g.ID(), Role: g.Role, ProjectID: pointer(g.Project), Version: 1, CreatedAt: s.now()}
		if err := a.setUntil(pointer(g.Until), a.CreatedAt); err != nil {
			return nil, err
		}
		if err := givable(now, *a, covers); err != nil {
			return nil, err
		}
		if err := a.oursNow(who); err != nil {
			return nil, err
		}
		w.PutAssignment(*a)
		return &Change{Action: "assignment.created", After: *a}, nil
	})
	return answer, err
}

// UpdateAssignment changes when the version of an assignment ends that the
// caller has seen; it asks for what Assign and Unassign would. It returns
// fault.NotFound if there is none such.
func (s *Service) UpdateAssignment(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p AssignmentPatch) (answer AssignmentAnswer, err error) {
	seen, err := s.store.Assignment(ctx, who, id) // for its project, which stays
	if err != nil && !fault.Is(err, fault.NotFound) {
		return answer, err
	}
	heir, err := s.heir(ctx, who, seen.Subject(), seen.Role, seen.Project())
	if err != nil {
		return answer, err
	}
	err = s.change(ctx, who, AssignmentsWrite, seen.Project(), &answer, &answer.PolicyVersion, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		before, there := find(now.Assignments, func(a Assignment) bool { return a.ID == id })
		switch {
		case !there:
			return nil, ErrNoAssignment()
		case before.Version != version:
			return nil, fault.New(fault.Precondition, "precondition_failed", "the assignment has changed since")
		}
		if answer.Assignment = before; !p.Until.Set {
			return nil, nil
		}
		until := before.Until
		p.Until.ApplyNullable(&until)
		return s.end(now, before, until, who, covers, heir, w, &answer.Assignment)
	})
	return answer, err
}

// end has an assignment end at another time, and sets after to what it then is.
func (s *Service) end(now Snapshot, before Assignment, until *time.Time, who identity.Caller, covers covers, heir identity.UserID, w Writer, after *Assignment) (*Change, error) {
	*after = before
	if err := after.setUntil(until, s.now()); err != nil {
		return nil, err
	}
	if after.End().Equal(before.End()) {
		return nil, givable(now, before, covers)
	}
	if err := takeable(now, before, who, covers, heir); err != nil {
		return nil, err
	}
	if err := givable(now, *after, covers); err != nil {
		return nil, err
	}
	if err := after.oursNow(who); err != nil {
		return nil, err
	}
	after.Version++
	w.PutAssignment(*after)
	return &Change{Action: "assignment.changed", Before: before, After: *after}, nil
}

// Unassign takes a role away that was given for the project, or for the whole
// tenant if that is uuid.Nil. Taking away what is not there changes nothing.
// It returns fault.Conflict for the last person who is owner and can log in, and for a client
// of our own, unless one of our own services undoes what it began. It returns the policy's version.
func (s *Service) Unassign(ctx context.Context, who identity.Caller, from Subject, role string, project uuid.UUID) (policy int64, err error) {
	heir, err := s.heir(ctx, who, from, role, project)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, who, AssignmentsWrite, project, &policy, &policy, func(now Snapshot, covers covers, w Writer) (*Change, error) {
		a, there := now.assignment(from, role, project)
		if !there {
			return nil, nil
		}
		if err := takeable(now, a, who, covers, heir); err != nil {
			return nil, err
		}
		if err := a.ours(who); err != nil {
			return nil, err
		}
		w.DropAssignment(a)
		return &Change{Action: "assignment.deleted", Before: a}, nil
	})
	return policy, err
}

// givable asks whether the caller may give what a gives, there and for as long.
func givable(now Snapshot, a Assignment, covers covers) error {
	r, ok := now.role(a.Role)
	if !ok {
		return fault.UnknownAt("/role", ErrNoRole())
	}
	return covers(now.byName().holds(r.Name), a.Project(), a.End())
}

// Givable returns the id of a role if a subject holds, everywhere and without end,
// all that the role does, so that it may pass the role on. It is for our own
// services, which give roles later for whoever asks now. It returns fault.NotFound
// if there is no such role, else fault.Forbidden.
func (s *Service) Givable(ctx context.Context, who identity.Caller, by Subject, role string) (uuid.UUID, error) {
	now, covers, err := s.coversOf(ctx, who, by)
	if err == nil {
		err = givable(now, Assignment{Role: role}, covers)
	}
	if err != nil {
		return uuid.Nil, err
	}
	r, _ := now.role(role)
	return r.ID, nil
}

// Covers returns nil if a subject holds all that another has been given, there and
// for as long, so that it may act as that one. It is for our own services, which
// keep what others act by. Else it returns fault.Forbidden.
func (s *Service) Covers(ctx context.Context, who identity.Caller, by, other Subject) error {
	now, covers, err := s.coversOf(ctx, who, by)
	for _, a := range now.Assignments {
		if err == nil && a.Subject() == other && a.HoldsAt(s.now()) {
			err = givable(now, a, covers)
		}
	}
	return err
}

// coversOf returns what a service of ours asks about a subject.
func (s *Service) coversOf(ctx context.Context, who identity.Caller, by Subject) (now Snapshot, _ covers, err error) {
	if !who.IsPlatform() {
		return now, nil, forbidden
	}
	if now, err = s.store.Snapshot(ctx, who.Tenant); err != nil {
		return now, nil, err
	}
	policy, err := s.compile(now)
	return now, coveredBy(policy, by), err
}

// takeable asks for as much as giving a did, as far as that is still to come, and
// of an owner that the heir is one.
func takeable(now Snapshot, a Assignment, who identity.Caller, covers covers, heir identity.UserID) error {
	if err := givable(now, a, covers); err != nil {
		return err
	}
	if a.Role == Owner && a.SubjectKind == KindUser && a.lasting() && !slices.Contains(now.owners(), heir) && !who.IsPlatform() {
		return errLastOwner()
	}
	return nil
}

// pointer returns nil for the zero value.
func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
