package fit

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/term"
)

// Of thermometers.
const (
	heatEvery  = time.Second
	hysteresis = 3_000 // 0.001 degrees Celsius below a step before the current rises again
)

// ReasonHeat is the reason of a limit by temperature, in front of the thermometer's id.
const ReasonHeat = "LIM-TEMP/"

// thermometer is one that derates.
type thermometer struct {
	boards.Temperature
	evse term.EVSEID
	dev  opening[hal.Thermometer]
	step int // that counts: index in Derate, -1 for none
	now  unit.Temperature
	err  error
}

// fitHeat opens the thermometers, and the fans that they drive.
func (f *Fitted) fitHeat() error {
	var all []*thermometer
	for _, e := range f.served() {
		for _, t := range e.Temperatures {
			k := &thermometer{Temperature: t, evse: e.ID, step: -1}
			k.dev = opening[hal.Thermometer]{now: f.o.Now, open: func() (hal.Thermometer, error) { return f.openThermometer(k.evse, &k.Temperature) }}
			all = append(all, k)
		}
	}
	if err := f.fitFans(); err != nil {
		return err
	}
	if len(all) > 0 || len(f.fans) > 0 {
		f.every(heatEvery, func() { f.heat(all) })
	}
	return nil
}

func (f *Fitted) openThermometer(evse term.EVSEID, t *boards.Temperature) (hal.Thermometer, error) {
	switch {
	case t.MCU:
		return felt{f, term.Ref{EVSE: evse, Connector: 1}, t.ID}, nil
	case t.ADC == nil:
		return f.kernel.Thermometer(t.Kernel)
	}
	dev, err := parts.Open(converters{f.kernel}, []hal.Part{{Kind: hal.PartADC, Role: hal.RoleTemperature, Flags: t.Curve.Flags(), Name: t.ADC.Name,
		A: int32(t.ADC.Gain), B: int32(t.ADC.Zero * 1000), C: int32(t.Pullup), D: int32(t.Rail)}})
	if err != nil {
		return nil, err
	}
	return dev.(hal.Thermometer), nil
}

// heat looks at the thermometers, limits each EVSE by its hottest, and cools.
func (f *Fitted) heat(all []*thermometer) {
	for _, e := range f.served() {
		c := station.LimitClaimed{EVSE: e.ID, Owner: limit.Temperature, Off: true}
		for _, t := range all {
			if t.evse != e.ID {
				continue
			}
			t.look()
			if errors.Is(t.err, errClosed) {
				return
			}
			if !t.MCU { // one that the guard cannot read is the guard's fault to tell
				f.tell(fmt.Sprintf("thermometer %s of EVSE %d", t.ID, e.ID), place{term.Ref{EVSE: e.ID}, term.FaultOther}, t.err)
			}
			if most, limits := t.allows(); limits && (c.Off || most < c.Max) {
				c.Off, c.Max, c.Reason = false, most, ReasonHeat+t.ID
			}
		}
		if f.news.claim(c) {
			f.o.Log.Info("limit", "evse", int(e.ID), "owner", c.Owner.String(), "reason", c.Reason, "mA", int64(c.Max), "ended", c.Off)
		}
	}
	f.cool(all)
}

// look takes the temperature.
func (t *thermometer) look() {
	dev, err := t.dev.get()
	if err == nil {
		t.now, err = dev.Temperature()
	}
	if t.err = err; err != nil {
		return
	}
	for t.step+1 < len(t.Derate) && t.now >= t.Derate[t.step+1].At {
		t.step++
	}
	for t.step >= 0 && t.now < t.Derate[t.step].At-hysteresis {
		t.step--
	}
}

// allows is what a thermometer allows. One that cannot be read allows the least that is more than nothing: whatever watches the
// greatest heat is the guard's, and opens by itself. No energy flows before the guard has said something.
func (t *thermometer) allows() (unit.Current, bool) {
	if errors.Is(t.err, errUnheard) {
		return 0, false
	}
	if t.err == nil {
		if t.step < 0 {
			return 0, false
		}
		return t.Derate[t.step].Max, true
	}
	for i := len(t.Derate) - 1; i >= 0; i-- {
		if most := t.Derate[i].Max; most > 0 {
			return most, true
		}
	}
	return 0, len(t.Derate) > 0
}
