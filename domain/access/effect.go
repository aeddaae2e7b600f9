package access

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// What an Effect tells one by one; it counts the rest.
const (
	maxDifferences = 1000
	maxDiffering   = 100_000 // permissions, in all of them
)

// Effect is what a proposal would change.
type Effect struct {
	Subjects      []Difference `json:"subjects" nullable:"false" maxItems:"1000" doc:"Whom it concerns, in the order of kinds, ids and projects: the first 1,000, or fewer where they gain and lose more than 100,000 permissions"`
	Total         int          `json:"total" example:"1" doc:"How many it would be in all"`
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
	switch heir, err := s.somebody(ctx, who, next.owners()); {
	case err != nil:
		return Effect{}, err
	case heir == uuid.Nil:
		return Effect{}, errLastOwner()
	}
	if err := next.document(at).fits(); err != nil {
		return Effect{}, err
	}
	all, total, err := compare(ctx, now.given(at), next.given(at))
	return Effect{all, total, now.Version}, err
}

// given is who has which role where, of what is not over.
type given struct {
	roles *family
	to    map[Subject]map[uuid.UUID][]Assignment // by project
}

func (s Snapshot) given(at time.Time) given {
	g := given{s.byName(), map[Subject]map[uuid.UUID][]Assignment{}}
	for _, a := range s.Assignments {
		who := a.Subject()
		if !a.HoldsAt(at) {
			continue
		}
		if g.to[who] == nil {
			g.to[who] = map[uuid.UUID][]Assignment{}
		}
		g.to[who][a.Project()] = append(g.to[who][a.Project()], a)
	}
	return g
}

// ends returns until when a subject holds what there.
func (g given) ends(who Subject, project uuid.UUID) map[Permission]time.Time {
	ends := map[Permission]time.Time{}
	for _, a := range g.to[who][project] {
		for _, p := range g.roles.holds(a.Role) {
			ends[p] = later(ends[p], a.End())
		}
	}
	return ends
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// compare tells what after gives otherwise than before, as far as an Effect does,
// and in how many places, until ctx ends. It looks at one subject after another,
// and not at what those hold who have the same roles that hold the same: all that
// all hold is too much to keep or to compare.
func compare(ctx context.Context, before, after given) (told []Difference, total int, err error) {
	same := map[string]bool{}
	for name := range before.roles.roles {
		same[name] = slices.Equal(before.roles.holds(name), after.roles.holds(name))
	}
	unchanged := func(who Subject, project uuid.UUID) bool {
		return slices.EqualFunc(before.to[who][project], after.to[who][project], func(a, b Assignment) bool {
			return a.Role == b.Role && same[a.Role] && a.End().Equal(b.End())
		})
	}
	told = []Difference{}
	differing := 0
	for _, who := range slices.SortedFunc(maps.Keys(both(before.to, after.to)), Subject.compare) {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		quiet := unchanged(who, uuid.Nil)
		var wasAll, isAll map[Permission]time.Time
		for _, project := range slices.SortedFunc(maps.Keys(both(before.to[who], after.to[who])), compareIDs) {
			if quiet && unchanged(who, project) {
				continue
			}
			if wasAll == nil {
				wasAll, isAll = before.ends(who, uuid.Nil), after.ends(who, uuid.Nil)
			}
			d := Difference{SubjectKind: who.Kind(), SubjectID: who.ID(), ProjectID: pointer(project), Gains: []Permission{}, Loses: []Permission{}}
			d.tell(before.ends(who, project), after.ends(who, project), wasAll, isAll)
			n := len(d.Gains) + len(d.Loses)
			if n == 0 {
				continue
			}
			total++
			if differing += n; len(told) < maxDifferences && differing <= maxDiffering {
				told = append(told, d)
			}
		}
	}
	return told, total, nil
}

func (s Subject) compare(other Subject) int {
	return cmp.Or(cmp.Compare(s.Kind(), other.Kind()), compareIDs(s.User, other.User), cmp.Compare(s.Client, other.Client))
}

func compareIDs(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

// tell says what is gained and lost of what was and is held there, or everywhere.
func (d *Difference) tell(was, is, wasAll, isAll map[Permission]time.Time) {
	for p := range both(was, is) {
		switch before, after := later(was[p], wasAll[p]), later(is[p], isAll[p]); {
		case after.After(before):
			d.Gains = append(d.Gains, p)
		case before.After(after):
			d.Loses = append(d.Loses, p)
		}
	}
	slices.Sort(d.Gains)
	slices.Sort(d.Loses)
}

// both returns what a or b has, with what b has there.
func both[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	if all == nil {
		return b
	}
	maps.Copy(all, b)
	return all
}
