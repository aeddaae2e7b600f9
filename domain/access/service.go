package access

import (
	"context"
	"fmt"
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
	people   People
	compile  Compiler
	now      func() time.Time
}

// NewService returns a service on store, whose current policies are those of
// policies. people tells who can log in. compile judges, within a change, the policy being changed.
func NewService(store Store, policies Policies, people People, compile Compiler) *Service {
	return &Service{store: store, policies: policies, people: people, compile: compile,
		now: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }}
}

// allow returns the version of the policy that gives who the permission in the
// project or, if that is uuid.Nil, everywhere.
func (s *Service) allow(ctx context.Context, who identity.Caller, p Permission, project uuid.UUID) (int64, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant, 0)
	if err != nil {
		return 0, err
	}
	return policy.Version(), Decide(policy, who, p, project, s.now())
}

func list[T any](ctx context.Context, s *Service, who identity.Caller, p Permission, project uuid.UUID, read func() (page.Result[T], error)) (l Listing[T], err error) {
	if l.PolicyVersion, err = s.allow(ctx, who, p, project); err != nil {
		return l, err
	}
	l.Result, err = read()
	return l, err
}

// change runs edit after making sure, within the change, that who holds perm
// in the project, or everywhere. covers tells what else who holds. version
// lies within result and is set to that of the policy after edit.
func (s *Service) change(ctx context.Context, who identity.Caller, perm Permission, project uuid.UUID, result any, version *int64, edit func(now Snapshot, covers covers, w Writer) (*Change, error)) error {
	return s.changeBy(ctx, s.store.Change, who, perm, project, result, version, edit)
}

// storing is Store.Change or Store.Replace.
type storing func(ctx context.Context, who identity.Caller, result any, edit func(now Snapshot, w Writer) (*Change, error)) error

func (s *Service) changeBy(ctx context.Context, store storing, who identity.Caller, perm Permission, project uuid.UUID, result any, version *int64, edit func(now Snapshot, covers covers, w Writer) (*Change, error)) error {
	err := store(ctx, who, result, func(now Snapshot, w Writer) (*Change, error) {
		covers, err := s.covering(now, who, perm, project)
		if err != nil {
			return nil, err
		}
		c, err := edit(now, covers, w)
		if *version = now.Version; err != nil || c == nil {
			return nil, err
		}
		*version++
		return c, now.room(*c, s.now())
	})
	if err == nil || fault.Is(err, fault.Precondition) { // the change may have seen a newer version than the policy that is kept
		s.policies.Forget(who.Tenant)
	}
	return err
}

// Version returns that of the policy in force within the last 250 ms.
func (s *Service) Version(ctx context.Context, who identity.Caller) (int64, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant, 0)
	if err != nil {
		return 0, err
	}
	return policy.Version(), nil
}

// covers returns fault.Forbidden if the caller lacks one of the permissions in
// the project, or everywhere, or not until that time: nobody gives, takes or
// shapes what is stronger than they are or lasts longer.
type covers func(all []Permission, project uuid.UUID, until time.Time) error

func (s *Service) covering(now Snapshot, who identity.Caller, perm Permission, project uuid.UUID) (covers, error) {
	if who.IsPlatform() { // our own services act for workflows, which no policy concerns
		return func([]Permission, uuid.UUID, time.Time) error { return nil }, nil
	}
	policy, err := s.compile(now)
	if err != nil {
		return nil, err
	}
	if err := Decide(policy, who, perm, project, s.now()); err != nil {
		return nil, err
	}
	return coveredBy(policy, SubjectOf(who)), nil
}

func coveredBy(policy Policy, s Subject) covers {
	return func(all []Permission, project uuid.UUID, until time.Time) error {
		last := until.Add(-time.Microsecond) // what ends then holds so long
		for _, p := range all {
			if !policy.Allows(s, p, project, last) {
				return fault.New(fault.Forbidden, "stronger_than_you", fmt.Sprintf("this concerns %s, which you do not hold, or not for as long", p))
			}
		}
		return nil
	}
}

// Assignments lists who has which role. Who may see those of a project names it.
func (s *Service) Assignments(ctx context.Context, who identity.Caller, f AssignmentFilter, r page.Request) (Listing[Assignment], error) {
	return list(ctx, s, who, AssignmentsRead, f.project(), func() (page.Result[Assignment], error) { return s.store.Assignments(ctx, who, f, r) })
}

// Assignment returns one assignment. It returns fault.NotFound if there is none such.
func (s *Service) Assignment(ctx context.Context, who identity.Caller, id uuid.UUID) (AssignmentAnswer, error) {
	a, err := s.store.Assignment(ctx, who, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return AssignmentAnswer{}, err
	}
	version, denied := s.allow(ctx, who, AssignmentsRead, a.Project())
	if denied != nil {
		return AssignmentAnswer{}, denied
	}
	return AssignmentAnswer{a, version}, err
}

// Changes lists what happened to the policy after the version since.
func (s *Service) Changes(ctx context.Context, who identity.Caller, since int64, r page.Request) (Listing[Change], error) {
	return list(ctx, s, who, AssignmentsRead, uuid.Nil, func() (page.Result[Change], error) { return s.store.Changes(ctx, who, since, r) })
}

func newID() (uuid.UUID, error) { return uuid.NewV7() }
