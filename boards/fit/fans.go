package fit

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/fan"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// latePWM is a channel that is opened when it is there.
type latePWM struct{ opening[pwm.Channel] }

// Set makes pulses.
func (c *latePWM) Set(period, on time.Duration) error {
	ch, err := c.get()
	if err != nil {
		return err
	}
	return ch.Set(period, on)
}

// fitFans makes the fans.
func (f *Fitted) fitFans() error {
	if f.board.Cooling == nil {
		return nil
	}
	for _, d := range f.board.Cooling.Fans {
		name := "fan " + d.ID
		c := fan.Config{Name: name, Inverted: d.PWM.Invert, Notify: func(err error) { f.tell(name, place{term.Ref{}, term.FaultOther}, err) }}
		c.PWM = &latePWM{opening[pwm.Channel]{now: f.o.Now, open: func() (pwm.Channel, error) { return f.kernel.PWM(d.PWM.Name) }}}
		if d.Tach != nil {
			spec := gpioSpec(*d.Tach)
			spec.Edges = true
			line, err := f.kernel.Input(spec)
			if counter, ok := line.(gpio.Counter); ok {
				c.Tach = counter
			} else if err != nil { // it turns without; nobody sees whether
				f.tell("tachometer of "+name, place{term.Ref{}, term.FaultOther}, err)
			}
		}
		made, err := fan.New(c)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.fans = append(f.fans, made)
		f.ends = append(f.ends, func() { _ = made.Close() })
	}
	return nil
}

// cool sets the fans by the hottest thermometer: at full speed while one of them cannot be read.
func (f *Fitted) cool(all []*thermometer) {
	if len(f.fans) == 0 {
		return
	}
	speed, hottest := unit.HundredPercent, unit.Temperature(-1<<31)
	known := len(all) > 0
	for _, t := range all {
		known = known && t.err == nil
		hottest = max(hottest, t.now)
	}
	if known {
		speed = 0
		for _, s := range f.board.Cooling.Curve {
			if hottest >= s.At {
				speed = s.Speed
			}
		}
	}
	for _, x := range f.fans {
		_ = x.Set(speed) // a speed of the board is one that it takes; whether it turns it tells itself
	}
}
