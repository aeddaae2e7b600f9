package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// measurement measures for a span; n counts how often it has before.
type measurement func(ctx context.Context, n int, span time.Duration) (figures, error)

// over repeats a load, by clients of new numbers each time.
func (w work) over(ctx context.Context, n int, span time.Duration) (figures, error) {
	w.first = n * clients
	return w.measure(ctx, span)
}

// turn is how long each of what is compared is measured before it is the next one's turn.
const turn = time.Second

// inTurns measures what is to be compared for a span each, one after the other,
// there and back again: within a minute the speed of a virtual machine swings by
// more than what is to be told apart, and what PostgreSQL still does for the one
// before must not always be the same one's burden.
func inTurns(ctx context.Context, turns int, span time.Duration, all ...measurement) (each [][]figures, err error) {
	each = make([][]figures, len(all))
	for n := range turns {
		for i := range all {
			if n%2 == 1 {
				i = len(all) - 1 - i
			}
			f, err := all[i](ctx, n, span)
			if err != nil {
				return nil, err
			}
			each[i] = append(each[i], f)
		}
	}
	return each, nil
}

func rate(f figures) float64 { return f.rate }

// middle returns of each figure the median.
func middle(all []figures) figures {
	return figures{
		rate:     median(all, rate),
		p50:      median(all, func(f figures) time.Duration { return f.p50 }),
		p99:      median(all, func(f figures) time.Duration { return f.p99 }),
		cpu:      median(all, func(f figures) time.Duration { return f.cpu }),
		database: median(all, func(f figures) time.Duration { return f.database }),
	}
}

func median[T float64 | time.Duration](all []figures, of func(figures) T) T {
	var sorted []T
	for _, f := range all {
		sorted = append(sorted, of(f))
	}
	slices.Sort(sorted)
	return between(sorted)
}

// between returns the median of what is sorted: of an even number, the middle of two.
func between[T float64 | time.Duration](sorted []T) T {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratios says what one figure is of the other within a turn: the median, and
// between what the middle half of all turns lies.
func ratios(ours, limit []figures, figure func(figures) float64) string {
	var all []float64
	for i := range ours {
		all = append(all, figure(ours[i])/figure(limit[i]))
	}
	slices.Sort(all)
	n := len(all)
	return fmt.Sprintf("%.2f (%.2f to %.2f)", between(all), all[n/4], all[n-1-n/4])
}
