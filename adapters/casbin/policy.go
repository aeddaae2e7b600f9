package casbin

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
)

// person and client are keys of where a subject holds something: in a project,
// or everywhere. There are two because most decisions are about people, whose
// key is bytes alone and so found sooner.
type (
	person struct{ user, project uuid.UUID }
	client struct {
		id      string
		project uuid.UUID
	}
)

// held is what a subject holds in a scope.
type held struct {
	always set
	until  []grant // by end, soonest first
}

// grant holds, until its end, what this and all later grants give.
type grant struct {
	end time.Time
	set set
}

func (h held) has(i int, at time.Time) bool {
	if h.always.has(i) {
		return true
	}
	for _, g := range h.until {
		if at.Before(g.end) {
			return g.set.has(i)
		}
	}
	return false
}

// policy is an access.Policy: who holds what, found in a few lookups.
type policy struct {
	version int64
	number  map[access.Permission]int // shared with other policies
	people  map[person]held
	clients map[client]held
}

func (p *policy) held(s access.Subject, project uuid.UUID) held {
	if s.User != uuid.Nil {
		return p.people[person{s.User, project}]
	}
	return p.clients[client{s.Client, project}]
}

// Version implements access.Policy.
func (p *policy) Version() int64 { return p.version }

// Allows implements access.Policy.
func (p *policy) Allows(s access.Subject, perm access.Permission, project uuid.UUID, at time.Time) bool {
	i, ok := p.number[perm]
	if !ok {
		return false
	}
	return p.held(s, uuid.Nil).has(i, at) || project != uuid.Nil && p.held(s, project).has(i, at)
}

// Projects implements access.Policy. Few ask, so that it looks at all.
func (p *policy) Projects(s access.Subject, perm access.Permission, at time.Time) (all []uuid.UUID) {
	i, ok := p.number[perm]
	if !ok {
		return nil
	}
	for in, h := range p.people {
		if in.user == s.User && in.user != uuid.Nil && in.project != uuid.Nil && h.has(i, at) {
			all = append(all, in.project)
		}
	}
	for in, h := range p.clients {
		if s.User == uuid.Nil && in.id == s.Client && in.project != uuid.Nil && h.has(i, at) {
			all = append(all, in.project)
		}
	}
	return all
}

// Held implements access.Policy.
func (p *policy) Held(s access.Subject, project uuid.UUID, at time.Time) (all []access.Permission) {
	for perm := range p.number {
		if p.Allows(s, perm, project, at) {
			all = append(all, perm)
		}
	}
	return all
}

// Compile is an access.Compiler. It asks Casbin once for each role which
// it inherits from, and joins what those hold that a subject has.
func Compile(s access.Snapshot) (access.Policy, error) {
	c, err := newCompilation(s)
	if err != nil {
		return nil, err
	}
	p := &policy{version: s.Version, number: c.number, people: make(map[person]held, len(s.Assignments)), clients: map[client]held{}}
	for _, a := range byEnd(s.Assignments) {
		if held, ok := c.roles[a.Role]; ok && a.Subject() != (access.Subject{}) {
			p.give(a, held)
		}
	}
	return p, nil
}

// byEnd returns the assignments latest end first, so that give can join each
// to those that outlast it.
func byEnd(all []access.Assignment) []access.Assignment {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b access.Assignment) int { return b.End().Compare(a.End()) })
	return all
}

// give adds what the role of a holds to what its subject holds there. People
// who have one role, as most do, share its set.
func (p *policy) give(a access.Assignment, add set) {
	s, project := a.Subject(), a.Project()
	h := p.held(s, project)
	switch {
	case a.Until == nil:
		h.always = h.always.or(add)
	case len(h.until) == 0:
		h.until = []grant{{*a.Until, add}}
	case h.until[0].end.Equal(*a.Until):
		h.until[0].set = h.until[0].set.or(add)
	default:
		h.until = slices.Insert(h.until, 0, grant{*a.Until, h.until[0].set.or(add)})
	}
	if s.User != uuid.Nil {
		p.people[person{s.User, project}] = h
		return
	}
	p.clients[client{s.Client, project}] = h
}
