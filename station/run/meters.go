package run

import (
	"context"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// readTimeout bounds one reading of a meter.
const readTimeout = 2 * time.Second

// Meters polls the meters of a station, each by a goroutine of its own: a silent meter holds up nobody else.
type Meters struct {
	pollers map[term.EVSEID]*poller
	deliver func(context.Context, term.EVSEID, hal.MeterReading)
	wg      sync.WaitGroup
}

type poller struct {
	clock Clock
	meter hal.Meter
	once  chan struct{}
	every chan time.Duration
}

// forker is a Clock that knows its goroutines apart: each poller gets one of its own.
type forker interface{ Fork() Clock }

// NewMeters returns pollers for the given meters. deliver is called from their goroutines.
func NewMeters(c Clock, meters map[term.EVSEID]hal.Meter, deliver func(context.Context, term.EVSEID, hal.MeterReading)) *Meters {
	m := &Meters{pollers: map[term.EVSEID]*poller{}, deliver: deliver}
	for id, meter := range meters {
		clock := c
		if f, ok := c.(forker); ok {
			clock = f.Fork()
		}
		m.pollers[id] = &poller{clock: clock, meter: meter, once: make(chan struct{}, 1), every: make(chan time.Duration, 1)}
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
	var every time.Duration
	for {
		wait := every
		if every == 0 {
			wait = longest
		}
		timer.Reset(p.clock.Real(wait))
		select {
		case <-ctx.Done():
			return
		case every = <-p.every:
			if every == 0 {
				continue
			}
		case <-p.once:
		case <-timer.C:
		}
		m.read(ctx, id, p.meter)
	}
}

// read delivers one reading; a meter that does not answer delivers nothing, and the core's patience runs out.
func (m *Meters) read(ctx context.Context, id term.EVSEID, meter hal.Meter) {
	one, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r, err := meter.Read(one)
	if err != nil {
		return
	}
	m.deliver(ctx, id, r)
}

// PollMeter asks for a reading now; it is part of Board and never blocks.
func (m *Meters) PollMeter(id term.EVSEID) {
	if p := m.pollers[id]; p != nil {
		select {
		case p.once <- struct{}{}:
			p.clock.Real(0) // its next turn is now
		default: // one is on its way
		}
	}
}

// MeterRate sets how often a meter is read; it is part of Board and never blocks.
func (m *Meters) MeterRate(id term.EVSEID, every time.Duration) {
	p := m.pollers[id]
	if p == nil {
		return
	}
	for {
		select {
		case p.every <- every:
			return
		default:
		}
		select {
		case <-p.every: // an older wish that was not seen yet
		default:
		}
	}
}
