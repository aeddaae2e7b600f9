package access

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"bailiwick.dev/domain/fault"
)

// MaxDepth bounds a chain of roles that inherit from one another.
const MaxDepth = 10

// MaxRoles bounds the roles of one tenant.
const MaxRoles = 2000

// with returns s with r in the place of the role of r's id, or added. A new
// name of r is carried to those that inherit from it or have it.
func (s Snapshot) with(r Role) Snapshot {
	i := slices.IndexFunc(s.Roles, func(x Role) bool { return x.ID == r.ID })
	s.Roles = slices.Clone(s.Roles)
	if i < 0 {
		s.Roles = append(s.Roles, r)
		return s
	}
	old := s.Roles[i].Name
	s.Roles[i] = r
	for i, x := range s.Roles {
		if at := slices.Index(x.Parents, old); at >= 0 && old != r.Name {
			s.Roles[i].Parents = slices.Clone(x.Parents)
			s.Roles[i].Parents[at] = r.Name
			slices.Sort(s.Roles[i].Parents)
		}
	}
	if old != r.Name {
		s.Assignments = slices.Clone(s.Assignments)
		for i, a := range s.Assignments {
			if a.Role == old {
				s.Assignments[i].Role = r.Name
			}
		}
	}
	return s
}

// hierarchy returns fault.Conflict if a role inherits from itself, naming the
// cycle, or over more than MaxDepth roles.
func (s Snapshot) hierarchy() error {
	parents, depth := map[string][]string{}, map[string]int{}
	for _, r := range s.Roles {
		parents[r.Name] = r.Parents
	}
	var visit func(name string, path []string) error
	visit = func(name string, path []string) error {
		if i := slices.Index(path, name); i >= 0 {
			return fault.New(fault.Conflict, "role_cycle", "a role would inherit from itself: "+arrows(append(path[i:], name)))
		}
		if depth[name] > 0 {
			return nil
		}
		path, depth[name] = append(path, name), 1
		deepest := 0
		for _, p := range parents[name] {
			if err := visit(p, path); err != nil {
				return err
			}
			deepest = max(deepest, depth[p])
		}
		depth[name] = deepest + 1
		if depth[name] > MaxDepth {
			return fault.New(fault.Conflict, "hierarchy_too_deep", fmt.Sprintf("%q would inherit over more than %d roles", name, MaxDepth))
		}
		return nil
	}
	for _, r := range s.Roles {
		if err := visit(r.Name, nil); err != nil {
			return err
		}
	}
	return nil
}

func arrows(path []string) string {
	quoted := make([]string, len(path))
	for i, name := range path {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, " -> ")
}

// family is the roles of one snapshot. It finds what each holds once: there are
// more ways through a hierarchy than roles.
type family struct {
	roles  map[string]Role
	all    []Permission // that a role holds, in order
	number map[Permission]int
	held   map[string]*big.Int // a bit for each of all
}

func (s Snapshot) byName() *family {
	f := &family{map[string]Role{}, nil, map[Permission]int{}, map[string]*big.Int{}}
	for _, r := range s.Roles {
		f.roles[r.Name] = r
		for _, p := range r.Permissions {
			f.number[p] = 0
		}
	}
	f.all = slices.Sorted(maps.Keys(f.number))
	for i, p := range f.all {
		f.number[p] = i
	}
	return f
}

// holds returns what a role holds itself and through its parents, in order.
func (f *family) holds(role string) (all []Permission) {
	held := f.set(role)
	for i := range held.BitLen() {
		if held.Bit(i) == 1 {
			all = append(all, f.all[i])
		}
	}
	return all
}

func (f *family) set(role string) *big.Int {
	held, known := f.held[role]
	if known {
		return held
	}
	held = new(big.Int)
	f.held[role] = held
	for _, p := range f.roles[role].Permissions {
		held.SetBit(held, f.number[p], 1)
	}
	for _, parent := range f.roles[role].Parents {
		held.Or(held, f.set(parent))
	}
	return held
}
