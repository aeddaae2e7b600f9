package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// MaxChecks bounds the questions of one CheckAll.
const MaxChecks = 1000

// Question asks whether a subject holds a permission.
type Question struct {
	Permission Permission
	About      *Subject  // nil: the caller
	Project    uuid.UUID // roles given for it count too; uuid.Nil: only those for the whole tenant
}

// Check decides a question by the policy of the version least or a later one.
// Asking about others takes AssignmentsRead.
func (s *Service) Check(ctx context.Context, who identity.Caller, q Question, least int64) (Decision, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant, least)
	if err != nil {
		return Decision{}, err
	}
	return decide(policy, who, q, s.now())
}

// Verdict is the answer to one of several questions: denied if there is a fault.
type Verdict struct {
	Allowed bool
	Fault   *fault.Error
}

// CheckAll decides up to MaxChecks questions by one policy, each as Check
// would, and returns that policy's version.
func (s *Service) CheckAll(ctx context.Context, who identity.Caller, qs []Question, least int64) ([]Verdict, int64, error) {
	if len(qs) > MaxChecks {
		return nil, 0, fault.InvalidAt("/items", "out_of_range", fmt.Sprintf("at most %d items", MaxChecks))
	}
	policy, err := s.policies.Policy(ctx, who.Tenant, least)
	if err != nil {
		return nil, 0, err
	}
	all, now := make([]Verdict, len(qs)), s.now()
	for i, q := range qs {
		d, err := decide(policy, who, q, now)
		if all[i].Allowed = d.Allowed && err == nil; err != nil {
			all[i].Fault = fault.As(err)
		}
	}
	return all, policy.Version(), nil
}

func decide(policy Policy, who identity.Caller, q Question, now time.Time) (Decision, error) {
	subject, err := about(policy, who, q, now)
	if err != nil {
		return Decision{}, err
	}
	return Decision{Allowed: policy.Allows(subject, q.Permission, q.Project, now), PolicyVersion: policy.Version()}, nil
}

// about returns whom q is about, if who may ask that.
func about(policy Policy, who identity.Caller, q Question, now time.Time) (Subject, error) {
	self := SubjectOf(who)
	if q.About == nil || *q.About == self {
		return self, nil
	}
	if who.IsPlatform() {
		return *q.About, nil
	}
	return *q.About, Decide(policy, who, AssignmentsRead, q.Project, now)
}

// Held is what a subject holds.
type Held struct {
	Permissions   []Permission `json:"permissions" nullable:"false" example:"[\"tasks:read\"]" doc:"In the order of their names"`
	PolicyVersion int64        `json:"policy_version" example:"7" doc:"The version of the policy that was seen"`
}

// Mine returns what the caller holds in the project or, if that is uuid.Nil,
// everywhere, by the policy of the version least or a later one.
func (s *Service) Mine(ctx context.Context, who identity.Caller, project uuid.UUID, least int64) (Held, error) {
	policy, err := s.policies.Policy(ctx, who.Tenant, least)
	if err != nil {
		return Held{}, err
	}
	return Held{sorted(policy.Held(SubjectOf(who), project, s.now())), policy.Version()}, nil
}
