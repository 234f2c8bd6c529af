package bench

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// at1 does something at the connector of an EVSE.
func (b *Bench) at1(id term.EVSEID, do func(*connector) error) error {
	return b.within(func() error {
		for _, c := range b.conns {
			if c.ref.EVSE == id {
				err := do(c)
				b.settle()
				return err
			}
		}
		return fmt.Errorf("EVSE %d: the board has none", id)
	})
}

// Contactor is one of the contactors of an EVSE.
type Contactor uint8

// Contactors; the first is main or plus, the second extra or minus.
const (
	FirstContactor Contactor = iota
	SecondContactor
)

// Weld welds a contactor where it is, or frees it. Behind a safety controller there is one for all lines.
func (b *Bench) Weld(id term.EVSEID, k Contactor, on bool) error {
	return b.relays(id, k, on, func(r *relay) { r.welded = on })
}

// Jam keeps a contactor from closing, or frees it.
func (b *Bench) Jam(id term.EVSEID, k Contactor, on bool) error {
	return b.relays(id, k, on, func(r *relay) { r.jammed = on })
}

func (b *Bench) relays(id term.EVSEID, k Contactor, on bool, do func(*relay)) error {
	return b.at1(id, func(c *connector) error {
		if c.controller != nil && k == FirstContactor {
			return b.world.SetFault(halsim.FaultOptions{Ref: c.ref, Code: term.FaultContactor, Active: on})
		}
		r := c.main
		if k == SecondContactor {
			r = c.extra
		}
		if r == nil {
			return fmt.Errorf("contactor %d of EVSE %d: the board has none", k+1, id)
		}
		do(r)
		r.plan(b.at)
		return nil
	})
}

// JamLock holds the bolt of an EVSE's lock where it is, or lets it go. Behind a safety controller it does not close.
func (b *Bench) JamLock(id term.EVSEID, on bool) error {
	return b.at1(id, func(c *connector) error {
		if c.controller != nil && c.e.Lock != nil {
			how := halsim.LockNormal
			if on {
				how = halsim.LockFailsToLock
			}
			return b.world.SetLock(id, c.ref.Connector, how)
		}
		if c.motor == nil {
			return fmt.Errorf("lock of EVSE %d: the board has none", id)
		}
		c.motor.jam(b.at, on)
		return nil
	})
}

// DeafRCD says whether the fault-current device of an EVSE ignores its test.
func (b *Bench) DeafRCD(id term.EVSEID, on bool) error {
	return b.at1(id, func(c *connector) error {
		if c.rcd == nil {
			return fmt.Errorf("fault-current device of EVSE %d: the board has none", id)
		}
		c.rcd.dead = on
		return nil
	})
}

// TestedRCD counts how often a test has made the fault-current device of an EVSE trip.
func (b *Bench) TestedRCD(id term.EVSEID) (n int, err error) {
	err = b.at1(id, func(c *connector) error {
		if c.rcd != nil {
			n = c.rcd.tests
		}
		return nil
	})
	return n, err
}

// Scope is what an oscilloscope shows of the pilot of an EVSE: duty cycle and period, which is 0 for a steady line.
func (b *Bench) Scope(id term.EVSEID) (duty unit.Duty, period time.Duration, err error) {
	err = b.at1(id, func(c *connector) error {
		for _, e := range b.world.State().EVSEs {
			if e.ID == id {
				duty = e.Connectors[0].Duty
			}
		}
		switch {
		case duty == unit.DutyHigh || duty == unit.DutyLow:
		case c.pwm == nil:
			period = time.Millisecond // a controller's own
		default:
			period = c.pwm.period
		}
		return nil
	})
	return duty, period, err
}
