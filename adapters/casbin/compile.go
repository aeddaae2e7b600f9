package casbin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

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
	e, err := NewEnforcer(access.Snapshot{Roles: lineage(s.Roles)}, time.Time{})
	if err != nil {
		return nil, err
	}
	parents := make(map[string][]string, len(s.Roles))
	for _, r := range s.Roles {
		c.roles[r.Name] = c.own(r)
		if parents[r.Name], err = e.GetRolesForUser(role(r.Name)); err != nil {
			return nil, fmt.Errorf("casbin: what a role inherits: %w", err)
		}
	}
	for range access.MaxDepth { // a generation each, as far as Casbin goes: a lattice has more ways through it than roles
		c.roles = c.inherit(parents)
	}
	return c, nil
}

// inherit returns what roles hold that add to their own what their parents do.
func (c *compilation) inherit(parents map[string][]string) map[string]set {
	next := make(map[string]set, len(c.roles))
	for name, held := range c.roles {
		if len(parents[name]) > 0 {
			held = slices.Clone(held)
		}
		for _, parent := range parents[name] {
			for i, more := range c.roles[strings.TrimPrefix(parent, role(""))] {
				held[i] |= more
			}
		}
		next[name] = held
	}
	return next
}

// lineage returns roles that inherit alike and hold nothing: loading what they
// hold would take Casbin most of the time.
func lineage(roles []access.Role) []access.Role {
	bare := make([]access.Role, len(roles))
	for i, r := range roles {
		bare[i] = access.Role{Name: r.Name, Parents: r.Parents}
	}
	return bare
}

// numbers are those of the sets of permissions seen of late, by their names:
// tenants whose roles know the same ones, as most do, share them.
var numbers = must(lru.New[string, map[access.Permission]int](1000))

func number(s access.Snapshot) map[access.Permission]int {
	seen := map[access.Permission]struct{}{}
	for _, r := range s.Roles {
		for _, p := range r.Permissions {
			seen[p] = struct{}{}
		}
	}
	all := slices.Sorted(maps.Keys(seen))
	key := fmt.Sprintf("%q", all) // quoted, so that no two sets have one key
	if n, ok := numbers.Get(key); ok {
		return n
	}
	n := make(map[access.Permission]int, len(all))
	for i, p := range all {
		n[p] = i
	}
	numbers.Add(key, n)
	return n
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // only for a size below one
	}
	return v
}

func (c *compilation) own(r access.Role) set {
	held := make(set, (len(c.number)+63)/64)
	for _, p := range r.Permissions {
		i := c.number[p]
		held[i/64] |= 1 << (i % 64)
	}
	return held
}
