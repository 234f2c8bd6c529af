package dryrun

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// offer is what scenarios permit where the current does not matter.
const offer = 10 * unit.Ampere

// plug plugs a car with a cable of 32 A. It is that of a test bench: S2 moves when a scenario says so.
func plug(p *play) error { return plugCable(32*unit.Ampere, halsim.EVOptions{})(p) }

func plugCable(rating unit.Current, ev halsim.EVOptions) move {
	return func(p *play) error {
		return p.World(func(w *halsim.World) error {
			open := false
			return errors.Join(w.Plug(p.ref.EVSE, p.ref.Connector, halsim.PlugOptions{CableMax: rating, EV: ev}), w.HoldS2(p.ref, &open))
		})
	}
}

// pullCar pulls the car's end of the cable.
func pullCar(p *play) error { return unplugSide(halsim.SideEV)(p) }

func unplugSide(side halsim.Side) move {
	return func(p *play) error {
		return p.World(func(w *halsim.World) error {
			_, err := w.Unplug(p.ref.EVSE, p.ref.Connector, halsim.UnplugOptions{Side: side})
			return err
		})
	}
}

// s2 holds S2 of the car.
func s2(closed bool) move {
	return func(p *play) error {
		return p.World(func(w *halsim.World) error { return w.HoldS2(p.ref, &closed) })
	}
}

// breakPE breaks the earth of the cable.
func breakPE(on bool) move {
	return func(p *play) error {
		return p.World(func(w *halsim.World) error { return w.Break(p.ref, on) })
	}
}

// fault raises or clears a fault of the world at the connector.
func fault(code term.Fault, on bool) move {
	return func(p *play) error {
		return p.World(func(w *halsim.World) error {
			return w.SetFault(halsim.FaultOptions{Ref: p.ref, Code: code, Active: on})
		})
	}
}

// on does something to the board.
func on(do func(p *play) error) move { return do }

// What can hold.
func closed(p *play) bool { return p.connector().Relay }
func opened(p *play) bool { return !p.connector().Relay }

func told(p *play) bool { return p.status().Closed && p.connector().Relay }

func sees(s term.PilotState) func(*play) bool {
	return func(p *play) bool { return p.status().Pilot == s }
}

func has(f term.Fault) func(*play) bool {
	return func(p *play) bool { return p.status().Faults.Has(f) }
}

func sound(p *play) bool { return p.status().Faults == 0 }

func both(a, b func(*play) bool) func(*play) bool {
	return func(p *play) bool { return a(p) && b(p) }
}

// relay is the event of a contact that lands.
func relay(on bool) func(halsim.Event) bool {
	return func(ev halsim.Event) bool { return ev.Kind == halsim.EventRelay && ev.On == on }
}

// Limits that scenarios are held to.
const (
	limitSeen  = 500 * time.Millisecond // a vehicle is seen, with the pace of a station that has none
	limitStart = 3 * time.Second        // a controller is found, and faults of its silence are forgotten
	limitClose = 3 * time.Second        // from state C to energy (IEC 61851-1 Annex A, sequence 3)
	limitOpen  = 100 * time.Millisecond // from leaving state C to no energy (IEC 61851-1 Annex A)
	limitSlow  = time.Second            // what is read four times a second
	limitBack  = 45 * time.Second       // until a fault whose cause is gone is forgotten
)

// charge brings the connector to a flowing current.
func charge(p *play) error {
	return p.do(plug, await("state B", limitSeen, sees(term.StateB)), permit(offer), s2(true), await("contactor closes", limitClose+time.Second, told), wait(2*time.Second))
}

// opens wants the contactor to open within a limit of a cause, with a fault that the guard tells; FaultNone: with none.
func opens(cause move, limit time.Duration, code term.Fault) move {
	return func(p *play) error {
		if err := timed("contactor opens", limit, cause, opened, relay(false))(p); err != nil {
			return err
		}
		if code == term.FaultNone {
			return nil
		}
		return await("fault "+code.String(), limitSlow, func(p *play) bool { s := p.status(); return (s.Faults | s.Seen).Has(code) })(p)
	}
}

// again wants everything to be well by itself, and the car to be charged.
func again(p *play) error {
	return await("charges again", limitBack, both(sound, told))(p)
}

// faulted wants a fault within a limit, and the contactor open.
func faulted(cause move, limit time.Duration, code term.Fault) move {
	return func(p *play) error {
		return timed("fault "+code.String(), limit, cause, has(code), nil)(p)
	}
}

// remains wants the contactor to stay open for a while.
func remains(d time.Duration) move { return stays("contactor stays open", d, opened) }

// carTakes wants the car to draw what is offered, on each line that the connector has.
func carTakes(amps unit.Current) move {
	return func(p *play) error {
		if err := await("current flows", 5*time.Second, func(p *play) bool { return p.evse().Current[0] > 0 })(p); err != nil {
			return err
		}
		p.run(2 * time.Second)
		e, n := p.evse(), 0
		for _, i := range e.Current {
			if i == 0 {
				continue
			}
			n++
			if i < amps*9/10 || i > amps {
				return fmt.Errorf("the car draws %v of %v: wrong duty or frequency", i, amps)
			}
		}
		if want := int(max(p.soft.EVSE(p.ref.EVSE).Phases, 1)); n != want {
			return fmt.Errorf("current on %d lines, the board has %d", n, want)
		}
		p.note = fmt.Sprintf("%v on %d lines, duty %v", e.Current[0], n, e.Duty)
		return nil
	}
}

// dutyIs wants the wire to carry the duty of a current.
func dutyIs(amps unit.Current) func(*play) bool {
	want := iec61851.DutyForCurrent(amps)
	return func(p *play) bool {
		d := p.connector().Duty - want
		return max(d, -d) <= 50 // half a percent: a tolerance of the pilot's generator
	}
}
