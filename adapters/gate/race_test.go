package gate_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// Many decide while policies change, are pushed and are pulled. In every policy
// exactly one of two people is the member, so whatever version decides, it is
// never nobody's and never a mixture: who was taken away before a push that was
// heard is denied, and who was never a member always is.
func TestReadersAndReloaders(t *testing.T) {
	t.Parallel()
	s, g, _ := world()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go g.Run(ctx)
	people := [2]uuid.UUID{uuid.New(), uuid.New()}
	tenants := make([]tenantUnderChange, 20)
	for i := range tenants {
		tenants[i].id = uuid.New()
		s.set(tenants[i].id, people[0])
	}
	for heard := false; !heard; time.Sleep(time.Millisecond) {
		heard = g.Status().(gate.Status).Listening
	}
	all, running := errgroup.WithContext(ctx)
	until := time.Now().Add(1500 * time.Millisecond)
	var decided atomic.Int64
	for range 8 {
		all.Go(func() error {
			for running.Err() == nil && time.Now().Before(until) {
				tenants[rand.IntN(len(tenants))].decide(t, g, people)
				decided.Add(1)
			}
			return nil
		})
	}
	for range 2 {
		all.Go(func() error {
			for running.Err() == nil && time.Now().Before(until) {
				tenants[rand.IntN(len(tenants))].change(s, people)
				time.Sleep(time.Millisecond)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil || decided.Load() < 1000 {
		t.Errorf("%d decisions, %v", decided.Load(), err)
	}
	atMostFour(t, s)
}

// tenantUnderChange counts its changes twice: begun and heard of by the gate.
type tenantUnderChange struct {
	id           uuid.UUID
	busy         atomic.Bool
	begun, heard atomic.Int64
}

// change makes the other person the member.
func (x *tenantUnderChange) change(s *source, people [2]uuid.UUID) {
	if !x.busy.CompareAndSwap(false, true) {
		return
	}
	defer x.busy.Store(false)
	n := x.begun.Add(1)
	s.push(x.id, s.set(x.id, people[n%2]))
	x.heard.Store(n)
}

// decide asks for both. What happened between begun and heard may go either way.
func (x *tenantUnderChange) decide(t *testing.T, g *gate.Gate, people [2]uuid.UUID) {
	heard := x.heard.Load()
	for i, person := range people {
		err := g.Allow(t.Context(), identity.Caller{Tenant: x.id, User: person}, task.TasksRead)
		if err != nil && !fault.Is(err, fault.Forbidden) {
			t.Errorf("a decision fails: %v", err)
		}
		member := heard%2 == int64(i)
		if quiet := x.begun.Load() == heard; quiet && (err == nil) != member {
			t.Errorf("after %d changes person %d: %v, member %v", heard, i, err, member)
		}
	}
	if g.Allow(t.Context(), identity.Caller{Tenant: x.id, User: uuid.Nil, Client: "stranger"}, task.TasksRead) == nil {
		t.Error("a stranger is let in")
	}
}
