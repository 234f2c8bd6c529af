package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// Default times of a Config.
const (
	DefaultSilence     = 10 * time.Second
	DefaultPollIdle    = 50 * time.Millisecond
	DefaultPollPlugged = 5 * time.Millisecond
)

// slowPoll is how often what changes slowly is read: thermometers and diagnosis lines.
const slowPoll = 250 * time.Millisecond

// MaxConnectors bounds one guard: a cycle has to end well within DefaultPollPlugged.
const MaxConnectors = 64

// maxCommands bounds the frames that one cycle takes, so that a flooding link cannot hold it up.
const maxCommands = 4*MaxConnectors + 1

// Connector is one connector: what it is and the devices it has.
type Connector struct {
	iec61851.Config
	hal.Devices
}

// Config describes what the guard owns.
type Config struct {
	Connectors  []Connector
	Watchdog    hal.Watchdog                      // nil: none
	Clock       func() time.Time                  // monotonic; only Run and Settle ask it
	Real        func(time.Duration) time.Duration // how long Run sleeps for a span of Clock, where simulated time runs at another speed; nil: as long
	Silence     time.Duration                     // without heartbeat for this long the permits are dropped; 0: DefaultSilence
	Hold        time.Duration                     // hold the permits for this much longer after Silence; 0: drop them at once
	PollIdle    time.Duration                     // cycle while no vehicle is connected; 0: DefaultPollIdle
	PollPlugged time.Duration                     // cycle otherwise; 0: DefaultPollPlugged. A machine's deadline always comes first
}

// Guard drives the connectors. One goroutine calls it: either Run, or whoever calls Cycle.
type Guard struct {
	cfg       Config
	link      Link
	ports     []port
	heard     time.Time // last heartbeat
	forget    time.Time // permits of a station that is gone count until then; zero: none are
	moved     bool      // the station has moved since the watchdog was petted
	slow      time.Time // next reading of what changes slowly
	nextCycle time.Time
	frame     Command // the one being received; here, since what goes through an interface would be allocated
}

// New takes the devices and asserts the safe state at once, whatever is wrong with cfg. Its error says what is missing
// there; a device that fails is none: it is told again in every cycle, and is a fault of its connector alone.
func New(cfg Config, link Link) (*Guard, error) {
	g := &Guard{cfg: cfg, link: link, ports: make([]port, len(cfg.Connectors))}
	for i := range cfg.Connectors {
		g.ports[i] = port{dev: cfg.Connectors[i].Devices, machine: iec61851.New(cfg.Connectors[i].Config), ref: cfg.Connectors[i].Ref}
		g.ports[i].tester, _ = cfg.Connectors[i].RCD.(hal.SelfTester) // once: asking allocates
	}
	g.cfg.Hold = max(g.cfg.Hold, 0)
	if g.cfg.Real == nil {
		g.cfg.Real = func(d time.Duration) time.Duration { return d }
	}
	setDefault(&g.cfg.Silence, DefaultSilence)
	setDefault(&g.cfg.PollIdle, DefaultPollIdle)
	setDefault(&g.cfg.PollPlugged, DefaultPollPlugged)
	_ = g.Stop()
	if err := g.check(); err != nil {
		return nil, err
	}
	return g, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// check refuses what cannot be guarded.
func (g *Guard) check() error {
	if len(g.ports) > MaxConnectors {
		return fmt.Errorf("guard %d connectors: at most %d", len(g.ports), MaxConnectors)
	}
	for i := range g.ports {
		p, c := &g.ports[i], &g.cfg.Connectors[i].Config
		switch {
		case p.dev.Pilot == nil || p.dev.Contactor == nil:
			return fmt.Errorf("guard connector %v: no pilot or no contactor", p.ref)
		case !c.Tethered && p.dev.Proximity == nil:
			return fmt.Errorf("guard connector %v: a socket needs a proximity input", p.ref)
		case c.HasLock && p.dev.Lock == nil:
			return fmt.Errorf("guard connector %v: no lock", p.ref)
		case c.Phases != 1 && c.Phases != 3:
			return fmt.Errorf("guard connector %v: %d phases", p.ref, c.Phases)
		case c.MaxCurrent < iec61851.MinimumOffer:
			return fmt.Errorf("guard connector %v: %v is less than a pilot can offer", p.ref, c.MaxCurrent)
		}
	}
	return nil
}

// Stop opens every contactor, ends every offer, and lets go of what is driven for a moment only. Locks stay as they are: a plug
// under load must not come loose.
func (g *Guard) Stop() error {
	var all error
	for i := range g.ports {
		p := &g.ports[i]
		p.driven = commands{duty: unit.DutyHigh}
		if p.dev.Contactor != nil {
			if err := p.dev.Contactor.Set(false, 0); err != nil {
				p.driven.close = true // as far as we know: the next cycle tries again
				all = errors.Join(all, fmt.Errorf("open connector %v: %w", p.ref, err))
			}
		}
		if p.dev.Pilot != nil {
			if err := p.dev.Pilot.SetDuty(unit.DutyHigh); err != nil {
				p.driven.duty = dutyUnknown
				all = errors.Join(all, fmt.Errorf("end offer of connector %v: %w", p.ref, err))
			}
		}
		if err := p.rest(); err != nil {
			all = errors.Join(all, fmt.Errorf("let motor and test line of connector %v go: %w", p.ref, err))
		}
	}
	return all
}

// Run cycles until ctx ends, then opens everything. It returns the error of that opening. A panic, which is a bug of
// ours or of a device's driver, opens everything too and comes back as an error: who runs the guard lets the watchdog
// decide.
func (g *Guard) Run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(fmt.Errorf("guard: panic: %v", r), g.Stop())
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return g.Stop()
		case <-timer.C:
			timer.Reset(g.cfg.Real(g.Cycle(g.cfg.Clock())))
		}
	}
}

// Cycle looks at everything once and returns after how long it wants to be called again at the latest.
func (g *Guard) Cycle(now time.Time) time.Duration {
	if g.heard.IsZero() {
		g.heard = now
	}
	g.receive(now)
	g.forgetLost(now)
	dropped := now.Sub(g.heard) >= g.cfg.Silence+g.cfg.Hold
	slow := !now.Before(g.slow)
	if slow {
		g.slow = now.Add(slowPoll)
	}
	g.nextCycle = now.Add(g.cfg.PollIdle)
	for i := range g.ports {
		p := &g.ports[i]
		p.read(now, slow)
		p.in.Interlock = g.interlock(i)
		deadline := p.step(now, dropped)
		if !p.quiet() {
			g.wake(now.Add(g.cfg.PollPlugged))
		}
		if !deadline.IsZero() {
			g.wake(deadline)
		}
	}
	g.send()
	g.pet()
	return max(g.nextCycle.Sub(now), time.Millisecond)
}

// Lost says that the station is gone for certain: its silence counts as long enough, and only Hold is left of what it
// has permitted. A station that comes back has to permit anew.
func (g *Guard) Lost(now time.Time) {
	if silent := now.Add(-g.cfg.Silence); g.heard.IsZero() || silent.Before(g.heard) {
		g.heard = silent
	}
	g.forget = g.heard.Add(g.cfg.Silence + g.cfg.Hold)
	for i := range g.ports {
		g.ports[i].inherited = true
	}
}

// Found says that a station is there which may know nothing: it is told everything.
func (g *Guard) Found() {
	for i := range g.ports {
		g.ports[i].dirty = true
	}
}

// Assure says a status again in the next cycle, so that the station hears that the guard moves.
func (g *Guard) Assure() {
	if len(g.ports) > 0 {
		g.ports[0].dirty = true
	}
}

// forgetLost ends the permits of a station that is gone, once they have been held for long enough.
func (g *Guard) forgetLost(now time.Time) {
	if g.forget.IsZero() || now.Before(g.forget) {
		return
	}
	g.forget = time.Time{}
	for i := range g.ports {
		if p := &g.ports[i]; p.inherited {
			p.permit.Close, p.permit.Max, p.inherited = false, 0, false
		}
	}
}

func (g *Guard) wake(t time.Time) {
	if t.Before(g.nextCycle) {
		g.nextCycle = t
	}
}

// interlock reports whether another connector of the same EVSE is live or about to be: of one EVSE only one connector
// supplies at a time (OCPP 2.0.1 part 1, 3-tier model).
func (g *Guard) interlock(i int) bool {
	for j := range g.ports {
		o := &g.ports[j]
		if j != i && o.ref.EVSE == g.ports[i].ref.EVSE && (o.driven.close || o.out.Status.Closed) {
			return true
		}
	}
	return false
}

// receive takes the waiting commands.
func (g *Guard) receive(now time.Time) {
	c := &g.frame
	for n := 0; n < maxCommands && g.link.Receive(c); n++ {
		if c.Kind == CommandHeartbeat {
			g.heard, g.moved = now, true
			continue
		}
		for i := range g.ports {
			g.ports[i].take(now, c)
		}
	}
}

// send passes on each status that has changed; one that finds no room is offered again, newer, in the next cycle.
func (g *Guard) send() {
	for i := range g.ports {
		p := &g.ports[i]
		if p.dirty && g.link.Send(&p.out.Status) {
			p.dirty = false
			p.sent = p.out.Status
			p.machine.Passed()
		}
	}
}

// pet keeps the board alive, but only while both the guard and the station's loop move.
func (g *Guard) pet() {
	if g.cfg.Watchdog == nil || !g.moved {
		return
	}
	if g.cfg.Watchdog.Pet() == nil {
		g.moved = false
	}
}
