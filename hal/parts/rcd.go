package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
)

// Times of a self-test.
const (
	restBeforeTest = 2 * time.Second        // nothing plugged for so long
	restAfterTest  = 500 * time.Millisecond // the fault line may stay active after a test for so long
	testAgain      = time.Minute            // after one that failed or was broken off
	maxTest        = 5 * time.Second
	soonAgain      = 2 * time.Second // after one that told nothing
	maxUntold      = 5               // tests in a row that may tell nothing
)

// rcd is the fault line of a residual-current device, and the line that makes it trip.
//
//	at rest --due, nothing plugged--> under test --it trips--> after it --its line is quiet--> at rest
//	                                     |  too late: failed      |  it stays: tripped
//	                                     +--somebody plugs in-----+
type rcd struct {
	now           func() time.Time
	fault         gpio.Input
	test          gpio.Output   // nil: none
	within, every time.Duration // a test trips within; the next follows after

	phase  testPhase
	since  time.Time // the phase's start
	idle   time.Time // nothing has been plugged since; zero: something is
	due    time.Time // the next test; zero: now
	failed bool      // the newest test that was finished
	looked time.Time // last look at the fault line in a test
	untold int       // tests in a row that told nothing
}

type testPhase uint8

const (
	atRest testPhase = iota
	underTest
	afterTest
)

func (b *builder) rcd() (any, error) {
	f, err := b.need(hal.RoleRCDFault)
	if err != nil {
		return nil, err
	}
	t, err := b.one(hal.RoleRCDTest)
	if err != nil {
		return nil, err
	}
	r := &rcd{now: b.k.Now}
	if t != nil {
		r.within, r.every = time.Duration(t.A)*time.Millisecond, time.Duration(t.B)*time.Second
		if r.within <= 0 || r.within > maxTest || r.every < testAgain {
			return nil, fmt.Errorf("%s: a test each %v within %v: want one each %v or less often, within %v at the most", name(t), r.every, r.within, testAgain, maxTest)
		}
		if r.test, err = b.output(t); err != nil {
			return nil, err
		}
	}
	if r.fault, err = b.input(f, true); err != nil {
		return nil, err
	}
	return r, nil
}

// Tripped reads the fault line. What a test makes it say does not count; a test that failed does, until one has passed.
func (r *rcd) Tripped() (bool, error) {
	active, err := r.fault.Get()
	if err != nil {
		return true, err
	}
	if r.phase != atRest {
		return r.failed, nil
	}
	return active || r.failed, nil
}

// SelfTest tests when it is due and idle says that nothing is plugged in and nothing closed. It reports whether it wants to be
// called again soon. It breaks a test off when idle ends.
func (r *rcd) SelfTest(idle bool) bool {
	if r.test == nil {
		return false
	}
	now := r.now()
	if !idle {
		r.idle = time.Time{}
	} else if r.idle.IsZero() {
		r.idle = now
	}
	switch r.phase {
	case atRest:
		r.begin(now, idle)
	case underTest:
		r.watch(now, idle)
	case afterTest:
		r.settle(now)
	}
	return r.phase != atRest
}

func (r *rcd) begin(now time.Time, idle bool) {
	if !idle || now.Before(r.due) || now.Sub(r.idle) < restBeforeTest {
		return
	}
	if active, err := r.fault.Get(); active || err != nil {
		return // it has tripped by itself
	}
	r.phase, r.since, r.looked = underTest, now, now
	if r.test.Set(true) != nil {
		r.end(now, false)
	}
}

func (r *rcd) watch(now time.Time, idle bool) {
	active, err := r.fault.Get()
	late := now.Sub(r.since) > r.within
	blind := now.Sub(r.looked) > r.within/2 // it was this program that was late, then: nobody knows when it has tripped
	r.looked = now
	switch {
	case !idle:
		r.phase, r.since, r.due = afterTest, now, now.Add(testAgain)
		_ = r.test.Set(false) // settle sees to it
	case active && err == nil && !late:
		r.untold = 0
		r.end(now, true)
	case active && err == nil && blind && r.untold < maxUntold:
		r.untold++
		r.phase, r.since, r.due = afterTest, now, now.Add(soonAgain)
		_ = r.test.Set(false) // settle sees to it
	case late || err != nil:
		r.end(now, false)
	}
}

// end ends a test by its result.
func (r *rcd) end(now time.Time, passed bool) {
	r.failed = !passed
	r.due = now.Add(r.every)
	if !passed {
		r.due = now.Add(testAgain)
	}
	r.phase, r.since = afterTest, now
	_ = r.test.Set(false) // settle sees to it
}

// settle waits for a line that is quiet again. One that is not, in time, has tripped.
func (r *rcd) settle(now time.Time) {
	if r.test.Set(false) != nil {
		r.failed = true // nobody knows what it says then
		return
	}
	active, err := r.fault.Get()
	if !active && err == nil || now.Sub(r.since) > restAfterTest {
		r.phase = atRest
	}
}

// Rest ends a test that is under way.
func (r *rcd) Rest() error {
	if r.test == nil {
		return nil
	}
	if r.phase == underTest {
		r.phase, r.since, r.due = afterTest, r.now(), r.now().Add(testAgain)
	}
	return r.test.Set(false)
}
