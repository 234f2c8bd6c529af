package guard

import (
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// port is one connector at work.
type port struct {
	ref       term.Ref
	dev       hal.Devices
	tester    hal.SelfTester // dev.RCD, where it can
	machine   iec61851.Machine
	permit    term.Permit
	service   time.Time // an acknowledgement counts until
	in        iec61851.Input
	out       iec61851.Output
	driven    commands          // what the devices were told last
	sent      iec61851.Status   // what the link took last
	dirty     bool              // out.Status is not what was sent
	inherited bool              // the permit is of a station that is gone
	testing   bool              // the residual-current device tests itself
	errs      iec61851.FaultSet // devices that failed in this cycle
	late      iec61851.FaultSet // devices that refused a command in the last cycle
	board     iec61851.FaultSet // diagnosis lines, as of the last slow reading
	ailment   hal.Ailment       // why the pilot could not be read, until the fault is over
	socket    iec61851.Heat     // as told
	cable     iec61851.Heat
}

// serviceWindow is how long a fitter's acknowledgement counts: what was just repaired has to show at the wires first,
// a released contact after its travel, a diagnosis line at its next reading.
const serviceWindow = time.Second

// commands are the levels that the devices were told.
type commands struct {
	close  bool
	phases uint8
	duty   unit.Duty
}

// dutyUnknown is what a generator drives that refused its last command.
const dutyUnknown unit.Duty = -1

// take applies a command that concerns this connector.
func (p *port) take(now time.Time, c *Command) {
	switch c.Kind {
	case CommandPermit:
		if c.Permit.Ref == p.ref {
			p.permit, p.in.PermitKnown, p.inherited = c.Permit, true, false
		}
	case CommandMeter:
		if c.Ref.EVSE == p.ref.EVSE {
			p.in.Reading = iec61851.Reading{At: now.Add(-max(c.Meter.Age, 0)), Phases: c.Meter.Phases, Current: c.Meter.Current, Voltage: c.Meter.Voltage}
		}
	case CommandService:
		if covers(c.Ref, p.ref) {
			p.service = now.Add(serviceWindow)
			p.acknowledge()
		}
	}
}

// read looks at the wires. A device that fails is a cause for a fault, and its input reads as the unsafe side.
func (p *port) read(now time.Time, slow bool) {
	var err error
	p.errs = 0
	if p.in.Pilot, err = p.dev.Pilot.Sample(); err != nil {
		p.in.Pilot = hal.PilotSample{}
		p.fail(term.FaultPilot)
		p.ail(hal.AilmentOf(err))
	}
	if p.dev.Proximity != nil {
		if p.in.Proximity, err = p.dev.Proximity.Resistance(); err != nil {
			p.in.Proximity = 0
			p.fail(term.FaultProximity)
		}
	}
	if p.in.Closed, err = p.dev.Contactor.Closed(); err != nil {
		p.in.Closed = p.driven.close
		p.fail(term.FaultContactor)
	}
	if p.dev.Lock != nil {
		if p.in.Locked, err = p.dev.Lock.Locked(); err != nil {
			p.in.Locked = false
			p.fail(term.FaultConnectorLock)
		}
	}
	if p.dev.RCD != nil {
		if p.tester != nil {
			p.testing = p.tester.SelfTest(p.idle())
		}
		if p.in.Tripped, err = p.dev.RCD.Tripped(); err != nil {
			p.in.Tripped = true
		}
	}
	if p.dev.Inputs != nil {
		if p.in.EmergencyStop, err = p.dev.Inputs.EmergencyStop(); err != nil {
			p.in.EmergencyStop = true
		}
	}
	if slow {
		p.readSlow()
	}
	p.in.Causes = p.errs | p.late | p.board
}

// ail notes why the pilot cannot be read. The first reason is told, for what follows from it is no news; one that will not pass is.
func (p *port) ail(a hal.Ailment) {
	if p.ailment == hal.AilNone || a.Lasting() && !p.ailment.Lasting() {
		p.ailment = a
	}
}

func (p *port) fail(f term.Fault) { p.errs = p.errs.With(f) }

// readSlow reads what changes slowly. A thermometer that fails is as good as one that is too hot.
func (p *port) readSlow() {
	var err error
	p.board = 0
	if p.dev.Socket != nil {
		if p.in.Temperature, err = p.dev.Socket.Temperature(); err != nil {
			p.board = p.board.With(term.FaultHighTemperature)
		}
		feel(&p.socket, p.in.Temperature, err)
	}
	if p.dev.Cable != nil {
		if p.in.CableTemperature, err = p.dev.Cable.Temperature(); err != nil {
			p.board = p.board.With(term.FaultCableTemperature)
		}
		feel(&p.cable, p.in.CableTemperature, err)
	}
	if p.dev.Diagnosis == nil {
		return
	}
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		active, err := p.dev.Diagnosis.Active(f)
		if err != nil {
			p.board = p.board.With(term.FaultInternal)
		} else if active {
			p.board = p.board.With(f)
		}
	}
}

// A temperature is told in steps of heatStep, and anew once it has moved by heatTold: a thermometer that flickers is no news.
const (
	heatStep = unit.Celsius / 10
	heatTold = unit.Celsius / 2
)

// feel notes what a thermometer shows, as far as it is told.
func feel(told *iec61851.Heat, t unit.Temperature, err error) {
	t = min(max(t, -maxHeat), maxHeat) / heatStep * heatStep
	switch d := t - told.At; {
	case err != nil:
		*told = iec61851.Heat{}
	case !told.Known, d >= heatTold, d <= -heatTold:
		*told = iec61851.Heat{Known: true, At: t}
	}
}

// step runs the machine and drives the devices. It returns the machine's deadline.
func (p *port) step(now time.Time, dropped bool) time.Time {
	p.in.Permit = p.permit
	if dropped {
		p.in.Permit = term.Permit{Ref: p.ref, Lock: p.permit.Lock, Fail: p.permit.Fail}
	}
	p.in.Service = now.Before(p.service)
	p.machine.Step(now, &p.in, &p.out)
	if !p.out.Status.Faults.Has(term.FaultPilot) {
		p.ailment = hal.AilNone
	}
	p.out.Status.Ailment, p.out.Status.SocketHeat, p.out.Status.CableHeat = p.ailment, p.socket, p.cable
	p.drive()
	s := p.out.Status
	s.At, s.Seen = p.sent.At, p.sent.Seen
	p.dirty = p.dirty || s != p.sent || p.out.Status.Seen&^p.out.Status.Faults != 0
	return p.out.Deadline
}

// drive tells the devices what has changed, the contactor first when it opens and last when it closes. What a
// device refuses is told again in the next cycle, and is a cause for a fault there.
func (p *port) drive() {
	o := &p.out
	p.late = 0
	if !o.Close && p.driven.close {
		p.setContactor(false, 0)
	}
	if o.Duty != p.driven.duty {
		if p.dev.Pilot.SetDuty(o.Duty) == nil {
			p.driven.duty = o.Duty
		} else {
			p.late = p.late.With(term.FaultPilot)
		}
	}
	if o.LockPulse && p.dev.Lock.SetLocked(o.Lock) != nil {
		p.late = p.late.With(term.FaultConnectorLock)
	}
	if o.Close && (!p.driven.close || p.driven.phases != o.Phases) {
		p.setContactor(true, o.Phases)
	}
}

func (p *port) setContactor(closed bool, phases uint8) {
	if p.dev.Contactor.Set(closed, phases) != nil {
		p.late = p.late.With(term.FaultContactor)
		return
	}
	p.driven.close, p.driven.phases = closed, phases
}

// idle reports whether nothing is plugged in and nothing closed, as of the last cycle.
func (p *port) idle() bool {
	s := &p.out.Status
	return s.Pilot == term.StateA && !p.out.Close && !s.Closed && !p.driven.close
}

// rest lets go of what is driven for a moment only.
func (p *port) rest() error {
	var all error
	for _, d := range [...]any{p.dev.Lock, p.dev.RCD} {
		if r, ok := d.(hal.Rester); ok {
			all = errors.Join(all, r.Rest())
		}
	}
	return all
}

// quiet reports whether nothing can happen fast: no vehicle on the line, and the contactor known to be open.
func (p *port) quiet() bool {
	s := &p.out.Status
	return (s.Pilot == term.StateA || s.Pilot == term.StateF) && !p.out.Close && !s.Closed && !p.testing
}
