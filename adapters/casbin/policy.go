package casbin

import (
	"fmt"

	"github.com/casbin/casbin/v2"

	"bailiwick.dev/domain/access"
)

// set holds permissions by their number.
type set []uint64

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }

// policy is an access.Policy: who holds what, looked up twice.
type policy struct {
	version int64
	number  map[access.Permission]int
	holds   map[access.Subject]set
}

// Version implements access.Policy.
func (p *policy) Version() int64 { return p.version }

// Allows implements access.Policy.
func (p *policy) Allows(s access.Subject, perm access.Permission) bool {
	held, ok := p.holds[s]
	if !ok {
		return false
	}
	i, ok := p.number[perm]
	return ok && held.has(i)
}

// Compile is an access.Compiler. It asks Casbin once for each role, and joins
// the answers of those that a subject has.
func Compile(s access.Snapshot) (access.Policy, error) {
	e, err := NewEnforcer(s)
	if err != nil {
		return nil, err
	}
	p := &policy{version: s.Version, number: number(s), holds: make(map[access.Subject]set, len(s.Assignments))}
	roles := make(map[string]set, len(s.Roles))
	for _, r := range s.Roles {
		if roles[r.Name], err = p.implicit(e, role(r.Name)); err != nil {
			return nil, err
		}
	}
	for _, a := range s.Assignments {
		p.give(a.Subject(), roles[a.Role])
	}
	return p, nil
}

func number(s access.Snapshot) map[access.Permission]int {
	n := map[access.Permission]int{}
	for _, r := range s.Roles {
		for _, p := range r.Permissions {
			if _, ok := n[p]; !ok {
				n[p] = len(n)
			}
		}
	}
	return n
}

func (p *policy) implicit(e *casbin.Enforcer, name string) (set, error) {
	rules, err := e.GetImplicitPermissionsForUser(name)
	if err != nil {
		return nil, fmt.Errorf("casbin: permissions of a role: %w", err)
	}
	held := make(set, (len(p.number)+63)/64)
	for _, rule := range rules {
		held.add(p.number[access.Permission(rule[1])])
	}
	return held, nil
}

// give joins what a role holds to what s holds. People who have one role, as
// most do, share its set.
func (p *policy) give(s access.Subject, held set) {
	before, ok := p.holds[s]
	if s == (access.Subject{}) || held == nil {
		return
	}
	if !ok {
		p.holds[s] = held
		return
	}
	both := make(set, len(held))
	for i := range both {
		both[i] = before[i] | held[i]
	}
	p.holds[s] = both
}
