package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Reading is what the machine needs of a meter reading. The zero At means that there has been none.
type Reading struct {
	At      time.Time
	Phases  uint8
	Current [3]unit.Current
	Voltage [3]unit.Voltage
}

// ReadingLimit is how old the newest reading may be while the contactor is closed.
const ReadingLimit = 5 * time.Second

// A vehicle may draw a little more than it is offered: measurement and pulse width have their tolerances.
const (
	overCurrentPercent = 10              // of what is allowed, but at least
	overCurrentLeast   = 1 * unit.Ampere // this much above it
)

// OverCurrentTime is how long, from reading to reading, the current may lie above the tolerance. A meter that is read
// every 500 ms trips within 1 s.
const OverCurrentTime = 500 * time.Millisecond

// Half as much again as allowed, and a little for the start of a small charge, trips by a single reading.
const (
	grossPercent = 50
	grossLeast   = 4 * unit.Ampere
)

// Line voltages outside of these limits, for SupplyTime from reading to reading, are faults: 15 % around 230 V, wider
// than any grid code asks a charger to ride through, and inside of what vehicles stand.
const (
	overVoltage  = 265 * unit.Volt
	underVoltage = 195 * unit.Volt
	SupplyTime   = 500 * time.Millisecond
)

// measured judges the readings of the EVSE's meter.
type measured struct {
	last      Reading
	over      time.Time // first reading of a row above the tolerance; zero: none
	high, low time.Time // first reading of a row outside of the voltage limits; zero: none
	offHigh   bool
	offLow    bool
	stale     bool
}

// observe takes the newest reading, which may be the last one again.
func (r *measured) observe(now time.Time, in *Reading, m *Machine, due *deadline) FaultSet {
	var s FaultSet
	closed := m.supply.command && m.supply.confirmed
	if in.At.After(r.last.At) {
		r.last = *in
		if closed && !in.At.Before(m.supply.changed) && r.overCurrent(m.offer.allowed) {
			s = s.With(term.FaultOverCurrent)
		}
		r.voltage()
	}
	if !closed {
		r.over = time.Time{}
	}
	if fresh := !in.At.IsZero() && now.Sub(in.At) <= ReadingLimit; fresh && r.offHigh {
		s = s.With(term.FaultOverVoltage)
	} else if fresh && r.offLow {
		s = s.With(term.FaultUnderVoltage)
	}
	if r.silent(now, closed, m, due) {
		s = s.With(term.FaultMeter)
	}
	return s
}

// overCurrent judges a new reading against what is allowed.
func (r *measured) overCurrent(allowed unit.Current) bool {
	most := max(r.last.Current[0], r.last.Current[1], r.last.Current[2])
	if most > allowed+max(allowed*grossPercent/100, grossLeast) {
		return true
	}
	if most <= allowed+max(allowed*overCurrentPercent/100, overCurrentLeast) {
		r.over = time.Time{}
		return false
	}
	if r.over.IsZero() {
		r.over = r.last.At
	}
	return r.last.At.Sub(r.over) >= OverCurrentTime
}

// voltage judges the lines of a new reading.
func (r *measured) voltage() {
	high, low := false, false
	for i := range min(int(r.last.Phases), len(r.last.Voltage)) {
		high = high || r.last.Voltage[i] > overVoltage
		low = low || r.last.Voltage[i] < underVoltage
	}
	r.offHigh = lasting(high, &r.high, r.last.At)
	r.offLow = lasting(low, &r.low, r.last.At)
}

// lasting reports whether a condition has held since SupplyTime, and keeps when it began.
func lasting(holds bool, since *time.Time, at time.Time) bool {
	if !holds {
		*since = time.Time{}
		return false
	}
	if since.IsZero() {
		*since = at
	}
	return at.Sub(*since) >= SupplyTime
}

// silent reports whether the meter owes a reading. Once silent, only a new reading ends it.
func (r *measured) silent(now time.Time, closed bool, m *Machine, due *deadline) bool {
	if m.cfg.Meter == MeterNone {
		return false
	}
	newest := r.last.At
	if r.stale && now.Sub(newest) <= ReadingLimit {
		r.stale = false
	}
	if closed && !r.stale {
		if newest.Before(m.supply.changed) {
			newest = m.supply.changed
		}
		limit := newest.Add(ReadingLimit)
		if r.stale = now.After(limit); !r.stale {
			due.at(limit.Add(time.Millisecond))
		}
	}
	return r.stale
}

// idleSince reports whether a reading that was taken after t shows that no current flows.
func (r *measured) idleSince(t time.Time) bool {
	if !r.last.At.After(t) || r.last.Phases == 0 {
		return false
	}
	return max(r.last.Current[0], r.last.Current[1], r.last.Current[2]) < idleCurrent
}
