package sampling

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

// sample is a meter value of n sampled values whose first is its number.
func sample(number, n int) term.MeterValue {
	v := term.MeterValue{At: t0.Add(time.Duration(number) * time.Minute)}
	for i := range n {
		v.Sampled = append(v.Sampled, term.SampledValue{Value: int64(number), Measurand: term.Measurand(i % int(term.MeasurandCount))})
	}
	return v
}

func TestKeptThinsFromTheInside(t *testing.T) { // E06.FR.13, E07.FR.10, E08.FR.11, E09.FR.07, J02.FR.20
	var k Kept
	const each = MaxKept / 4 // room for four
	for i := range 5 {
		k.Add(sample(i, each))
	}
	want := []int64{0, 2, 4} // the 1st and the 3rd of 1, 2, 3 are gone
	if len(k.Values) != len(want) || k.Thinned != 2 {
		t.Fatalf("%d values, %d thinned", len(k.Values), k.Thinned)
	}
	for i, v := range k.Values {
		if v.Sampled[0].Value != want[i] {
			t.Errorf("place %d: got value %d, want %d", i, v.Sampled[0].Value, want[i])
		}
	}
}

func TestKeptIsBoundedAndKeepsBeginAndEnd(t *testing.T) {
	var k Kept
	for i := range 5000 {
		k.Add(sample(i, 1+i%20))
		count := 0
		for j, v := range k.Values {
			count += len(v.Sampled)
			if j > 0 && !v.At.After(k.Values[j-1].At) {
				t.Fatalf("after %d: out of order at %d", i, j)
			}
		}
		if count > MaxKept || len(k.Values)+k.Thinned != i+1 {
			t.Fatalf("after %d: %d sampled values; %d kept and %d thinned", i, count, len(k.Values), k.Thinned)
		}
		if k.Values[0].Sampled[0].Value != 0 || k.Values[len(k.Values)-1].Sampled[0].Value != int64(i) {
			t.Fatalf("after %d: begin or end is gone", i)
		}
		if i == 2500 { // as after a restart
			values, thinned := k.Values, k.Thinned
			k = Kept{}
			k.Restore(values, thinned)
		}
	}
}

func TestKeptCopiesAndSkipsEmpty(t *testing.T) {
	var k Kept
	v := sample(1, 2)
	k.Add(v)
	k.Add(term.MeterValue{At: t0})
	v.Sampled[0].Value = 99
	if len(k.Values) != 1 || k.Values[0].Sampled[0].Value != 1 {
		t.Errorf("got %v", k.Values)
	}
}
