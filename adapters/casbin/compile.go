package casbin

import (
	"fmt"
	"time"

	"bailiwick.dev/domain/access"
)

// set holds permissions by their number. Nobody changes one that is shared.
type set []uint64

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

// or returns what s or more holds; it may be one of the two.
func (s set) or(more set) set {
	if len(s) == 0 {
		return more
	}
	both := make(set, len(s))
	for i := range both {
		both[i] = s[i] | more[i]
	}
	return both
}

// compilation is what the roles of a snapshot hold.
type compilation struct {
	number map[access.Permission]int
	roles  map[string]set
}

func newCompilation(s access.Snapshot) (*compilation, error) {
	c := &compilation{number: number(s), roles: make(map[string]set, len(s.Roles))}
	own := make(map[string]set, len(s.Roles))
	for _, r := range s.Roles {
		own[role(r.Name)] = c.own(r)
	}
	e, err := NewEnforcer(access.Snapshot{Roles: s.Roles}, time.Time{})
	if err != nil {
		return nil, err
	}
	for _, r := range s.Roles {
		inherited, err := e.GetImplicitRolesForUser(role(r.Name))
		if err != nil {
			return nil, fmt.Errorf("casbin: what a role inherits: %w", err)
		}
		held := own[role(r.Name)]
		for _, name := range inherited {
			held = held.or(own[name])
		}
		c.roles[r.Name] = held
	}
	return c, nil
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

func (c *compilation) own(r access.Role) set {
	held := make(set, (len(c.number)+63)/64)
	for _, p := range r.Permissions {
		i := c.number[p]
		held[i/64] |= 1 << (i % 64)
	}
	return held
}
