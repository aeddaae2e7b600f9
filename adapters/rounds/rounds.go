// Package rounds lets many callers share one piece of work after another, at a
// bounded rate.
//
// Whoever comes while a round is under way belongs to the next one. So the work
// that serves a caller begins after the caller came.
package rounds

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Rounds does the work of all that join, one round at a time. Set its fields
// before the first Join.
type Rounds[K comparable] struct {
	Do    func(keys []K) // must end by itself: nobody cancels it
	Most  int            // keys of one round
	Every time.Duration  // from the beginning of a round to that of the next, at least

	mu      sync.Mutex
	waiting []*Round[K]
	running bool
	next    time.Time // when a round may begin
}

// Round is the work that some keys share.
type Round[K comparable] struct {
	keys   map[K]struct{}
	begins time.Time
	done   chan struct{}
}

// Join adds k to a round that has not begun.
func (r *Rounds[K]) Join(k K) *Round[K] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.waiting); n == 0 || len(r.waiting[n-1].keys) >= r.Most {
		r.waiting = append(r.waiting, &Round[K]{map[K]struct{}{}, r.next.Add(time.Duration(n) * r.Every), make(chan struct{})})
	}
	last := r.waiting[len(r.waiting)-1]
	last.keys[k] = struct{}{}
	if !r.running {
		r.running = true
		go r.run()
	}
	return last
}

// run ends when nobody waits and the next round may begin at once, so that
// nothing runs in a process that is idle.
func (r *Rounds[K]) run() {
	for round := r.first(); round != nil; round = r.first() {
		r.Do(slices.Collect(maps.Keys(round.keys)))
		close(round.done)
		time.Sleep(time.Until(r.next)) // which no other changes
	}
}

func (r *Rounds[K]) first() *Round[K] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.running = false
		return nil
	}
	first := r.waiting[0]
	r.waiting, r.next = r.waiting[1:], time.Now().Add(r.Every)
	return first
}

// Begins returns when the round may begin; a longer one before it delays it.
func (r *Round[K]) Begins() time.Time { return r.begins }

// Done is closed when the round has ended.
func (r *Round[K]) Done() <-chan struct{} { return r.done }

// Ended reports whether the round has ended.
func (r *Round[K]) Ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
