package virtual

import (
	"sync"
	"time"
)

// epoch is where monotonic time begins in every process: a date that no wall clock is mistaken for.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Clock is monotonic time that may run faster or slower than the real one, and the wall time that the station has when it
// starts.
//
// A fast clock makes a minute of a moment in which a goroutine does not get its turn. Whoever must never be late by much is
// a Party: a clock that runs faster than the real one stands still rather than leave a party behind. So the rate is a
// wish: the world goes as fast as the machine can follow.
type Clock struct {
	mu      sync.Mutex // everything below
	real    time.Time  // instant of the last change of rate, or of the last standstill
	at      time.Time  // monotonic time at that instant
	rate    float64
	wall    time.Time     // wall time at epoch
	offset  time.Duration // by which a simulation moved the wall clock
	parties map[*Party]struct{}
}

// NewClock returns a clock at real speed.
func NewClock() *Clock {
	now := time.Now()
	return &Clock{real: now, at: epoch, rate: 1, wall: now.UTC().Round(0), parties: map[*Party]struct{}{}}
}

// Now is the monotonic time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	real := time.Now()
	d := real.Sub(c.real)
	if c.rate == 1 {
		return c.at.Add(d)
	}
	t := c.at.Add(time.Duration(float64(d) * c.rate))
	if c.rate < 1 {
		return t
	}
	stands := false
	for p := range c.parties {
		if p.holds(real) && p.until.Before(t) {
			t, stands = p.until, true
		}
	}
	if stands {
		if t.Before(c.at) {
			t = c.at
		}
		c.at, c.real = t, real
	}
	return t
}

// Real says how long to sleep for a span of this clock.
func (c *Clock) Real(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.span(d)
}

func (c *Clock) span(d time.Duration) time.Duration {
	if c.rate == 1 {
		return d
	}
	d = time.Duration(float64(d) / c.rate)
	if c.rate > 1 {
		d = max(d, shortest)
	}
	return d
}

// Wall is what a battery-backed clock on the board would show.
func (c *Clock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall.Add(c.now().Sub(epoch)).Add(c.offset)
}

// SetOffset moves the wall clock against the real one.
func (c *Clock) SetOffset(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = d
}

// SetRate changes the speed. rate: above 0, at most MaxRate.
func (c *Clock) SetRate(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.real = c.now(), time.Now()
	c.rate = rate
	for p := range c.parties {
		p.until = time.Time{} // what was promised at the old speed; each party says more at its next turn
	}
}

// MaxRate is the fastest that a simulated clock may be asked to run.
const MaxRate = 3600

// Bounds of a fast clock.
const (
	shortest   = 200 * time.Microsecond // real; a shorter sleep costs more than it sleeps
	lateness   = 800 * time.Millisecond // of the clock: the most that a party is behind what it asked for; see below
	standstill = time.Second            // real: a party that is late by so much hangs, and time goes on without it
	slowTurn   = 10 * time.Millisecond  // real: parties of a slow clock take no more turns than this asks for
)

// lateness is bounded by the guard's patience: a reading is asked for every 500 ms, waits for a loop that is late and for a
// guard that is late, and may be 5 s old there (iec61851.ReadingLimit): 2 * (0.5 s + lateness) + lateness stays below.
// More of it makes higher rates possible, since a machine with other things to do is late by milliseconds of its own.

// Party is the clock in the hands of one goroutine that takes turns. What it asks Real for is what it promises: that its
// next turn is due after that span. Who wakes that goroutine
// promises in its name.
type Party struct {
	clock *Clock
	until time.Time // the clock does not pass it; zero: nothing is promised. The clock's mutex guards both
	due   time.Time // real: when the promised turn should come
}

// Party returns the clock for one more goroutine.
func (c *Clock) Party() *Party {
	p := &Party{clock: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parties[p] = struct{}{}
	return p
}

// holds reports whether the clock has to wait for p.
func (p *Party) holds(real time.Time) bool { return !p.until.IsZero() && real.Sub(p.due) < standstill }

// Now is the monotonic time.
func (p *Party) Now() time.Time { return p.clock.Now() }

// Real promises the next turn after d, and says how long to sleep until then. On a slow clock that is never longer than
// d, since its speed may change meanwhile.
func (p *Party) Real(d time.Duration) time.Duration {
	c := p.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	d = max(d, 0)
	sleep := c.span(d)
	if c.rate < 1 {
		sleep = min(sleep, max(d, slowTurn))
	}
	p.until, p.due = c.now().Add(d+lateness), time.Now().Add(sleep)
	return sleep
}

// Leave ends the party's part.
func (p *Party) Leave() {
	p.clock.mu.Lock()
	defer p.clock.mu.Unlock()
	delete(p.clock.parties, p)
}
