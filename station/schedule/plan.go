package schedule

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// forever is later than any instant: seconds since 1970.
const forever = 1 << 62

// Seconds of the recurrencies: every 24 hours, every 7 days (OCPP 1.6 errata 4.0, RecurrencyKindType).
const (
	day  = 24 * 60 * 60
	week = 7 * day
)

// plan is a profile as it is computed with: times in seconds since 1970, limits by multiplication.
//
// Limits of amperes and watts are compared as what each phase carries, in sixths of a microwatt: there both are
// integers, and turned back into their own unit they are what they were.
type plan struct {
	from, to int64 // validity
	start    int64 // of the first occurrence; floating: of charging
	floating bool
	every    int64 // from one occurrence to the next; 0: there is one
	span     int64 // what is executed of each
	periods  []Period
	factor   [4]int64 // by the number of phases that a period names, 0 for none: limit times factor is sixths of uW
	assumed  int8     // phases of a period that names none
	rank     int64    // a higher one overrules
	purpose  Purpose
	evse     term.EVSEID
	tx       term.TransactionID
}

// plan computes what is the same at every moment.
func (s *Set) plan(in *Installed) plan {
	p := &in.Profile
	c := &p.Schedules[max(s.pick(p), 0)]
	a := plan{from: -forever, to: forever, span: forever, purpose: p.Purpose, evse: in.EVSE, tx: p.Transaction}
	if !p.ValidFrom.IsZero() { // K01.FR.36
		a.from = p.ValidFrom.Unix()
	}
	if !p.ValidTo.IsZero() { // K01.FR.37
		a.to = p.ValidTo.Unix()
	}
	a.start, a.floating = begins(in, c)
	if c.Duration > 0 { // what starts later is not executed (K01.FR.11, .12, .13)
		a.span = int64(c.Duration / time.Second)
	}
	if p.Kind == Recurring {
		a.every = day
		if p.Recurrency == Weekly {
			a.every = week
		}
		a.span = min(a.span, a.every) // what is longer than the recurrence is not executed (OCPP 1.6 5.16.4)
	}
	a.periods = c.Periods
	a.assumed = int8(s.cfg.Rules.Phases)
	a.factor = s.factors(c.Unit)
	a.rank = rank(p, in.EVSE)
	return a
}

// begins says when a schedule starts to count: at its start (K01.FR.30); where it has none, or is Relative, with the
// charging that it is for (K01.FR.42, OCPP 1.6 7.13), and for the whole station, which has no such moment, on arrival.
func begins(in *Installed, c *Schedule) (start int64, floating bool) {
	switch own := in.Profile.Kind != Relative && !c.Start.IsZero(); {
	case own:
		return c.Start.Unix(), false
	case in.Profile.Purpose == PurposeTx || in.Profile.Purpose == PurposeDefault:
		return 0, true
	default:
		return in.Received.Unix(), false
	}
}

// factors turns a limit into sixths of a microwatt per phase. Amperes are of each phase (K01.FR.51); watts are the sum
// of the phases that the period names, whatever the car or the EVSE has (K01.FR.50; OCPP 1.6 errata 4.0, 3.34, 3.69).
func (s *Set) factors(u Unit) [4]int64 {
	if u == Amperes {
		v := 6 * int64(s.cfg.Voltage)
		return [4]int64{v, v, v, v}
	}
	f := [4]int64{1: sixths, 2: sixths / 2, 3: sixths / 3}
	f[0] = f[s.cfg.Rules.Phases]
	return f
}

// sixths of a microwatt that make a milliwatt.
const sixths = 6_000

// rank orders the profiles of a stack: a TxProfile before a TxDefaultProfile (K02.FR.04), the higher stack level
// (K01.FR.17), at the same level the one of the EVSE (OCPP 1.6 3.13.1). The lower bits leave room for the place in the
// list, so that no two are equal.
func rank(p *Profile, evse term.EVSEID) int64 {
	r := int64(min(max(p.StackLevel, 0), 1<<31-1)) << 30
	if p.Purpose == PurposeTx {
		r |= 1 << 61
	}
	if evse > 0 {
		r |= 1 << 29
	}
	return r
}

// occurrence returns the first stretch of time, not over at t, in which a schedule that starts at start has a period
// and its profile is valid; from is where the schedule counts from.
func (a *plan) occurrence(start, t int64) (begin, end, from int64, ok bool) {
	from = start
	if a.every > 0 {
		if late := max(t, a.from) - start; late > 0 {
			from += late - late%a.every
		}
		if from+a.span <= max(t, a.from) {
			from += a.every
		}
	}
	end = min(add(from, a.span), a.to)
	begin = max(from, a.from)
	return begin, end, from, begin < end && t < end
}

// over reports whether a profile says nothing at t nor at any time later. A floating schedule may always start again.
func (a *plan) over(t int64) bool {
	if a.floating {
		return t >= a.to
	}
	_, _, _, ok := a.occurrence(a.start, t)
	return !ok
}

// add keeps forever.
func add(t, d int64) int64 {
	if d >= forever || t >= forever-d {
		return forever
	}
	return t + d
}

// period returns the index of the period at an offset from the start.
func (a *plan) period(offset int64) int {
	lo, hi := 0, len(a.periods)
	for hi-lo > 1 {
		if m := int(uint(lo+hi) / 2); a.periods[m].seconds() <= offset {
			lo = m
		} else {
			hi = m
		}
	}
	return lo
}

func (d *Period) seconds() int64 { return int64(d.Start / time.Second) }
