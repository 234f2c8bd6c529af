package main

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// contender is one way to do a thing. run does it n times.
type contender struct {
	name string
	run  func(n int)
}

// timing is what was measured of one contender.
type timing struct {
	name        string
	min, median time.Duration // of one operation
	laps        []time.Duration
	allocs      float64 // of one operation, in the whole process
}

// lap is how long one contender runs before the next has its turn.
const lap = 20 * time.Millisecond

// race runs the contenders in turn, A/B/C/A/B/C, for the number of laps each, so that what else the machine does falls
// on all of them. Ratios of one race can be trusted, absolute numbers less.
func race(laps int, contenders ...contender) []timing {
	counts := make([]int, len(contenders))
	times := make([][]time.Duration, len(contenders))
	out := make([]timing, len(contenders))
	for i, c := range contenders {
		counts[i] = calibrate(c)
	}
	for range laps {
		for i, c := range contenders {
			start := time.Now()
			c.run(counts[i])
			times[i] = append(times[i], time.Since(start)/time.Duration(counts[i]))
		}
	}
	for i, c := range contenders {
		out[i] = timing{name: c.name, min: slices.Min(times[i]), median: median(times[i]), laps: times[i],
			allocs: testing.AllocsPerRun(50, func() { c.run(1) })}
	}
	return out
}

// mostOperations bounds a lap of a contender that takes no time at all.
const mostOperations = 1 << 30

// calibrate finds how many operations fill a lap.
func calibrate(c contender) int {
	for n := 1; n < mostOperations; n *= 2 {
		start := time.Now()
		c.run(n)
		if took := time.Since(start); took > lap/4 {
			return max(1, int(float64(n)*float64(lap)/float64(took)))
		}
	}
	return mostOperations
}

func median(d []time.Duration) time.Duration { return percentile(d, 50) }

// percentile returns the value below which p of 100 lie.
func percentile(d []time.Duration, p int) time.Duration { return quantile(d, p, 100) }

func quantile(d []time.Duration, p, of int) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)*p/of, len(sorted)-1)]
}

// against says how many times as long as b this one took: the median of the ratios lap by lap. Two laps next to each other
// share what else the machine did.
func (t timing) against(b timing) float64 {
	ratios := make([]float64, len(t.laps))
	for i := range t.laps {
		ratios[i] = ratio(t.laps[i], b.laps[i])
	}
	return middle(ratios)
}

// ratio says how many times as long a took as b.
func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// short prints a duration with three digits and a unit.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f us", float64(d.Nanoseconds())/1e3)
	}
	return fmt.Sprintf("%.1f ms", float64(d.Nanoseconds())/1e6)
}
