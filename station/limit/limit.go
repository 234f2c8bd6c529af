// Package limit is the arbiter of everything that limits the current of one EVSE. Each limit is a claim of an owner;
// the lowest wins, phase by phase, and Why says who wants what.
//
//	Set ──► standing ──Until──► gone
//	           │ not heard of for Silence
//	           ▼
//	        silent: the fail-safe value counts ──Set, Heard──► standing
//
// A claim that falls away lets the limit rise, and one that is set may lower it; what is lower is carried out at once
// and what is higher once its record is durable (AtMost tells them apart).
package limit

import (
	"math"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// Owner is who limits. There is one claim of each.
type Owner uint8

// The owners, in the order in which Why tells them: from what cannot be otherwise to what somebody wishes.
const (
	Board        Owner = iota // what the hardware is built for
	Cable                     // the plugged cable
	Temperature               // derating
	SiteFuse                  // the connection of the site
	LoadBalancer              // the share of this EVSE in what the station may draw
	CSMS                      // charging profiles
	EMS                       // energy management of the site
	GridOperator              // the distribution network
	User                      // the driver, or the fitter
	Owners                    // how many there are
)

var ownerNames = [Owners]string{
	"board", "cable", "temperature", "site fuse", "load balancer", "CSMS", "EMS", "grid operator", "user",
}

// String returns the name of the owner as people read it.
func (o Owner) String() string {
	if o < Owners {
		return ownerNames[o]
	}
	return "unknown"
}

// Unlimited is the Max of a claim on the number of phases alone.
const Unlimited unit.Current = math.MaxInt64

// Value is what may be drawn.
type Value struct {
	Max    unit.Current // per phase
	Phases uint8        // how many lines; 0: all that there are
}

// AtMost returns what of v is not more than have: what may be carried out before anything else is settled.
func (v Value) AtMost(have Value) Value { return least(v, have) }

// least takes the lower of both, of current and of phases.
func least(a, b Value) Value {
	v := Value{Max: min(a.Max, b.Max), Phases: a.Phases}
	if b.Phases != 0 && (a.Phases == 0 || b.Phases < a.Phases) {
		v.Phases = b.Phases
	}
	return v
}

// Claim is the limit of one owner. All times are of one clock, the one of now.
type Claim struct {
	Value
	Reason string    // stable code
	Since  time.Time // when it began; zero: now
	Until  time.Time // when it ends by itself; zero: when it is dropped

	// An owner that is not heard of for Silence is silent, and FailSafe counts instead of Value. 0: it need not be.
	Silence  time.Duration
	FailSafe Value
}

// slot is a claim in its place.
type slot struct {
	Claim
	standing bool
	heard    time.Time
}

// Arbiter keeps the claims on one EVSE: a fixed number, so that it never allocates. It is not for use by two goroutines.
type Arbiter struct {
	slots    [Owners]slot
	verdict  Verdict
	from     time.Time
	deadline time.Time // zero: never
	known    bool
}

// Verdict is what counts now, and whose claim it is: of the current, and of the number of phases.
type Verdict struct {
	Value
	Owner        Owner
	Reason       string
	PhasesOwner  Owner
	PhasesReason string
	Silent       bool // the owner is silent: this is its fail-safe value
}

// New returns an arbiter with the claim of the board, which is never dropped and never silent.
func New(board Value, reason string) *Arbiter {
	a := &Arbiter{}
	a.slots[Board] = slot{Claim: Claim{Value: board, Reason: reason}, standing: true}
	return a
}

// Set makes c the claim of an owner, in place of the one that it had, as of now. A claim that says the same as before
// keeps its Since. Negative currents are zero. The Board's claim has neither end nor silence.
func (a *Arbiter) Set(now time.Time, o Owner, c Claim) {
	s := &a.slots[o]
	c.Max, c.FailSafe.Max = max(c.Max, 0), max(c.FailSafe.Max, 0)
	if c.Since.IsZero() {
		c.Since = now
		if s.standing && s.Value == c.Value && s.Reason == c.Reason {
			c.Since = s.Since
		}
	}
	if o == Board {
		c.Until, c.Silence = time.Time{}, 0
	}
	*s = slot{Claim: c, standing: true, heard: now}
	a.known = false
}

// Heard says that an owner is alive; its claim stays as it is.
func (a *Arbiter) Heard(now time.Time, o Owner) {
	if s := &a.slots[o]; s.standing && s.Silence > 0 {
		s.heard = now
		a.known = false
	}
}

// Drop ends the claim of an owner; the Board's stays.
func (a *Arbiter) Drop(o Owner) {
	if o != Board && a.slots[o].standing {
		a.slots[o] = slot{}
		a.known = false
	}
}

// Limit returns what counts now, and when that may be another value without anyone saying so; zero is never.
func (a *Arbiter) Limit(now time.Time) (Verdict, time.Time) {
	if !a.known || now.Before(a.from) || !a.deadline.IsZero() && !now.Before(a.deadline) {
		a.judge(now)
	}
	return a.verdict, a.deadline
}

// judge compares all claims. At the same current the first owner counts.
func (a *Arbiter) judge(now time.Time) {
	v := Verdict{Value: a.slots[Board].Value, Reason: a.slots[Board].Reason, PhasesReason: a.slots[Board].Reason}
	a.known, a.from, a.deadline = true, now, time.Time{}
	for o := Board + 1; o < Owners; o++ {
		s := &a.slots[o]
		if !s.standing {
			continue
		}
		if s.over(now) {
			*s = slot{}
			continue
		}
		a.sooner(s.Until)
		w, silent := s.value(now)
		if !silent && s.Silence > 0 {
			a.sooner(s.heard.Add(s.Silence))
		}
		if w.Max < v.Max {
			v.Max, v.Owner, v.Reason, v.Silent = w.Max, o, s.Reason, silent
		}
		if l := least(w, v.Value); l.Phases != v.Phases {
			v.Phases, v.PhasesOwner, v.PhasesReason = l.Phases, o, s.Reason
		}
	}
	a.verdict = v
}

func (a *Arbiter) sooner(t time.Time) {
	if !t.IsZero() && (a.deadline.IsZero() || t.Before(a.deadline)) {
		a.deadline = t
	}
}

func (s *slot) over(now time.Time) bool { return !s.Until.IsZero() && !now.Before(s.Until) }

// value is what counts of a standing claim, and whether its owner is silent.
func (s *slot) value(now time.Time) (Value, bool) {
	if s.Silence > 0 && !now.Before(s.heard.Add(s.Silence)) {
		return s.FailSafe, true
	}
	return s.Value, false
}
