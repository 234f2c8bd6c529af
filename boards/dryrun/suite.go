package dryrun

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// scenario is a row of the suite: what has to happen at an EVSE.
type scenario struct {
	name  string
	needs func(*boards.EVSE) bool // nil: every EVSE has it
	play  move
}

// sequence makes one move of several.
func sequence(moves ...move) move {
	return func(p *play) error { return p.do(moves...) }
}

// pilotSuite are the states of the pilot and the times that belong to them.
var pilotSuite = []scenario{
	{"A: nothing plugged", nil, sequence(await("state A", limitSeen, sees(term.StateA)), await("sound", limitStart, sound), stays("sound and open", 2*time.Second, both(sound, opened)))},
	{"A -> B", nil, sequence(wait(time.Second), timed("state B", limitSeen, plug, sees(term.StateB), nil))},
	{"B: offer on the wire", nil, sequence(plug, await("state B", limitSeen, sees(term.StateB)),
		timed("duty", limitClose, permit(offer), dutyIs(offer), nil), stays("duty stands", time.Second, dutyIs(offer)))},
	{"B -> C: contactor closes", nil, sequence(plug, permit(offer), wait(3*time.Second), timed("contactor closes", limitClose, s2(true), closed, relay(true)),
		await("guard sees it", limitSeen, told))},
	{"C: car charges", nil, sequence(charge, carTakes(offer))},
	{"C: less is offered at once", nil, sequence(charge, timed("duty", limitSeen, permit(6*unit.Ampere), dutyIs(6*unit.Ampere), nil))},
	{"C -> B: contactor opens", nil, sequence(charge, opens(s2(false), limitOpen, term.FaultNone), await("state B", limitSeen, sees(term.StateB)))},
	{"C -> B -> C: closes again", nil, sequence(charge, s2(false), wait(3*time.Second), timed("contactor closes", limitClose, s2(true), told, relay(true)))},
	{"C -> A: cable pulled from the car", nil, sequence(charge, opens(pullCar, limitOpen, term.FaultNone), await("state A", limitSeen, sees(term.StateA)))},
	{"permit withdrawn", nil, sequence(charge, timed("contactor opens", iec61851.OffLimit+limitSeen, permit(0), opened, relay(false)))},
	{"C pulse of 200 ms is seen", nil, sequence(plug, await("state B", limitSeen, sees(term.StateB)), s2(true), wait(200*time.Millisecond), s2(false), wait(time.Second), sawC)},
	{"D: ventilation", ventilated, sequence(plugVented, permit(offer), wait(2*time.Second), timed("contactor closes", limitClose, s2(true), told, relay(true)))},
	{"D: refused without ventilation", not(ventilated), sequence(plugVented, permit(offer), wait(2*time.Second), s2(true), await("state D", limitSeen, sees(term.StateD)), remains(4*time.Second))},
	{"E: pilot short to earth", nil, sequence(charge, opens(fault(term.FaultPilot, true), limitOpen, term.FaultPilot), fault(term.FaultPilot, false), again)},
	{"F: out of service is shown", nil, sequence(plug, wait(time.Second), showF, await("line held low", limitSeen, func(p *play) bool { return p.connector().Pilot == term.StateF }), stays("no fault of it", time.Second, sound))},
	{"diode shorted", nil, sequence(charge, opens(fault(term.FaultDiode, true), limitOpen, term.FaultDiode), fault(term.FaultDiode, false), again)},
	{"PE broken", nil, sequence(charge, opens(breakPE(true), limitOpen, term.FaultNone), breakPE(false), again)},
}

// cableSuite are the proximity circuit and the lock.
var cableSuite = []scenario{
	{"PP 1500 Ohm is 13 A", socket, code(13 * unit.Ampere)},
	{"PP 680 Ohm is 20 A", socket, code(20 * unit.Ampere)},
	{"PP 220 Ohm is 32 A", socket, code(32 * unit.Ampere)},
	{"PP 100 Ohm is 63 A", socket, code(63 * unit.Ampere)},
	{"PP open: no cable", socket, sequence(wait(time.Second), absent, plug, wait(time.Second), unplugSide(halsim.SideBoth), timed("cable gone", limitSeen, wait(0), absentNow, nil))},
	{"PP shorted while charging", socket, sequence(charge, opens(fault(term.FaultProximity, true), 2*limitOpen, term.FaultProximity), fault(term.FaultProximity, false), again)},
	{"offer stays below the cable", socket, sequence(plugCable(13*unit.Ampere, halsim.EVOptions{}), permit(32*unit.Ampere), s2(true), await("contactor closes", limitClose+time.Second, told), wait(6*time.Second), cableKept)},
	{"lock closes with its first pulse", locks, sequence(plug, wait(time.Second), timed("bolt closes", iec61851.LockTravel, permit(offer), func(p *play) bool { return p.connector().Locked }, nil))},
	{"lock holds before energy flows", locks, sequence(plug, permit(offer), s2(true), await("contactor closes", limitClose+2*time.Second, closed), lockedNow)},
	{"lock opens after the end", locks, sequence(charge, timed("bolt opens", 8*time.Second, permit(0), func(p *play) bool { return !p.connector().Locked }, nil), unplugSide(halsim.SideBoth))},
	{"lock does not close", locks, sequence(on(func(p *play) error { return p.JamLock(p.ref.EVSE, true) }), plug, s2(true), faulted(permit(offer), 5*time.Second, term.FaultConnectorLock), remains(2*time.Second))},
	{"lock sensor stuck at open", sensedLock, sequence(on(func(p *play) error { return stick(p, p.e.Lock.Sense, false) }), plug, s2(true), faulted(permit(offer), 5*time.Second, term.FaultConnectorLock), remains(2*time.Second))},
}

// supplySuite are contactors and what has to open them.
var supplySuite = []scenario{
	{"main contactor welded", relays, weld(bench.FirstContactor)},
	{"extra contactor welded", extra, weld(bench.SecondContactor)},
	{"main contactor does not close", relays, jam(bench.FirstContactor)},
	{"extra contactor does not close", extra, jam(bench.SecondContactor)},
	{"main feedback stuck at open", sensed, sequence(charge, opens(on(func(p *play) error { return stickSense(p, first, false) }), limitSlow, term.FaultContactor))},
	{"main feedback stuck at closed", sensed, sequence(wait(time.Second), faulted(on(func(p *play) error { return stickSense(p, first, true) }), limitSlow, term.FaultContactor), plug, permit(offer), s2(true), remains(4*time.Second))},
	{"extra feedback stuck at open", sensedExtra, sequence(charge, opens(on(func(p *play) error { return stickSense(p, second, false) }), limitSlow, term.FaultContactor))},
	{"extra feedback stuck at closed", sensedExtra, sequence(wait(time.Second), faulted(on(func(p *play) error { return stickSense(p, second, true) }), limitSlow, term.FaultContactor), plug, permit(offer), s2(true), remains(4*time.Second))},
	{"RCD trips", fi, sequence(charge, opens(fault(term.FaultGround, true), limitOpen, term.FaultGround), fault(term.FaultGround, false), again)},
	{"RCD self-test", testedRCD, sequence(wait(5*time.Second), rcdTested, stays("sound", time.Second, sound))},
	{"RCD does not obey its test", testedRCD, sequence(on(func(p *play) error { return p.DeafRCD(p.ref.EVSE, true) }), faulted(wait(0), 10*time.Second, term.FaultGround), plug, permit(offer), s2(true), remains(4*time.Second))},
	{"RCD contact broken off", wiredRCD, sequence(charge, opens(on(func(p *play) error { return p.Cut(p.e.RCD.Fault.Name) }), limitOpen, term.FaultGround))},
	{"over-temperature", felt, sequence(charge, opens(heat(15*unit.Celsius), limitSlow, term.FaultNone), tooHot, on(cool), again)},
	{"thermometer lost", hot, sequence(charge, opens(on(func(p *play) error { return p.Unplug(thermometerOf(firstHot(p))) }), limitSlow, term.FaultNone), tooHot)},
	{"meter silent while charging", stopsOnSilence, sequence(charge, opens(on(func(p *play) error { p.meters = false; return nil }), iec61851.ReadingLimit+limitSlow, term.FaultMeter), on(func(p *play) error { p.meters = true; return nil }), again)},
	{"pilot converter frozen", watched, frozen},
	{"pilot converter lost", detector, sequence(charge, opens(on(func(p *play) error { return p.Unplug(p.e.Pilot.High.Name) }), limitOpen, term.FaultPilot), on(func(p *play) error { return p.Thaw(p.e.Pilot.High.Name) }), again)},
	{"comparator contradicts the others", compared, sequence(charge, opens(on(func(p *play) error { return stick(p, comparator(p, 10500), true) }), limitOpen, term.FaultPilot), on(func(p *play) error { return p.Mend(comparator(p, 10500).Name) }), again)},
	{"comparator of the diode broken off", compared, sequence(charge, opens(on(func(p *play) error { return stick(p, comparator(p, -10500), false) }), limitOpen, term.FaultDiode), on(func(p *play) error { return p.Mend(comparator(p, -10500).Name) }), again)},
	{"comparator stuck", compared, sequence(charge, opens(on(func(p *play) error { return stick(p, comparator(p, 7500), true) }), limitOpen, term.FaultNone), remains(3*time.Second), on(func(p *play) error { return p.Mend(comparator(p, 7500).Name) }), again)},
	{"controller silent", controlled, sequence(charge, opens(on(func(p *play) error { return p.Silence(p.e.MCU, true) }), limitOpen, term.FaultNone), trouble, on(func(p *play) error { return p.Silence(p.e.MCU, false) }), again)},
	{"controller's line unplugged", controlled, sequence(charge, opens(on(func(p *play) error { return p.Pull(p.e.MCU, true) }), limitSlow, term.FaultNone), trouble, on(func(p *play) error { return p.Pull(p.e.MCU, false) }), again)},
	{"controller's line disturbed", controlled, sequence(charge, opens(on(func(p *play) error { return p.Garble(p.e.MCU, true) }), limitSlow, term.FaultNone), trouble, on(func(p *play) error { return p.Garble(p.e.MCU, false) }), again)},
	{"agent silent", nil, sequence(charge, opens(on(func(p *play) error { p.silent = true; return nil }), silenceOf+limitSlow, term.FaultNone), on(func(p *play) error { p.silent = false; return nil }), await("charges again", limitBack, told))},
	{"power cut and back", nil, sequence(charge, opens(on(func(p *play) error { return p.Power(false) }), limitOpen, term.FaultNone), on(back), stays("nothing closes by itself", 3*time.Second, opened), permit(offer), await("charges again", limitBack, told))},
}

const silenceOf = 10*time.Second + iec61851.OffLimit // guard.DefaultSilence, and the end of an offer

// Which EVSEs a scenario is for.
func not(f func(*boards.EVSE) bool) func(*boards.EVSE) bool {
	return func(e *boards.EVSE) bool { return !f(e) }
}
func ventilated(e *boards.EVSE) bool { return e.Connector.Ventilated }
func socket(e *boards.EVSE) bool     { return !e.Connector.Tethered }
func locks(e *boards.EVSE) bool      { return e.Lock != nil }
func sensedLock(e *boards.EVSE) bool { return e.Lock != nil && e.Lock.Sense != nil }
func relays(e *boards.EVSE) bool     { return !e.Contactors.MCU && !alone(e) }
func extra(e *boards.EVSE) bool {
	return second(e) != nil && (alone(e) || e.Phases != 1 && e.Contactors.Wiring != hal.WiringMutual)
}
func alone(e *boards.EVSE) bool       { return e.Contactors.Wiring == hal.WiringMutual && e.Phases == 1 } // the extra one closes in place of the main one
func sensed(e *boards.EVSE) bool      { return relays(e) && first(e).Sense != nil }
func sensedExtra(e *boards.EVSE) bool { return extra(e) && second(e).Sense != nil }
func fi(e *boards.EVSE) bool          { return e.RCD != nil }
func wiredRCD(e *boards.EVSE) bool    { return e.RCD != nil && !e.RCD.MCU }
func felt(e *boards.EVSE) bool        { return len(e.Temperatures) > 0 }
func hot(e *boards.EVSE) bool         { return felt(e) && !e.Temperatures[0].MCU }
func testedRCD(e *boards.EVSE) bool   { return wiredRCD(e) && e.RCD.Test != nil }
func detector(e *boards.EVSE) bool    { return e.Pilot.High != nil }
func compared(e *boards.EVSE) bool    { return e.Pilot.Comparators != nil }
func controlled(e *boards.EVSE) bool  { return e.MCU != "" }
func watched(e *boards.EVSE) bool     { return detector(e) && e.Pilot.Frozen > 0 }
func stopsOnSilence(e *boards.EVSE) bool {
	return e.Meter != nil && e.Meter.Stop
}

// first and second are the contactors of an EVSE.
func first(e *boards.EVSE) *boards.Switch {
	if e.Contactors.Main != nil {
		return e.Contactors.Main
	}
	return e.Contactors.Plus
}

func second(e *boards.EVSE) *boards.Switch {
	if e.Contactors.Extra != nil {
		return e.Contactors.Extra
	}
	return e.Contactors.Minus
}

// plugVented plugs a car that asks for ventilation.
func plugVented(p *play) error {
	yes := true
	return plugCable(32*unit.Ampere, halsim.EVOptions{Ventilation: &yes})(p)
}

func sawC(p *play) error {
	if !p.seen[term.StateC] {
		return fmt.Errorf("the guard has seen no state C (%s)", p.picture())
	}
	return nil
}

func showF(p *play) error {
	p.pipe.Permit(term.Permit{Ref: p.ref, Fail: true})
	return nil
}

// code wants a cable's rating to be read.
func code(rating unit.Current) move {
	return func(p *play) error {
		return p.do(wait(time.Second), timed("rating", limitSeen, plugCable(rating, halsim.EVOptions{}), func(p *play) bool {
			s := p.status()
			return s.Cable == iec61851.CablePresent && (s.Rating == rating || s.Rating == 70*unit.Ampere && rating == 63*unit.Ampere)
		}, nil))
	}
}

func absentNow(p *play) bool { return p.status().Cable == iec61851.CableAbsent }

func absent(p *play) error { return await("no cable", limitSeen, absentNow)(p) }

// cableKept wants the offer to be no more than the cable may carry.
func cableKept(p *play) error {
	if d := p.connector().Duty; d > iec61851.DutyForCurrent(13*unit.Ampere)+50 {
		return fmt.Errorf("duty %v offers more than 13 A, which the cable may carry", d)
	}
	p.note = fmt.Sprintf("duty %v", p.connector().Duty)
	return nil
}

func lockedNow(p *play) error {
	if !p.connector().Locked {
		return fmt.Errorf("the contactor is closed, and the bolt is open (%s)", p.picture())
	}
	return nil
}

// stick holds an input so that its signal is there, or not, as the board has its polarity.
func stick(p *play, l *boards.Line, active bool) error { return p.Stick(l.Name, active != l.ActiveLow) }

// comparator is the line of the comparator nearest to a level.
func comparator(p *play, level unit.Voltage) (nearest *boards.Line) {
	least := unit.Voltage(1 << 30)
	for i := range p.e.Pilot.Comparators {
		k := &p.e.Pilot.Comparators[i]
		if d := max(k.Level-level, level-k.Level); d < least {
			least, nearest = d, &k.Line
		}
	}
	return nearest
}

// stickSense holds a mirror contact's line where it says closed, or open.
func stickSense(p *play, of func(*boards.EVSE) *boards.Switch, closed bool) error {
	s := of(p.e)
	return stick(p, s.Sense, closed != s.NormallyClosed)
}

// weld wants a contactor that stays closed to be told, to stay out of service, and to be back after a fitter was there.
func weld(k bench.Contactor) move {
	return func(p *play) error {
		return p.do(charge, on(func(p *play) error { return p.Weld(p.ref.EVSE, k, true) }),
			faulted(s2(false), iec61851.OpenLimit+2*limitOpen, term.FaultContactor),
			await("state F is shown", limitSeen, func(p *play) bool { return p.connector().Duty == unit.DutyLow }),
			pullCar, stays("out of service", 3*time.Second, has(term.FaultContactor)),
			on(func(p *play) error { return p.Weld(p.ref.EVSE, k, false) }), wait(time.Second),
			on(func(p *play) error { p.pipe.Service(p.ref); return nil }), await("well again", limitBack, sound))
	}
}

// jam wants a contactor that does not close to be told.
func jam(k bench.Contactor) move {
	return func(p *play) error {
		return p.do(on(func(p *play) error { return p.Jam(p.ref.EVSE, k, true) }), plug, permit(offer), wait(3*time.Second),
			faulted(s2(true), limitClose, term.FaultContactor), await("contactor opens", limitSlow, opened))
	}
}

func firstHot(p *play) *boards.Temperature { return &p.e.Temperatures[0] }

// thermometerOf is what the kernel calls it.
func thermometerOf(t *boards.Temperature) string {
	if t.ADC != nil {
		return t.ADC.Name
	}
	return t.Kernel
}

// heat heats the first place that is measured beyond its last step.
func heat(more unit.Temperature) move {
	return func(p *play) error {
		t := firstHot(p)
		limit := 90 * unit.Celsius
		if n := len(t.Derate); n > 0 {
			limit = t.Derate[n-1].At
		}
		return p.Heat(p.ref.EVSE, t.ID, limit+more)
	}
}

func cool(p *play) error { return p.Cool(p.ref.EVSE, firstHot(p).ID) }

func tooHot(p *play) error {
	return await("fault of heat", limitSlow, func(p *play) bool {
		s := p.status()
		return (s.Faults | s.Seen).Has(term.FaultHighTemperature) || (s.Faults | s.Seen).Has(term.FaultCableTemperature)
	})(p)
}

// back brings the power back, and a guard that begins anew.
func back(p *play) error {
	p.run(time.Second)
	if err := p.Power(true); err != nil {
		return err
	}
	if err := p.boot(); err != nil {
		return err
	}
	return p.World(func(w *halsim.World) error { return nil })
}

// frozen wants a converter that shows one count only to be noticed, whatever it shows.
func frozen(p *play) error {
	name, limit := p.e.Pilot.High.Name, time.Duration(p.e.Pilot.Frozen)*max(p.e.Pilot.Every, time.Millisecond)
	return p.do(charge, opens(on(func(p *play) error { return p.Freeze(name) }), limit+limitSlow, term.FaultPilot),
		on(func(p *play) error { return p.Thaw(name) }), again)
}

// rcdTested wants the device to have tripped by its test.
func rcdTested(p *play) error {
	n, err := p.TestedRCD(p.ref.EVSE)
	if err == nil && n == 0 {
		err = fmt.Errorf("the test line has not made the device trip (%s)", p.picture())
	}
	return err
}

// trouble wants the guard to tell that it does not know the connector any more.
func trouble(p *play) error {
	return await("a fault is told", limitSlow, func(p *play) bool { s := p.status(); return (s.Faults | s.Seen).Stopping() })(p)
}

// inputSuite is what a board's own inputs have to do: an emergency stop, and a door, open everything.
func inputSuite(b *boards.Board) []scenario {
	var all []scenario
	for _, in := range b.Inputs {
		if in.Meaning != boards.MeaningEmergencyStop && in.Meaning != boards.MeaningDoor {
			continue
		}
		press := func(pressed bool) move {
			return func(p *play) error { return p.Press(in.Name, pressed) }
		}
		all = append(all, scenario{"input " + in.Name + " opens", nil,
			sequence(charge, opens(press(true), limitOpen, term.FaultEmergencyStop), remains(2*time.Second), press(false), again)})
		if in.MCU == "" {
			all = append(all, scenario{"input " + in.Name + ", wire broken off", nil,
				sequence(charge, opens(on(func(p *play) error { return p.Cut(in.Line.Name) }), limitOpen, term.FaultEmergencyStop))})
		}
	}
	return all
}
