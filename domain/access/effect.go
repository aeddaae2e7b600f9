package access

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// Effect is what a proposal would change.
type Effect struct {
	Subjects      []Difference `json:"subjects" nullable:"false" doc:"Whom it concerns"`
	PolicyVersion int64        `json:"policy_version" example:"7" doc:"The version of the policy that was compared with"`
}

// Difference is what a subject would gain and lose in a project, or everywhere.
type Difference struct {
	SubjectKind string       `json:"subject_kind" enum:"user,client" example:"user"`
	SubjectID   string       `json:"subject_id" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	ProjectID   *uuid.UUID   `json:"project_id" nullable:"true" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"null: the whole tenant"`
	Gains       []Permission `json:"gains" nullable:"false" example:"[\"tasks:write\"]" doc:"What it would hold, or for longer"`
	Loses       []Permission `json:"loses" nullable:"false" example:"[]" doc:"What it would not hold, or not for as long"`
}

// DryRun tells who would gain and lose what if the policy were changed so. It
// changes nothing. It returns fault.Invalid, which points at all that is wrong
// in p, and fault.Conflict where an import would.
func (s *Service) DryRun(ctx context.Context, who identity.Caller, p Proposal) (Effect, error) {
	if _, err := s.allow(ctx, who, AssignmentsRead, uuid.Nil); err != nil {
		return Effect{}, err
	}
	now, err := s.store.Snapshot(ctx, who.Tenant)
	if err != nil {
		return Effect{}, err
	}
	at := s.now()
	d, from, err := p.on(now.document(at))
	if err != nil {
		return Effect{}, err
	}
	next, err := now.replace(d, at, newIDs())
	if err != nil {
		return Effect{}, from.point(err)
	}
	if next.owners() == 0 {
		return Effect{}, errLastOwner()
	}
	if err := next.document(at).fits(); err != nil {
		return Effect{}, err
	}
	return Effect{compare(now.holdings(at), next.holdings(at)), now.Version}, nil
}

// place is where a subject holds something.
type place struct {
	Subject
	project uuid.UUID
}

// holdings returns until when each subject holds what where.
func (s Snapshot) holdings(at time.Time) map[place]map[Permission]time.Time {
	all, roles, held := map[place]map[Permission]time.Time{}, s.byName(), map[string][]Permission{}
	for name, r := range roles {
		held[name] = roles.holds(r)
	}
	for _, a := range s.Assignments {
		if !a.HoldsAt(at) {
			continue
		}
		p := place{a.Subject(), a.Project()}
		if all[p] == nil {
			all[p] = map[Permission]time.Time{}
		}
		for _, perm := range held[a.Role] {
			if a.End().After(all[p][perm]) {
				all[p][perm] = a.End()
			}
		}
	}
	return all
}

// end returns until when perm is held at p, there or everywhere.
func end(all map[place]map[Permission]time.Time, p place, perm Permission) time.Time {
	here, everywhere := all[p][perm], all[place{p.Subject, uuid.Nil}][perm]
	if everywhere.After(here) {
		return everywhere
	}
	return here
}

func compare(before, after map[place]map[Permission]time.Time) []Difference {
	found := map[place]*Difference{}
	for _, side := range []map[place]map[Permission]time.Time{before, after} {
		for p, held := range side {
			if found[p] == nil {
				found[p] = &Difference{SubjectKind: p.Kind(), SubjectID: p.ID(), ProjectID: pointer(p.project)}
			}
			for perm := range held {
				switch was, is := end(before, p, perm), end(after, p, perm); {
				case is.After(was):
					found[p].Gains = append(found[p].Gains, perm)
				case was.After(is):
					found[p].Loses = append(found[p].Loses, perm)
				}
			}
		}
	}
	all := []Difference{}
	for _, d := range found {
		d.Gains, d.Loses = sorted(d.Gains), sorted(d.Loses)
		if len(d.Gains)+len(d.Loses) > 0 {
			all = append(all, *d)
		}
	}
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.SubjectKind, b.SubjectKind), cmp.Compare(a.SubjectID, b.SubjectID), cmp.Compare(project(a), project(b)))
	})
	return all
}

func project(d Difference) string {
	if d.ProjectID == nil {
		return ""
	}
	return d.ProjectID.String()
}
