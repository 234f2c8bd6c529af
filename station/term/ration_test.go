package term

import (
	"testing"
	"time"
)

// TestRation: three in a row, then one a minute, counted from the first; a long rest gives back no more than there were.
func TestRation(t *testing.T) {
	const burst, every = 3, time.Minute
	var r Ration
	at := time.Unix(0, 0).UTC()
	for i, step := range []struct {
		wait time.Duration
		want bool
	}{
		{0, true}, {time.Second, true}, {time.Second, true}, {time.Second, false}, {50 * time.Second, false},
		{7 * time.Second, true}, // a minute after the first
		{0, false}, {time.Minute, true}, {0, false},
		{24 * time.Hour, true}, {0, true}, {0, true}, {0, false},
	} {
		at = at.Add(step.wait)
		if spent := r.Spent(at, burst, every); spent == step.want {
			t.Errorf("step %d: spent %v, want %v", i, spent, !step.want)
		}
		if got := r.Take(at, burst, every); got != step.want {
			t.Errorf("step %d: taken %v, want %v", i, got, step.want)
		}
	}
}
