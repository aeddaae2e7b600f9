package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Service keeps policies and answers what they allow.
type Service struct {
	store    Store
	policies Policies
	compile  Compiler
	now      func() time.Time
}

// NewService returns a service on store, whose current policies are those of
// policies. compile judges, within a change, the policy being changed.
func NewService(store Store, policies Policies, compile Compiler) *Service {
	return &Service{store: store, policies: policies, compile: compile,
		now: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }}
}

func (s *Service) allow(ctx context.Context, who identity.Caller, p Permission) error {
	policy, err := s.policies.Policy(ctx, who.Tenant)
	if err != nil {
		return err
	}
	return Decide(policy, who, p, uuid.Nil, s.now())
}

// change runs edit after making sure, within the change, that who holds perm
// in the project, or everywhere. covers tells what else who holds.
func (s *Service) change(ctx context.Context, who identity.Caller, perm Permission, project uuid.UUID, result any, edit func(now Snapshot, covers covers, w Writer) (*Change, error)) error {
	return s.store.Change(ctx, who, result, func(now Snapshot, w Writer) (*Change, error) {
		if who.IsPlatform() { // our own services act for workflows, which no policy concerns
			return edit(now, func([]Permission, uuid.UUID, time.Time) error { return nil }, w)
		}
		policy, err := s.compile(now)
		if err != nil {
			return nil, err
		}
		if err := Decide(policy, who, perm, project, s.now()); err != nil {
			return nil, err
		}
		return edit(now, coveredBy(policy, SubjectOf(who)), w)
	})
}

// covers returns fault.Forbidden if the caller lacks one of the permissions in
// the project, or everywhere, or not until that time: nobody gives, takes or
// shapes what is stronger than they are or lasts longer.
type covers func(all []Permission, project uuid.UUID, until time.Time) error

func coveredBy(p Policy, s Subject) covers {
	return func(all []Permission, project uuid.UUID, until time.Time) error {
		for _, perm := range all {
			if !p.Allows(s, perm, project, until) {
				return fault.New(fault.Forbidden, "stronger_than_you", "this concerns a permission that you do not hold, or not for as long")
			}
		}
		return nil
	}
}

// Check decides whether a subject holds a permission, in the project or, if
// that is uuid.Nil, everywhere; nil asks about the caller. Asking about others
// takes AssignmentsRead.
func (s *Service) Check(ctx context.Context, who identity.Caller, about *Subject, p Permission, project uuid.UUID) (Decision, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant)
	if err != nil {
		return Decision{}, err
	}
	subject := SubjectOf(who)
	if about != nil && *about != subject {
		if err := Decide(policy, who, AssignmentsRead, project, s.now()); err != nil && !who.IsPlatform() {
			return Decision{}, err
		}
		subject = *about
	}
	return Decision{Allowed: policy.Allows(subject, p, project, s.now()), PolicyVersion: policy.Version()}, nil
}

// Snapshot returns the tenant's policy, for our own services, unless its
// version is have: then it returns nil.
func (s *Service) Snapshot(ctx context.Context, who identity.Caller, have int64) (*Snapshot, error) {
	if have >= 0 {
		v, err := s.store.Version(ctx, who.Tenant)
		if err != nil || v == have {
			return nil, err
		}
	}
	snap, err := s.store.Snapshot(ctx, who.Tenant)
	return &snap, err
}

// Assignments lists who has which role.
func (s *Service) Assignments(ctx context.Context, who identity.Caller, f AssignmentFilter, r page.Request) (page.Result[Assignment], error) {
	if err := s.allow(ctx, who, AssignmentsRead); err != nil {
		return page.Result[Assignment]{}, err
	}
	return s.store.Assignments(ctx, who, f, r)
}

func newID() (uuid.UUID, error) { return uuid.NewV7() }
