package task

import (
	"fmt"
	"strconv"
	"strings"

	"bailiwick.dev/domain/fault"
)

// digits are those of ranks, in the order of their bytes.
const digits = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	counted = 10   // digits of a new task's rank that its number takes
	maxRank = 1000 // digits; the index on ranks takes about 2,700
)

// FirstRank places a new task after the ones before it: tasks come in the
// order of their numbers until somebody moves one. No rank ends in the lowest
// digit: nothing would fit between it and its own beginning.
func FirstRank(number int64) string { return fmt.Sprintf("%0*dV", counted, number) }

// RankIn returns a rank after one and before another of the ranks of a project
// whose last task has the number last; "" stands for the beginning and the
// end. What comes last comes before the tasks that are still to be created. It
// returns fault.Conflict when after does not come before before, or when so
// many were put between the same two that there is no room.
func RankIn(after, before string, last int64) (string, error) {
	if next := FirstRank(last + 1); before == "" && after < next {
		before = next
	}
	if before != "" && after >= before {
		return "", fault.New(fault.Conflict, "not_in_order", "the one does not come before the other")
	}
	if after == "" {
		return below(before), nil
	}
	rank := between(after, before)
	if len(rank) > maxRank {
		return "", fault.New(fault.Conflict, "no_room", "too many tasks were moved to this place: move one of its neighbours first")
	}
	return rank, nil
}

// below returns a rank before rank, and no longer one than a new task's: to the
// top is where most is moved. It counts down by the digits that numbers count up.
func below(rank string) string {
	low := []byte(rank + strings.Repeat(digits[:1], counted))[:counted]
	for i := counted - 1; i >= 0; i-- {
		if d := strings.IndexByte(digits, low[i]); d > 0 {
			low[i] = digits[d-1]
			return string(low) + "V"
		}
		low[i] = digits[len(digits)-1]
	}
	return between("", rank)
}

// between returns a rank half-way between two; "" as after is the end.
func between(before, after string) string {
	var rank strings.Builder
	for i := 0; ; i++ {
		low, high := 0, len(digits)
		if i < len(before) {
			low = strings.IndexByte(digits, before[i])
		}
		if after != "" && i < len(after) {
			high = strings.IndexByte(digits, after[i])
		}
		switch {
		case low == high:
			rank.WriteByte(digits[low])
		case high-low > 1:
			rank.WriteByte(digits[(low+high)/2])
			return rank.String()
		default: // neighbours: anything longer than before is less than after
			rank.WriteByte(digits[low])
			after = ""
		}
	}
}

func keyOf(project string, number int64) string {
	return project + "-" + strconv.FormatInt(number, 10)
}
