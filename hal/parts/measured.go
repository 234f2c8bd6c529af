package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/unit"
)

const (
	// maxFilter bounds a median filter: half of its samples pass before a change is seen.
	maxFilter = 9
	// maxReset bounds a reset of a peak detector, for which the guard waits.
	maxReset = 100 * time.Microsecond
	// resetLooks bounds how often the clock is asked during a reset.
	resetLooks = 1000
	// judged is how long after a change of the generator a half that does not follow is frozen: detectors without a reset decay by
	// themselves.
	judged = 500 * time.Millisecond
	// lowStands and highStands are what the halves cannot show while the generator is steady on the other side.
	lowStands  = -3 * unit.Volt
	highStands = 3 * unit.Volt
	// heldLow is what a line that is held low shows at the least.
	heldLow = -10500 * unit.Millivolt
)

// measured is a pilot with a converter for each half, behind a peak detector each.
type measured struct {
	generator
	high, low half
	sampled   time.Time
	last      hal.PilotSample
}

func (b *builder) measured(g generator) (any, error) {
	m := &measured{generator: g}
	for _, h := range []struct {
		half        *half
		adc, resets hal.PartRole
	}{{&m.high, hal.RolePilotHigh, hal.RolePilotHighReset}, {&m.low, hal.RolePilotLow, hal.RolePilotLowReset}} {
		if err := b.half(h.half, h.adc, h.resets); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// SetDuty drives the line. What was measured before counts no more where a half appears or goes.
func (m *measured) SetDuty(d unit.Duty) error {
	was := m.pulsing()
	if err := m.generator.SetDuty(d); err != nil {
		return err
	}
	if was != m.pulsing() || !was {
		m.high.forget()
		m.low.forget()
	}
	return nil
}

// Sample measures both halves. Within two periods of the last it returns the last again: a peak detector that was reset has seen
// no peak yet.
func (m *measured) Sample() (hal.PilotSample, error) {
	now := m.now()
	if now.Sub(m.sampled) < 2*m.period && !m.sampled.IsZero() {
		return m.last, nil
	}
	high, err := m.high.read(m.pulsing(), m.now)
	if err != nil {
		return hal.PilotSample{}, err
	}
	low, err := m.low.read(m.pulsing(), m.now)
	if err != nil {
		return hal.PilotSample{}, err
	}
	if err := m.stands(high, low); err != nil {
		return hal.PilotSample{}, err
	}
	m.sampled, m.last = now, hal.PilotSample{High: high, Low: low}
	switch {
	case m.duty == unit.DutyHigh:
		m.last.Low = high
	case m.duty == unit.DutyLow && low <= heldLow:
		m.last.High = low
	}
	return m.last, nil
}

// stands judges a half that shows what the generator does not drive.
func (m *measured) stands(high, low unit.Voltage) error {
	switch {
	case m.steady() < judged:
	case m.duty == unit.DutyHigh && low < lowStands:
		return errLowStands
	case m.duty == unit.DutyLow && high > highStands:
		return errHighStands
	}
	return nil
}

// half is one converter with its filter, and what tells that it is alive.
type half struct {
	converter
	reset  gpio.Output // nil: none
	pulse  time.Duration
	window [maxFilter]unit.Voltage
	size   int // of the filter
	filled int
	next   int
	frozen int32 // equal counts after which it is; 0: never
	count  int32 // the newest
	equal  int32 // how often in a row
}

func (b *builder) half(h *half, converter, resets hal.PartRole) error {
	p, err := b.need(converter)
	if err != nil {
		return err
	}
	if p.C < 0 || p.C > maxFilter || p.C > 0 && p.C%2 == 0 || p.D < 0 {
		return fmt.Errorf("%s: median of %d samples, frozen after %d: want an odd number up to %d, and none below 0", name(p), p.C, p.D, maxFilter)
	}
	h.size, h.frozen = max(int(p.C), 1), p.D
	if h.converter, err = b.converter(p); err != nil {
		return err
	}
	r, err := b.one(resets)
	if err != nil || r == nil {
		return err
	}
	if h.pulse = time.Duration(r.B) * time.Microsecond; h.pulse < 0 || h.pulse > maxReset {
		return fmt.Errorf("%s: %v: want at most %v", name(r), h.pulse, maxReset)
	}
	h.reset, err = b.output(r)
	return err
}

// forget empties the filter.
func (h *half) forget() { h.filled, h.next, h.equal = 0, 0, 0 }

// read measures once and returns the median of the newest measurements. pulsing says that PWM ripples on the line: only then is a
// count that never changes a sign of anything.
func (h *half) read(pulsing bool, now func() time.Time) (unit.Voltage, error) {
	raw, err := h.raw()
	if err != nil {
		return 0, err
	}
	if err := h.alive(raw, pulsing, now); err != nil {
		return 0, err
	}
	h.window[h.next] = h.volts(raw)
	h.next = (h.next + 1) % h.size
	h.filled = min(h.filled+1, h.size)
	return h.median(), nil
}

// alive resets the peak detector, if there is one to reset, and counts equal counts. A converter that has shown one for too long
// gets a last chance where it can be made to see something else: while the detector is held at its reset.
func (h *half) alive(raw int32, pulsing bool, now func() time.Time) error {
	if raw != h.count || !pulsing || h.frozen == 0 {
		h.count, h.equal = raw, 0
	} else if h.equal < h.frozen {
		h.equal++
	}
	suspect := h.frozen > 0 && h.equal >= h.frozen
	if h.reset == nil {
		if suspect {
			return errFrozen
		}
		return nil
	}
	if err := h.reset.Set(true); err != nil {
		return err
	}
	if start := now(); h.pulse > 0 {
		for n := 0; n < resetLooks && now().Sub(start) < h.pulse; n++ {
		}
	}
	other, err := raw, error(nil)
	if suspect {
		other, err = h.raw()
	}
	if err := h.reset.Set(false); err != nil {
		return err
	}
	switch {
	case err != nil:
		return err
	case suspect && other-raw <= 1 && raw-other <= 1:
		return errFrozen
	case suspect:
		h.equal = 0
	}
	return nil
}

// median is the middle of the newest measurements; of an even number, the upper one of the two in the middle.
func (h *half) median() unit.Voltage {
	var sorted [maxFilter]unit.Voltage
	n := h.filled
	for i := range n {
		j := i
		for ; j > 0 && sorted[j-1] > h.window[i]; j-- {
			sorted[j] = sorted[j-1]
		}
		sorted[j] = h.window[i]
	}
	return sorted[n/2]
}
