// Package casbin lets Casbin decide what a tenant's policy means, once for
// each version of it, and keeps the answers as bit sets.
//
// An Enforcer is immutable: Casbin's own ways of changing one, and its cached
// variants, answer wrongly after a change. Enforce scans every rule, so
// decisions are read from the compiled Policy.
package casbin

import (
	"errors"
	"fmt"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
)

// definition is the model: role-based access control with a hierarchy, in which
// every name is compared whole. Who asks is two subjects: the one that has
// roles everywhere, and the one that has roles in the project alone.
const definition = `
[request_definition]
r = sub, there, perm

[policy_definition]
p = sub, perm

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = (g(r.sub, p.sub) || g(r.there, p.sub)) && r.perm == p.perm
`

// NewEnforcer returns Casbin's view of s at that time: an assignment that is
// over is not in it. Nobody may change it. Subjects are named by Subject and
// Within, roles by role: the prefixes keep the three apart.
func NewEnforcer(s access.Snapshot, at time.Time) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(definition)
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewEnforcer(m, adapter{s, at})
	if err != nil {
		return nil, fmt.Errorf("casbin: %w", err)
	}
	return e, nil
}

// Subject returns the name of s in an enforcer.
func Subject(s access.Subject) string { return s.Kind() + ":" + s.ID() }

// Within returns the name of s as one who has the roles given for the project.
func Within(s access.Subject, project uuid.UUID) string {
	return "in:" + project.String() + ":" + Subject(s)
}

func role(name string) string { return "role:" + name }

// adapter loads a snapshot into a model. It hands over fields, never lines:
// whatever a name holds, it stays one name.
type adapter struct {
	access.Snapshot
	at time.Time
}

var _ persist.Adapter = adapter{}

// LoadPolicy implements persist.Adapter.
func (a adapter) LoadPolicy(m model.Model) error {
	for _, r := range a.Roles {
		for _, parent := range r.Parents {
			if err := m.AddPolicy("g", "g", []string{role(r.Name), role(parent)}); err != nil {
				return err
			}
		}
		for _, p := range r.Permissions {
			if err := m.AddPolicy("p", "p", []string{role(r.Name), string(p)}); err != nil {
				return err
			}
		}
	}
	for _, x := range a.Assignments {
		if s := x.Subject(); s != (access.Subject{}) && x.HoldsAt(a.at) {
			if err := m.AddPolicy("g", "g", []string{holder(s, x.Project()), role(x.Role)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func holder(s access.Subject, project uuid.UUID) string {
	if project == uuid.Nil {
		return Subject(s)
	}
	return Within(s, project)
}

var errReadOnly = errors.New("casbin: an enforcer is never changed")

// SavePolicy implements persist.Adapter; like all that would change, it fails.
func (adapter) SavePolicy(model.Model) error { return errReadOnly }

// AddPolicy implements persist.Adapter.
func (adapter) AddPolicy(string, string, []string) error { return errReadOnly }

// RemovePolicy implements persist.Adapter.
func (adapter) RemovePolicy(string, string, []string) error { return errReadOnly }

// RemoveFilteredPolicy implements persist.Adapter.
func (adapter) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }
