package sampling

import (
	"slices"

	"github.com/evsed/evsed/station/term"
)

// MaxKept bounds the sampled values that one transaction keeps for its Ended event: told in JSON they take about
// 60 kB, which every CSMS known to us takes in one message.
const MaxKept = 512

// Kept collects meter values for the Ended event of one transaction, in the order of their coming. The zero Kept is
// empty.
type Kept struct {
	Values  []term.MeterValue
	Thinned int // meter values that were dropped to make room
	count   int // sampled values in Values
}

// Restore puts back what a record held.
func (k *Kept) Restore(values []term.MeterValue, thinned int) {
	*k = Kept{Values: values, Thinned: thinned}
	k.recount()
}

// Add keeps a copy of a meter value; one without sampled values is not kept. Where there is no more room, every
// second of the values between the first and the newest is dropped, beginning with the first of them (E06.FR.13,
// E07.FR.10, E08.FR.11, E09.FR.07): begin and end stay, so the bill does not change (J02.FR.20). It panics on a meter
// value that AppendBinary would not take; Select gives MaxValues at most for one instant.
func (k *Kept) Add(v term.MeterValue) {
	if len(v.Sampled) == 0 {
		return
	}
	if len(v.Sampled) > maxSampledValues {
		panic("sampling: too many sampled values")
	}
	v.Sampled = slices.Clone(v.Sampled)
	for k.count+len(v.Sampled) > MaxKept && len(k.Values) > 1 {
		k.thin()
	}
	k.Values = append(k.Values, v)
	k.count += len(v.Sampled)
}

// thin drops the values at 1, 3, 5 …
func (k *Kept) thin() {
	n := 1
	for i := 2; i < len(k.Values); i += 2 {
		k.Values[n] = k.Values[i]
		n++
	}
	k.Thinned += len(k.Values) - n
	clear(k.Values[n:])
	k.Values = k.Values[:n]
	k.recount()
}

func (k *Kept) recount() {
	k.count = 0
	for _, v := range k.Values {
		k.count += len(v.Sampled)
	}
}
