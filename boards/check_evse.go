package boards

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// Times of IEC 61851-1, Annex A: from the vehicle's leaving of state C to the open contactor. Half of it is for seeing it.
const (
	exitLimit   = 100 * time.Millisecond
	detectLimit = 50 * time.Millisecond
)

// detection is how long it takes until the guard has seen that the vehicle left state C: the middle one of the filter's
// samples is new, and the new level has stood for as long as the machine wants.
func (p *Pilot) detection() time.Duration {
	return time.Duration(p.Median+1)/2*p.Every + p.debounce() + iec61851.PilotOpenDelay
}

func (c *checker) pilot(e *EVSE, at string) {
	path, p := join(at, "pilot"), &e.Pilot
	if p.MCU != e.Contactors.MCU {
		c.findf(join(at, "contactors"), "BRD-340", "the pilot is %s, the contactors are %s", whose(p.MCU), whose(e.Contactors.MCU))
	}
	if p.MCU {
		return
	}
	switch {
	case p.Comparators != nil && (p.High != nil || p.Low != nil):
		c.find(path, "BRD-210", "converters and comparators", "measure the pilot in one way: high and low, or comparators")
	case p.Comparators != nil:
		c.comparators(path, p)
	case p.High == nil:
		c.find(path, "BRD-210", "nothing measures the pilot", "add high and low, or comparators, or leave it to a safety controller (pilot: mcu)")
	case p.Low == nil:
		c.findf(path, "BRD-234", "only the upper level is measured")
	}
	for _, a := range []struct {
		name string
		of   *ADC
	}{{"high", p.High}, {"low", p.Low}} {
		if a.of != nil && a.of.Gain == 0 {
			c.findf(join(path, a.name+".gain"), "BRD-235", "a gain of zero")
		}
		if a.of != nil && a.of.Reset == nil {
			c.findf(join(path, a.name), "BRD-233", "no peak detector in front of %s", a.of.Name)
		}
		if a.of != nil && a.of.Reset == nil && a.of.Pulse != 0 {
			c.find(join(path, a.name+".reset_pulse"), "BRD-210", "a pulse without its line", "add peak_reset")
		}
	}
	c.exit(e, at)
}

func whose(mcu bool) string {
	if mcu {
		return "the mcu's"
	}
	return "not"
}

// exit looks whether supply ends in time when the vehicle leaves state C.
func (c *checker) exit(e *EVSE, at string) {
	p := &e.Pilot
	seen := p.detection()
	how := fmt.Sprintf("sample %s", qTime.show(int64(p.Every)))
	if p.Median > 1 {
		how += fmt.Sprintf(" + median-%d", p.Median)
	}
	cure := "try 5 ms, median-5"
	if d := p.debounce(); d > 0 {
		how += fmt.Sprintf(" + debounce %s", qTime.show(int64(d)))
		cure = "try 5 ms, and no debounce: the guard has its own"
	}
	if seen > detectLimit {
		c.find(join(at, "pilot.sample"), "BRD-231", fmt.Sprintf("%s sees C->B after %s, limit %s", how, qTime.show(int64(seen)), qTime.show(int64(detectLimit))), cure)
	}
	k := &e.Contactors
	if k.MCU {
		return
	}
	if k.Open == 0 {
		c.find(join(at, "contactors"), "BRD-210", "contactors without timing", "add timing: {close: ..., open: ...} from their datasheet")
	} else if seen <= detectLimit && seen+k.Open > exitLimit {
		c.findf(join(at, "contactors.timing.open"), "BRD-232", "C->B is seen after %s and the contactor opens in %s: %s, limit %s", qTime.show(int64(seen)),
			qTime.show(int64(k.Open)), qTime.show(int64(seen+k.Open)), qTime.show(int64(exitLimit)))
	}
}

func lines(l hal.Lines) int { return bits.OnesCount8(uint8(l &^ hal.LineN)) }

// contactors switch what the connector has, and are seen to.
func (c *checker) contactors(e *EVSE, at string) {
	k, path := &e.Contactors, join(at, "contactors")
	if e.wired == 2 || c.b.Supply.Phases == 2 {
		c.find(join(at, "phases"), "BRD-108", "two phases", "want 1 or 3")
	}
	if k.MCU {
		return
	}
	ac, dc := k.Main != nil || k.Extra != nil, k.Plus != nil || k.Minus != nil
	switch {
	case e.DC && ac || !e.DC && dc:
		c.findf(path, "BRD-244", "contactors of the other kind at %s", e.Connector.Type)
		return
	case e.DC:
		if k.Plus == nil || k.Minus == nil {
			c.findf(path, "BRD-404", "not both of plus and minus")
		}
	case k.Main == nil:
		c.find(path, "BRD-210", "no main contactor", "add main")
		return
	default:
		c.wiring(e, path)
	}
	names := [...]string{"main", "extra", "plus", "minus"}
	for i, s := range []*Switch{k.Main, k.Extra, k.Plus, k.Minus} {
		if s == nil || s.Sense != nil {
			continue
		}
		c.findf(join(path, names[i]), "BRD-240", "contactor %s has no sense", names[i])
	}
}

// wiring switches as many lines as are wired, each once.
func (c *checker) wiring(e *EVSE, path string) {
	k := &e.Contactors
	var extra hal.Lines
	if k.Extra != nil {
		extra = k.Extra.Lines
	}
	main, all := lines(k.Main.Lines), k.Main.Lines|extra
	wrong := ""
	switch single := k.Wiring == hal.WiringSingle; {
	case single != (k.Extra == nil):
		wrong = fmt.Sprintf("%s with %d contactors", k.Wiring, 2-b2i(k.Extra == nil))
	case k.Wiring == hal.WiringSerial && (main != 1 || lines(extra) != 2):
		wrong = fmt.Sprintf("serial with %d and %d lines: want 1 and 2", main, lines(extra))
	case k.Wiring == hal.WiringMutual && (main != 3 || lines(extra) != 1):
		wrong = fmt.Sprintf("mutual with %d and %d lines: want 3 and 1", main, lines(extra))
	case k.Wiring != hal.WiringMutual && k.Main.Lines&extra != 0:
		wrong = "main and extra switch the same line"
	}
	if wrong != "" {
		c.findf(join(path, "wiring"), "BRD-242", "%s", wrong)
		return
	}
	if lines(all) < int(e.wired) {
		c.findf(path, "BRD-243", "EVSE %d has %d lines, and its contactors switch %d", e.ID, e.wired, lines(all))
	}
	if e.wired > c.b.Supply.Phases && c.b.place("supply.phases").Layer == LayerBoard {
		c.findf(join(evsePath(e), "phases"), "BRD-243", "EVSE %d has %d lines, and %d arrive", e.ID, e.wired, c.b.Supply.Phases)
	}
	if k.Main.Lines&hal.LineN == 0 || k.Wiring == hal.WiringMutual && extra&hal.LineN == 0 {
		c.findf(path, "BRD-245", "N stays connected")
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// plug is what holds and codes the plug of a socket.
func (c *checker) plug(e *EVSE, at string) {
	socket := !e.Connector.Tethered
	switch p := e.Proximity; {
	case socket && p == nil:
		c.findf(at, "BRD-250", "%s without proximity", e.Connector.Type)
	case !socket && p != nil:
		c.findf(join(at, "proximity"), "BRD-251", "%s has its cable fixed", e.Connector.Type)
	case p != nil && !p.MCU:
		c.divider(p, join(at, "proximity"))
	}
	switch l := e.Lock; {
	case socket && l == nil:
		c.findf(at, "BRD-255", "%s without lock", e.Connector.Type)
	case !socket && l != nil:
		c.findf(join(at, "lock"), "BRD-257", "%s has its cable fixed", e.Connector.Type)
	case l == nil || l.MCU:
	case l.Sense == nil:
		c.findf(join(at, "lock"), "BRD-256", "lock without sense")
	case (len(l.Motor) == 2) != (l.Pulse > 0):
		c.find(join(at, "lock"), "BRD-210", fmt.Sprintf("%d motor lines, pulse %v", len(l.Motor), l.Pulse), "two lines are driven for a pulse, one alone holds a bolt without")
	}
}

// codings are the resistors of a plug (IEC 61851-1, Annex B).
var codings = []unit.Resistance{100 * unit.Ohm, 220 * unit.Ohm, 680 * unit.Ohm, 1500 * unit.Ohm}

// leastStep is how far two codings must lie from each other, of the rail: what converters and resistors of some per cent tell
// apart.
const leastStep = 20 // per mille

func (c *checker) divider(p *Proximity, path string) {
	last := int64(1000) // open
	for i := len(codings) - 1; i >= 0; i-- {
		v := int64(codings[i]) * 1000 / int64(codings[i]+p.Pullup)
		if last-v < leastStep {
			c.findf(join(path, "pullup"), "BRD-252", "%s tells %s from the next by %d.%d %% of the rail", qResistance.show(int64(p.Pullup)), codings[i], (last-v)/10, (last-v)%10)
			return
		}
		last = v
	}
	if p.ADC.Gain == 0 {
		c.find(join(path, "gain"), "BRD-108", "a gain of zero", "measure it")
	}
}
