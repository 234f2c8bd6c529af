package halsim

import (
	"math"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Times of a car's charger.
const (
	defaultReaction = 200 * time.Millisecond // to a change of the pilot; the standard allows 5 s
	chargerStart    = 500 * time.Millisecond // from voltage to current
	s2Delay         = 100 * time.Millisecond // from the end of the current to S2
	wakePulse       = 500 * time.Millisecond // one half of a B-C-B toggle
	leaveDelay      = time.Second            // an orderly driver's way from the car to the plug
)

// A battery takes constant power up to taperFrom, then less and less, down to taperEnd of it when full.
const (
	taperFrom = 0.80
	taperEnd  = 0.10
)

// A car with the fault overCurrent draws this much of what it is offered, and a little more.
const (
	greedFactor = 1.4
	greedAmps   = 2.0
)

// car is a vehicle at a connector.
type car struct {
	ready       bool
	readyAt     time.Time
	maxAmps     float64
	minAmps     float64
	phases      uint8
	capacity    float64 // Wh
	soc         float64 // 0..1
	target      float64 // Wh since plugging; negative: none
	taken       float64 // Wh since plugging
	departure   time.Time
	powerFactor float64
	ventilation bool
	ignoresOff  bool
	reaction    time.Duration

	s2      bool
	forced  *bool     // where somebody holds S2
	s2Opens time.Time // S2 opens; zero: not planned
	seen    unit.Duty // what the pilot shows
	reacts  time.Time // the car acts on what it has seen; zero: it has
	limit   float64   // A that the car believes to be offered
	amps    float64   // per phase, flowing
	taper   float64   // A that the battery takes, as of the last tick
	starts  time.Time // current may flow; zero: no voltage
	wake    time.Time // a toggle began; zero: none
	leaving Side      // an orderly unplug of this side is under way
	left    time.Time // since when the car is ready to leave
}

// act lets the car do what is due at t.
func (k *car) act(t time.Time, c *connector) {
	k.listen(t, c)
	if k.forced != nil {
		k.s2 = *k.forced
	}
	wants := k.wants(t) && k.limit >= k.minAmps
	if k.ignoresOff && k.amps > 0 {
		wants = k.wants(t)
	}
	if c.contactor.contact && c.e.w.powered {
		if k.starts.IsZero() {
			k.starts = t.Add(chargerStart)
		}
	} else {
		k.starts = time.Time{}
	}
	if k.amps == 0 || t.Equal(t.Truncate(c.e.w.cfg.Tick)) {
		k.taper = k.acceptance()
	}
	k.amps = 0
	if wants && k.s2 && c.connected() && !k.starts.IsZero() && !t.Before(k.starts) {
		k.amps = k.demand(c)
	}
	k.moveS2(t, wants)
}

// listen follows the pilot after the car's reaction time.
func (k *car) listen(t time.Time, c *connector) {
	shows := unit.DutyHigh
	if c.connected() && c.e.w.powered && !c.has(term.FaultPilot) && !c.foreign {
		shows = c.duty
	}
	if shows != k.seen {
		k.seen, k.reacts = shows, t.Add(k.reaction)
	}
	if k.reacts.IsZero() || t.Before(k.reacts) {
		return
	}
	k.reacts = time.Time{}
	current, _ := iec61851.CurrentForDuty(k.seen)
	if current == 0 && k.ignoresOff {
		return
	}
	k.limit = float64(current) / 1000
}

// wants reports whether the driver and the battery want energy at t.
func (k *car) wants(t time.Time) bool {
	switch {
	case !k.ready, t.Before(k.readyAt), k.leaving != 0:
		return false
	case !k.departure.IsZero() && !t.Before(k.departure):
		return false
	}
	return k.missing() > 0
}

// missing returns the Wh that the car still wants.
func (k *car) missing() float64 {
	m := (1 - k.soc) * k.capacity
	if k.target >= 0 {
		m = math.Min(m, k.target-k.taken)
	}
	if m < 1e-6 {
		return 0
	}
	return m
}

// demand returns the current per phase that the car draws.
func (k *car) demand(c *connector) float64 {
	if c.has(term.FaultOverCurrent) {
		return k.limit*greedFactor + greedAmps
	}
	return math.Min(k.limit, k.taper)
}

// acceptance returns the current per phase that the battery takes at its state of charge.
func (k *car) acceptance() float64 {
	most := k.maxAmps
	if k.soc > taperFrom {
		most *= 1 - (1-taperEnd)*(k.soc-taperFrom)/(1-taperFrom)
	}
	return math.Max(most, k.minAmps)
}

// moveS2 closes S2 for a car that wants energy, and opens it once the current is gone.
func (k *car) moveS2(t time.Time, wants bool) {
	if k.forced != nil {
		k.s2, k.s2Opens = *k.forced, time.Time{}
		return
	}
	if !k.wake.IsZero() {
		phase := t.Sub(k.wake) / wakePulse
		if phase < 4 {
			k.s2 = phase%2 == 0
			return
		}
		k.wake, k.s2 = time.Time{}, false
	}
	switch {
	case wants:
		k.s2, k.s2Opens = true, time.Time{}
	case !k.s2:
	case k.s2Opens.IsZero():
		k.s2Opens = t.Add(s2Delay)
	case !t.Before(k.s2Opens):
		k.s2, k.s2Opens = false, time.Time{}
	}
}

// next returns the instant up to which the car stays as it is.
func (k *car) next(t, to time.Time, c *connector) time.Time {
	to = k.turn(t, to)
	if k.amps > 0 {
		tick := c.e.w.cfg.Tick
		to = sooner(to, t.Truncate(tick).Add(tick), t)
		if full := k.full(c); full < tick {
			to = sooner(to, t.Add(full), t)
		}
	}
	return to
}

// full returns the time after which the car has what it wants, if it goes on drawing as it does; a battery that tapers takes longer.
func (k *car) full(c *connector) time.Duration {
	p := k.watts(c)
	if p <= 0 {
		return math.MaxInt64
	}
	return time.Duration(math.Ceil(math.Min(k.missing()/p*float64(time.Hour), float64(maxCarDelay))))
}

// turn returns the instant up to which the car does nothing new, but for what its battery does.
func (k *car) turn(t, to time.Time) time.Time {
	for _, at := range [...]time.Time{k.reacts, k.s2Opens, k.starts, k.readyAt, k.departure} {
		to = sooner(to, at, t)
	}
	if !k.wake.IsZero() {
		to = sooner(to, k.wake.Add((t.Sub(k.wake)/wakePulse+1)*wakePulse), t)
	}
	if k.leaving != 0 && !k.left.IsZero() {
		to = sooner(to, k.left.Add(leaveDelay), t)
	}
	return to
}

// lines returns how many lines carry the car's current.
func (k *car) lines(c *connector) int {
	return int(min(k.phases, c.contactor.phases, c.e.cfg.Phases))
}

// watts returns the active power that flows.
func (k *car) watts(c *connector) float64 {
	var p float64
	for line := range k.lines(c) {
		p += k.amps * c.e.volts(line, k.amps) * k.powerFactor
	}
	return p
}

// charge puts p watts into the battery for d.
func (k *car) charge(p float64, d time.Duration) {
	wh := p * d.Hours()
	k.taken += wh
	if k.soc = math.Min(1, k.soc+wh/k.capacity); k.missing() == 0 && k.target < 0 {
		k.soc = 1
	}
}

// leave pulls the plug of an orderly driver, once no current flows, S2 is open and the lock lets go.
func (c *connector) leave(t time.Time) {
	k := c.car
	if k.leaving == 0 {
		return
	}
	if k.amps > 0 || k.s2 || k.leaving != SideEV && c.lock.locked {
		k.left = time.Time{}
		return
	}
	if k.left.IsZero() {
		k.left = t
	}
	if !t.Before(k.left.Add(leaveDelay)) {
		c.pull(t, k.leaving)
	}
}
