package boards

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// thresholds are the levels between the states, and how far from them a comparator may sit. hal/parts wants the same.
var thresholds = []threshold{{10_500, "A from B"}, {7_500, "B from C"}, {4_500, "C from D"}, {1_500, "D from E"}}

// lowThreshold is that of the lower level, behind the vehicle's diode.
var lowThreshold = threshold{-10_500, "a vehicle's diode"}

type threshold struct {
	level unit.Voltage
	what  string
}

const thresholdTolerance = 1000 * unit.Millivolt

// near reports whether a comparator is the one of a threshold.
func (t threshold) near(k *Comparator) bool {
	d := k.Level - t.level
	return k.Below == (t.level < 0) && -thresholdTolerance <= d && d <= thresholdTolerance
}

// debounce is how long the slowest comparator holds a change back.
func (p *Pilot) debounce() (most time.Duration) {
	for i := range p.Comparators {
		most = max(most, p.Comparators[i].Line.Debounce)
	}
	return most
}

// comparators are one for each threshold, and no others; what is said of converters is not said of them.
func (c *checker) comparators(path string, p *Pilot) {
	first := map[threshold]string{}
	for i := range p.Comparators {
		k := &p.Comparators[i]
		at := path + ".comparators." + k.Name
		if c.given(join(at, "above")) == c.given(join(at, "below")) {
			c.find(at, "BRD-210", "a comparator", "want one of above and below")
			continue
		}
		c.comparator(at, k, first)
	}
	if _, below := first[lowThreshold]; !below {
		c.findf(join(path, "comparators"), "BRD-234", "no comparator for the lower level")
	}
	for _, t := range thresholds {
		if _, found := first[t]; !found {
			c.find(join(path, "comparators"), "BRD-210", fmt.Sprintf("no comparator near %s tells %s", qVoltage.show(int64(t.level)), t.what), "add one")
		}
	}
	for _, n := range []string{"filter", "frozen_after"} {
		if at := join(path, "sample."+n); c.given(at) {
			c.find(at, "BRD-210", n+" of comparators", "leave it out: it is for converters")
		}
	}
}

// comparator is the first one at a threshold.
func (c *checker) comparator(at string, k *Comparator, first map[threshold]string) {
	key := "above"
	if k.Below {
		key = "below"
	}
	for _, t := range append([]threshold{lowThreshold}, thresholds...) {
		if !t.near(k) {
			continue
		}
		if before := first[t]; before != "" {
			c.findf(join(at, key), "BRD-236", "a second comparator that tells %s, first %s", t.what, before)
		} else {
			first[t] = k.Name
		}
		return
	}
	c.findf(join(at, key), "BRD-236", "a comparator at %s", qVoltage.show(int64(k.Level)))
}
