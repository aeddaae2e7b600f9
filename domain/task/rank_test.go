package task

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bailiwick.dev/domain/fault"
)

// Wherever tasks are moved, each rank lies between its neighbours, and none
// ends in the lowest digit.
func TestRanksKeepTheOrder(t *testing.T) {
	t.Parallel()
	const last = 50
	ranks := []string{}
	for n := range int64(last) {
		ranks = append(ranks, FirstRank(n+1))
	}
	for range 2000 {
		at := []int{0, rand.IntN(len(ranks) + 1), len(ranks)}[rand.IntN(3)]
		after, before := "", ""
		if at > 0 {
			after = ranks[at-1]
		}
		if at < len(ranks) {
			before = ranks[at]
		}
		rank, err := RankIn(after, before, last)
		if err != nil || rank <= after || before != "" && rank >= before || rank >= FirstRank(last+1) || strings.HasSuffix(rank, digits[:1]) {
			t.Fatalf("between %q and %q: %q, %v", after, before, rank, err)
		}
		ranks = slices.Insert(ranks, at, rank)
	}
}

// To move something to the top each day makes no rank longer; to move as often
// between the same two is refused before the index refuses it.
func TestRanksStayShort(t *testing.T) {
	t.Parallel()
	first := FirstRank(1)
	for range 100_000 {
		rank, err := RankIn("", first, 1)
		if err != nil || len(rank) != counted+1 || rank >= first {
			t.Fatalf("before %q: %q, %v", first, rank, err)
		}
		first = rank
	}
	if lowest, err := RankIn("", strings.Repeat(digits[:1], counted)+"V", 1); err != nil || lowest >= strings.Repeat(digits[:1], counted)+"V" {
		t.Errorf("before the lowest: %q, %v", lowest, err)
	}
	var err error
	for n, before := 0, FirstRank(2); err == nil && n < 10_000; n++ {
		before, err = RankIn(FirstRank(1), before, 2)
	}
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("ten thousand times between the same two: %v, want a conflict", err)
	}
	if _, err := RankIn("B", "A", 1); !fault.Is(err, fault.Conflict) {
		t.Errorf("between two in the wrong order: %v, want a conflict", err)
	}
}
