package fit

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/term"
)

// lookEvery is how often an input is looked at; the kernel debounces it.
const lookEvery = 100 * time.Millisecond

// ReasonGrid is the reason of what the relay of a grid operator allows, in front of the input's name.
const ReasonGrid = "LIM-GRID/"

// button is an input by which a driver stops what charges.
type button struct {
	boards.Input
	line opening[gpio.Input]
	down bool
}

// press looks at a button: its going down is what counts.
func (f *Fitted) press(b *button) {
	line, err := b.line.get()
	down := false
	if err == nil {
		down, err = line.Get()
	}
	if errors.Is(err, errClosed) {
		return
	}
	f.tell("input "+b.Name, place{term.Ref{}, term.FaultOther}, err)
	if down && !b.down {
		f.o.Log.Info("input", "name", b.Name, "text", "pressed")
		f.news.press()
	}
	b.down = down
}

// relay is an input by which a grid operator limits the station.
type relay struct {
	boards.Input
	line opening[gpio.Input]
}

// fitInputs opens the inputs that are the station's. Emergency stops and doors are the guard's.
func (f *Fitted) fitInputs() error {
	var relays []*relay
	for _, in := range f.board.Inputs {
		switch in.Meaning {
		case boards.MeaningEmergencyStop, boards.MeaningDoor:
		case boards.MeaningCurtail:
			if in.MCU != "" {
				return fmt.Errorf("input %s: the relay of a grid operator at a safety controller is not read by this build: give it a line", in.Name)
			}
			spec := gpioSpec(in.Line)
			r := &relay{Input: in, line: opening[gpio.Input]{now: f.o.Now, open: func() (gpio.Input, error) { return f.kernel.Input(spec) }}}
			relays = append(relays, r)
		case boards.MeaningStop:
			if in.MCU != "" {
				return fmt.Errorf("input %s: a stop button at a safety controller is not read by this build: give it a line", in.Name)
			}
			spec := gpioSpec(in.Line)
			b := &button{Input: in, line: opening[gpio.Input]{now: f.o.Now, open: func() (gpio.Input, error) { return f.kernel.Input(spec) }}}
			f.every(lookEvery, func() { f.press(b) })
		}
	}
	if len(relays) > 0 {
		f.every(lookEvery, func() { f.curtail(relays) })
	}
	return nil
}

func gpioSpec(l boards.Line) gpio.Spec {
	s := gpio.Spec{Name: l.Name, ActiveLow: l.ActiveLow, Debounce: l.Debounce}
	switch l.Bias {
	case boards.BiasNone:
		s.Bias = gpio.BiasNone
	case boards.BiasPullUp:
		s.Bias = gpio.BiasUp
	case boards.BiasPullDown:
		s.Bias = gpio.BiasDown
	}
	return s
}

// curtail looks at the relays. The lowest limit of those that are active counts; a relay that cannot be read counts as active.
func (f *Fitted) curtail(relays []*relay) {
	c := station.LimitClaimed{Owner: limit.GridOperator, Off: true}
	for _, r := range relays {
		line, err := r.line.get()
		active := true
		if err == nil {
			active, err = line.Get()
		}
		if errors.Is(err, errClosed) {
			return
		}
		f.tell("input "+r.Name, place{term.Ref{}, term.FaultOther}, err)
		if most := r.Limit.PerPhase(f.board.Supply.Voltage, f.lines()); (active || err != nil) && (c.Off || most < c.Max) {
			c.Off, c.Max, c.Reason = false, most, ReasonGrid+r.Name
		}
	}
	if c.Off {
		c.Max, c.Reason = 0, ""
	}
	if f.news.claim(c) {
		f.o.Log.Info("limit", "owner", c.Owner.String(), "reason", c.Reason, "mA", int64(c.Max), "ended", c.Off)
	}
}

// lines is over how many lines the station's power is divided.
func (f *Fitted) lines() int {
	n := uint8(1)
	for _, e := range f.served() {
		n = max(n, e.Phases)
	}
	return int(n)
}
