package virtual

import (
	"sync"
	"time"
)

// epoch is where monotonic time begins in every process: a date that no wall clock is mistaken for.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Clock is monotonic time that may run faster or slower than the real one, and the wall time that the station has when it
// starts.
type Clock struct {
	mu     sync.Mutex // everything below
	real   time.Time  // instant of the last change of rate
	at     time.Time  // monotonic time at that instant
	rate   float64
	wall   time.Time     // wall time at epoch
	offset time.Duration // by which a simulation moved the wall clock
}

// NewClock returns a clock at real speed.
func NewClock() *Clock {
	now := time.Now()
	return &Clock{real: now, at: epoch, rate: 1, wall: now.UTC().Round(0)}
}

// Now is the monotonic time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	d := time.Since(c.real)
	if c.rate != 1 {
		d = time.Duration(float64(d) * c.rate)
	}
	return c.at.Add(d)
}

// Real says how long to sleep for a span of this clock.
func (c *Clock) Real(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rate == 1 {
		return d
	}
	return time.Duration(float64(d) / c.rate)
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
}

// MaxRate is the fastest that a simulated clock may run: faster, and the guard's cycle of a few milliseconds would be
// minutes of the world.
const MaxRate = 3600
