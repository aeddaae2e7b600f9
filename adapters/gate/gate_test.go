package gate_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// source is an authorization service that can be changed and taken away.
type source struct {
	snapshot     atomic.Pointer[access.Snapshot]
	pulls        atomic.Int64
	noPull, dead atomic.Bool
}

var errAway = errors.New("away")

func (s *source) Policy(_ context.Context, _ uuid.UUID, have int64) (*access.Snapshot, error) {
	s.pulls.Add(1)
	if s.noPull.Load() || s.dead.Load() {
		return nil, errAway
	}
	if now := s.snapshot.Load(); now.Version != have {
		return now, nil
	}
	return nil, nil
}

func (s *source) Check(context.Context, uuid.UUID, access.Subject, access.Permission, uuid.UUID) (access.Decision, error) {
	if s.dead.Load() {
		return access.Decision{}, errAway
	}
	return access.Decision{Allowed: len(s.snapshot.Load().Assignments) > 0}, nil
}

func (s *source) give(user uuid.UUID, version int64) {
	s.snapshot.Store(&access.Snapshot{
		Version: version, Roles: []access.Role{{Name: "member", Permissions: []access.Permission{access.TasksRead}}},
		Assignments: []access.Assignment{{SubjectKind: "user", SubjectID: user.String(), Role: "member"}},
	})
}

func (s *source) take(version int64) {
	s.snapshot.Store(&access.Snapshot{Version: version, Roles: []access.Role{{Name: "member", Permissions: []access.Permission{access.TasksRead}}}})
}

func world() (*source, *gate.Gate, identity.Caller) {
	s, who := &source{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s.give(who.User, 1)
	return s, gate.New(s), who
}

func want(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if kind == fault.Internal && err != nil || kind != fault.Internal && !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

const allowed = fault.Internal

func TestDecidesByThePolicy(t *testing.T) {
	t.Parallel()
	s, g, who := world()
	want(t, "what the role holds", g.Allow(t.Context(), who, access.TasksRead), allowed)
	want(t, "what it does not", g.Allow(t.Context(), who, access.TasksWrite), fault.Forbidden)
	for range 1000 {
		_ = g.Allow(t.Context(), who, access.TasksRead)
	}
	if n := s.pulls.Load(); n > 2 {
		t.Errorf("%d pulls for a thousand decisions", n)
	}
}

func TestWhatIsTakenAwayIsDeniedWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, access.TasksRead), allowed)
		s.take(2)
		time.Sleep(time.Second)
		want(t, "a second later", g.Allow(t.Context(), who, access.TasksRead), fault.Forbidden)
		synctest.Wait()
	})
}

func TestLeaseOverAndNobodyThereIsNo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g, who := world()
		want(t, "before", g.Allow(t.Context(), who, access.TasksRead), allowed)
		s.dead.Store(true)
		want(t, "within the lease", g.Allow(t.Context(), who, access.TasksRead), allowed)
		time.Sleep(time.Second)
		want(t, "after it", g.Allow(t.Context(), who, access.TasksRead), fault.Unavailable)
		s.dead.Store(false)
		s.noPull.Store(true)
		want(t, "with a remote decision", g.Allow(t.Context(), who, access.TasksRead), allowed)
		synctest.Wait()
	})
}

func BenchmarkAllow(b *testing.B) {
	s, who := &source{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s.give(who.User, 1)
	g := gate.New(s)
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Allow(b.Context(), who, access.TasksRead); err != nil {
			b.Fatal(err)
		}
	}
}
