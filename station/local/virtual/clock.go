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
	looked  time.Time // real: when the clock was read last

	late func(*Party) // lets a turn wait, as a busy machine does; nil but in tests
}

// NewClock returns a clock at real speed.
func NewClock() *Clock {
	now := time.Now()
	return &Clock{real: now, looked: now, at: epoch, rate: 1, wall: now.UTC().Round(0), parties: map[*Party]struct{}{}}
}

// Now is the monotonic time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	real := time.Now()
	seen := min(real.Sub(c.looked), glance)
	c.looked = real
	d := real.Sub(c.real)
	if c.rate == 1 {
		return c.at.Add(d)
	}
	t := c.at.Add(time.Duration(float64(d) * c.rate))
	if c.rate < 1 {
		return t
	}
	stands, wish := false, t
	for p := range c.parties {
		if p.until.IsZero() || !p.until.Before(wish) {
			continue
		}
		if p.held += seen; p.held < standstill && p.until.Before(t) {
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

// SetRate changes the speed. rate: above 0, at most MaxRate. Who sleeps for long at the old speed has to be woken: a
// faster clock waits for it.
func (c *Clock) SetRate(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.real = c.now(), time.Now()
	c.rate = rate
	for p := range c.parties {
		p.held = 0 // whoever sleeps at the old speed is waited for
	}
}

// MaxRate is the fastest that a simulated clock may be asked to run.
const MaxRate = 3600

// Bounds of a fast clock.
const (
	shortest   = 200 * time.Microsecond // real; a shorter sleep costs more than it sleeps
	lateness   = 600 * time.Millisecond // of the clock: the most that a party is behind what it asked for; see below
	standstill = 10 * time.Second       // real: a party that was waited for so long hangs, and time goes on without it
	glance     = 100 * time.Millisecond // real: the most that one look at the clock counts as waiting; see Party.held
	slowTurn   = 10 * time.Millisecond  // real: parties of a slow clock take no more turns than this asks for
)

// lateness is bounded by the guard's patience: when a contactor closes, a reading is due within 5 s
// (iec61851.ReadingLimit). That is a turn of the guard, which tells it, of the loop, of the poller and of the loop again,
// each of which may be late twice: at the end of the turn before, and with this one. More of it makes higher rates
// possible, since a machine with other things to do is late by milliseconds of its own.

// Party is the clock in the hands of one goroutine that takes turns. What it asks Real for is what it promises: that its
// next turn is due after that span. Who gives that goroutine
// something to do earlier calls Wake.
type Party struct {
	clock *Clock
	until time.Time // the clock does not pass it; zero: nothing is promised. The clock's mutex guards both

	// held is how long the clock was seen to stand still for this turn. It grows only while somebody looks: where the
	// whole process gets no turn, as on a machine that is suspended, nobody is late.
	held time.Duration
}

// Party returns the clock for one more goroutine.
func (c *Clock) Party() *Party {
	p := &Party{clock: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parties[p] = struct{}{}
	return p
}

// Now is the monotonic time.
func (p *Party) Now() time.Time {
	if p.clock.late != nil {
		p.clock.late(p)
	}
	return p.clock.Now()
}

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
	p.until, p.held = c.now().Add(d+lateness), 0
	return sleep
}

// Wake promises the next turn for now, in the name of a goroutine that was given something to do. A turn that is due
// already becomes no later by it.
func (p *Party) Wake() {
	c := p.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := c.now().Add(lateness); p.until.IsZero() || until.Before(p.until) {
		p.until = until
	}
}

// Leave ends the party's part.
func (p *Party) Leave() {
	p.clock.mu.Lock()
	defer p.clock.mu.Unlock()
	delete(p.clock.parties, p)
}
