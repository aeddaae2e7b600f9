package task

import (
	"fmt"
	"strconv"
	"strings"
)

// digits are those of ranks, in the order of their bytes.
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// FirstRank places a new task after the ones before it: tasks come in the
// order of their numbers until somebody moves one. No rank ends in the lowest
// digit: nothing would fit between it and its own beginning.
func FirstRank(number int64) string { return fmt.Sprintf("%010dV", number) }

// Between returns a rank after before and before after; "" stands for the
// beginning and the end. before must be less than after.
func Between(before, after string) string {
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
