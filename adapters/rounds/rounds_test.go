package rounds_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bailiwick.dev/adapters/rounds"
)

// log remembers when which keys were worked on.
type log struct {
	mu     sync.Mutex
	begun  []time.Time
	rounds [][]int
}

func (l *log) do(takes time.Duration) func([]int) {
	return func(keys []int) {
		l.mu.Lock()
		slices.Sort(keys)
		l.begun, l.rounds = append(l.begun, time.Now()), append(l.rounds, keys)
		l.mu.Unlock()
		time.Sleep(takes)
	}
}

// What answers a caller began after the caller came; those who come meanwhile
// share the next round.
func TestRoundBeginsAfterItsCallersCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &log{}
		r := rounds.Rounds[int]{Do: l.do(10 * time.Millisecond), Most: 100}
		first := r.Join(1)
		time.Sleep(5 * time.Millisecond)
		came := time.Now()
		second, third := r.Join(1), r.Join(3)
		if second == first || second != third {
			t.Error("who comes while a round is under way does not share the next")
		}
		<-second.Done()
		synctest.Wait()
		if l.begun[1].Before(came) || !first.Ended() {
			t.Errorf("the second round began at %v, its callers came at %v", l.begun[1], came)
		}
		if len(l.rounds) != 2 || !slices.Equal(l.rounds[1], []int{1, 3}) {
			t.Errorf("rounds %v, want 1 in the first and 1, 3 in the second", l.rounds)
		}
	})
}

func TestRoundsKeepTheirDistanceAndSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &log{}
		r := rounds.Rounds[int]{Do: l.do(time.Millisecond), Most: 3, Every: 250 * time.Millisecond}
		for k := range 10 {
			r.Join(k)
		}
		time.Sleep(250 * time.Millisecond)
		if late := r.Join(10); time.Until(late.Begins()) > 250*time.Millisecond*3 {
			t.Errorf("the last round begins in %v", time.Until(late.Begins()))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i, keys := range l.rounds {
			if len(keys) > 3 || i > 0 && l.begun[i].Sub(l.begun[i-1]) < 250*time.Millisecond {
				t.Errorf("round %d of %d keys after %v", i, len(keys), l.begun[i].Sub(l.begun[max(0, i-1)]))
			}
		}
		if len(l.rounds) != 4 {
			t.Errorf("%d rounds, want 4: %v", len(l.rounds), l.rounds)
		}
	})
}
