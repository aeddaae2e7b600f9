package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// source is an authorization service that can be changed, slowed and taken away.
type source struct {
	mu       sync.Mutex
	policies map[uuid.UUID]access.Snapshot
	pulls    []time.Time
	asked    [][]access.TenantVersion
	checks   int
	changed  func(uuid.UUID, int64) // who listens

	pull, check error         // that is answered, if not nil
	slow        time.Duration // from reading what a pull answers to answering
	stuck       bool          // nothing is answered
	room        int           // for policies in an answer; 0: enough
	short       bool          // answers forget a policy
}

var errAway = errors.New("away")

// roles of the tests: member may read tasks, and a project's own by role.
func roles() []access.Role {
	return []access.Role{{Name: "member", Permissions: []access.Permission{task.TasksRead}}}
}

// set changes a tenant's policy: user is the only member, or nobody.
func (s *source) set(tenant, user uuid.UUID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := access.Snapshot{Version: s.policies[tenant].Version + 1, Roles: roles()}
	if user != uuid.Nil {
		next.Assignments = []access.Assignment{{SubjectKind: access.KindUser, SubjectID: user.String(), Role: "member"}}
	}
	if s.policies == nil {
		s.policies = map[uuid.UUID]access.Snapshot{}
	}
	s.policies[tenant] = next
	return next.Version
}

func (s *source) with(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *source) Renew(ctx context.Context, held []access.TenantVersion) (access.Renewal, error) {
	s.mu.Lock()
	s.pulls, s.asked = append(s.pulls, time.Now()), append(s.asked, held)
	r, err, slow, stuck := s.renewal(held), s.pull, s.slow, s.stuck
	s.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return access.Renewal{}, ctx.Err()
	}
	time.Sleep(slow)
	return r, err
}

func (s *source) renewal(held []access.TenantVersion) (r access.Renewal) {
	for _, h := range held {
		switch now := s.policies[h.Tenant]; {
		case now.Version == h.Version:
			r.Unchanged++
		case s.room > 0 && len(r.Changed) == s.room:
			r.Later = append(r.Later, h.Tenant)
		default:
			r.Changed = append(r.Changed, access.TenantPolicy{Tenant: h.Tenant, Policy: now})
		}
	}
	if s.short {
		r.Unchanged--
	}
	return r
}

func (s *source) Check(ctx context.Context, tenant uuid.UUID, subject access.Subject, p access.Permission, _ uuid.UUID) (access.Decision, error) {
	s.mu.Lock()
	s.checks++
	now, err, stuck := s.policies[tenant], s.check, s.stuck
	s.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return access.Decision{}, ctx.Err()
	}
	allowed := p == task.TasksRead && len(now.Assignments) > 0 && now.Assignments[0].Subject() == subject
	return access.Decision{Allowed: allowed, PolicyVersion: now.Version}, err
}

func (s *source) Changes(ctx context.Context, opened func(), changed func(uuid.UUID, int64)) error {
	s.with(func() { s.changed = changed })
	opened()
	<-ctx.Done()
	return ctx.Err()
}

// push tells a gate that listens.
func (s *source) push(tenant uuid.UUID, version int64) {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	changed(tenant, version)
}

// pullsNow returns how many pulls there were.
func (s *source) pullsNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pulls)
}

// checked returns how many decisions were asked for.
func (s *source) checked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checks
}

// bubble runs test in a bubble of synctest, and lets pulls under way end.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t)
		time.Sleep(5 * time.Second)
	})
}

// world is a tenant with one member and a gate that has seen nothing yet.
func world() (*source, *gate.Gate, identity.Caller) {
	s, who := &source{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s.set(who.Tenant, who.User)
	return s, gate.New(s), who
}

func want(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if kind == allowed && err != nil || kind != allowed && !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

const allowed = fault.Internal
