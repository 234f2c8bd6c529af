package parts

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestReaction compares with the sorted list.
func TestReaction(t *testing.T) {
	var r Reaction
	var all []time.Duration
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		d := time.Duration(random.ExpFloat64() * float64(time.Millisecond))
		if len(all) < 40 {
			d = time.Duration(len(all)) // the finest bins
		}
		r.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, per := range []uint64{1, 500_000, 990_000, 999_900, 1_000_000} {
		want := all[max((uint64(len(all))*per+999_999)/1_000_000, 1)-1]
		if got := r.Quantile(per); got < want || got > want+want/32+1 {
			t.Errorf("%d of a million: %v, want %v", per, got, want)
		}
	}
	if r.Count != 20_000 || r.Max != all[len(all)-1] || r.Quantile(1_000_000) != r.Max {
		t.Errorf("%d, %v", r.Count, r.Max)
	}
	r.add(-1)
	r.add(1<<63 - 1)
	if (&Reaction{}).Quantile(500_000) != 0 {
		t.Error("a time of nothing")
	}
	noAllocations(t, func() { r.add(time.Second) })
}
