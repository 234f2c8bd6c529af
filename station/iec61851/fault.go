package iec61851

import (
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/station/term"
)

// FaultSet is a set of term.Fault.
type FaultSet uint32

// lastFault is the greatest fault that a FaultSet is walked to.
const lastFault = term.FaultStorage

const _ = uint(31 - lastFault) // every fault has its bit

// FaultsOf returns the set of the given faults.
func FaultsOf(list ...term.Fault) FaultSet {
	var s FaultSet
	for _, f := range list {
		s = s.With(f)
	}
	return s
}

// Has reports whether f is in the set.
func (s FaultSet) Has(f term.Fault) bool { return s&(1<<f) != 0 }

// With returns the set with f; FaultNone is never in a set.
func (s FaultSet) With(f term.Fault) FaultSet { return (s | 1<<f) &^ 1 }

// Without returns the set without f.
func (s FaultSet) Without(f term.Fault) FaultSet { return s &^ (1 << f) }

// Stopping reports whether a fault of the set forbids energy.
func (s FaultSet) Stopping() bool { return s&stopping != 0 }

// stopping is the set of all faults that forbid energy.
var stopping = func() FaultSet {
	var s FaultSet
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		if f.StopsCharging() {
			s = s.With(f)
		}
	}
	return s
}()

// rule says when a fault may clear by itself: its cause must have been gone for hold, and within one plug-in it may
// come back retries times; after that it stays until the vehicle is unplugged. retries 0: without end.
type rule struct {
	hold    time.Duration
	retries uint8
}

// defaultRule is for what has no rule of its own: a cause that flickers must not make a contactor chatter.
var defaultRule = rule{hold: time.Second}

// rules of the faults that need more care. A person or an installation is at risk behind the ground fault, a wire
// behind over-current; a shorted diode can only be seen again by trying.
var rules = [lastFault + 1]rule{
	term.FaultGround:       {hold: 2 * time.Second, retries: 3},
	term.FaultOverCurrent:  {hold: 30 * time.Second, retries: 2},
	term.FaultDiode:        {hold: 5 * time.Second, retries: 3},
	term.FaultProximity:    {hold: time.Second, retries: 3},
	term.FaultContactor:    {hold: 30 * time.Second, retries: 2},
	term.FaultOverVoltage:  {hold: 5 * time.Second},
	term.FaultUnderVoltage: {hold: 5 * time.Second},
}

// ruleOf returns the clearing rule of f.
func ruleOf(f term.Fault) rule {
	if r := rules[f]; r.hold != 0 {
		return r
	}
	return defaultRule
}

// faults keeps what is wrong at one connector.
type faults struct {
	active  FaultSet
	latched FaultSet // only a fitter's acknowledgement clears these
	cause   [lastFault + 1]time.Time
	trips   [lastFault + 1]uint8
}

// update takes the causes of this step. unplugged: no vehicle and no energy; service: a fitter has acknowledged.
func (f *faults) update(now time.Time, causes FaultSet, unplugged, service bool, due *deadline) {
	if causes|f.active == 0 && !unplugged && !service {
		return
	}
	for id := term.FaultNone + 1; id <= lastFault; id++ {
		if unplugged || service {
			f.trips[id] = 0
		}
		switch {
		case causes.Has(id):
			if !f.active.Has(id) {
				f.active = f.active.With(id)
				f.trips[id] = min(f.trips[id]+1, 255-1)
			}
			f.cause[id] = now
		case f.active.Has(id):
			f.relax(now, id, service, due)
		}
	}
}

// relax clears an active fault whose cause is gone, if its rule allows.
func (f *faults) relax(now time.Time, id term.Fault, service bool, due *deadline) {
	r := ruleOf(id)
	switch {
	case service:
		f.latched = f.latched.Without(id)
		f.active = f.active.Without(id)
	case f.latched.Has(id), r.retries > 0 && f.trips[id] > r.retries:
	case now.Sub(f.cause[id]) >= r.hold:
		f.active = f.active.Without(id)
	default:
		due.at(f.cause[id].Add(r.hold))
	}
}

// List returns the faults of the set in their order.
func (s FaultSet) List() []term.Fault {
	var list []term.Fault
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		if s.Has(f) {
			list = append(list, f)
		}
	}
	return list
}

// String lists the names, separated by commas; "" for the empty set.
func (s FaultSet) String() string {
	var names []string
	for _, f := range s.List() {
		names = append(names, f.String())
	}
	return strings.Join(names, ",")
}

// MarshalText writes the names: what is kept on disk must not depend on the order of term.Fault.
func (s FaultSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *FaultSet) UnmarshalText(text []byte) error {
	*s = 0
	if len(text) == 0 {
		return nil
	}
	for name := range strings.SplitSeq(string(text), ",") {
		f, ok := term.ParseFault(name)
		if !ok {
			return fmt.Errorf("read faults: no fault is called %q", name)
		}
		*s = s.With(f)
	}
	return nil
}
