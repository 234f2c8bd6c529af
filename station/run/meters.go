package run

import (
	"context"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// readTimeout bounds one reading of a meter.
const readTimeout = 2 * time.Second

// Meters polls the meters of a station, each by a goroutine of its own: a silent meter holds up nobody else.
type Meters struct {
	pollers map[term.EVSEID]*poller
	deliver func(context.Context, term.EVSEID, hal.MeterReading)
	tell    func(context.Context, station.Event)
	wg      sync.WaitGroup
}

type poller struct {
	clock Clock
	meter hal.Meter
	once  chan struct{}
	every chan time.Duration
	again chan struct{} // sleep anew
	sign  chan station.Command
	wake  sync.Mutex // held by who wakes the poller until its clock knows

	keyAsked time.Time // of its own goroutine alone
	keyKnown bool
}

// forker is a Clock that knows its goroutines apart: each poller gets one of its own.
type forker interface{ Fork() Clock }

// waker is a Clock that waits for its goroutine: it has to know when somebody gives that something to do.
type waker interface{ Wake() }

func woken(c Clock) {
	if w, ok := c.(waker); ok {
		w.Wake()
	}
}

// NewMeters returns pollers for the given meters. deliver takes their readings, tell what they signed; both are called from the
// pollers' goroutines.
func NewMeters(c Clock, meters map[term.EVSEID]hal.Meter, deliver func(context.Context, term.EVSEID, hal.MeterReading), tell func(context.Context, station.Event)) *Meters {
	m := &Meters{pollers: map[term.EVSEID]*poller{}, deliver: deliver, tell: tell}
	for id, meter := range meters {
		clock := c
		if f, ok := c.(forker); ok {
			clock = f.Fork()
		}
		m.pollers[id] = &poller{clock: clock, meter: meter, once: make(chan struct{}, 1), every: make(chan time.Duration, 1), again: make(chan struct{}, 1),
			sign: make(chan station.Command, maxSign)}
	}
	return m
}

// Run polls until ctx ends and every poller has ended.
func (m *Meters) Run(ctx context.Context) {
	for id, p := range m.pollers {
		m.wg.Go(func() { m.run(ctx, id, p) })
	}
	m.wg.Wait()
}

func (m *Meters) run(ctx context.Context, id term.EVSEID, p *poller) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	every := longest // only when asked
	due := p.clock.Now().Add(every)
	for {
		timer.Reset(p.sleep(due.Sub(p.clock.Now())))
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-p.again:
		case <-timer.C:
		case c := <-p.sign:
			m.carryOut(ctx, p, c)
			continue
		case <-p.once:
			asked = true
		case every = <-p.every:
			asked = every > 0
			if every == 0 {
				every = longest
			}
			due = p.clock.Now().Add(every)
		}
		now := p.clock.Now()
		if !asked && now.Before(due) {
			continue // a new rate, or simulated time that stood still: nothing is owed yet
		}
		due = now.Add(every)
		if m.read(ctx, id, p.meter) {
			m.askKey(ctx, id, p)
		}
	}
}

// sleep promises the poller's next turn after d, or at once if it was woken meanwhile.
func (p *poller) sleep(d time.Duration) time.Duration {
	p.wake.Lock()
	defer p.wake.Unlock()
	if len(p.once)+len(p.every)+len(p.again)+len(p.sign) > 0 {
		d = 0
	}
	return p.clock.Real(d)
}

// read delivers one reading; a meter that does not answer delivers nothing, and the core's patience runs out.
func (m *Meters) read(ctx context.Context, id term.EVSEID, meter hal.Meter) bool {
	one, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r, err := meter.Read(one)
	if err != nil {
		return false
	}
	m.deliver(ctx, id, r)
	return true
}

// PollMeter asks for a reading now; it is part of Board and never blocks.
func (m *Meters) PollMeter(id term.EVSEID) {
	p := m.pollers[id]
	if p == nil {
		return
	}
	p.wake.Lock()
	defer p.wake.Unlock()
	select {
	case p.once <- struct{}{}:
		woken(p.clock)
	default: // one is on its way
	}
}

// Wake lets every poller look at its clock: its speed has changed.
func (m *Meters) Wake() {
	for _, p := range m.pollers {
		select {
		case p.again <- struct{}{}:
		default:
		}
	}
}

// MeterRate sets how often a meter is read, beginning with a reading at once; it is part of Board and never blocks.
func (m *Meters) MeterRate(id term.EVSEID, every time.Duration) {
	p := m.pollers[id]
	if p == nil {
		return
	}
	p.wake.Lock()
	defer p.wake.Unlock()
	select {
	case <-p.every: // an older wish that was not seen yet
	default:
	}
	p.every <- every // there is room: only who holds the lock sends
	woken(p.clock)
}
