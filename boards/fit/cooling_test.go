package fit

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// workshop is a desk with a fan and a lamp.
type workshop struct {
	*desk
	share   int // of the fan's period that its wire is high, in percent
	lamp    map[string]bool
	noLamp  bool
	stopped error
}

func (w *workshop) PWM(string) (pwm.Channel, error) { return w, nil }
func (w *workshop) Set(period, on time.Duration) (err error) {
	w.do(func() { w.share, err = int(100*on/period), w.stopped })
	return err
}
func (w *workshop) Output(s gpio.Spec) (o gpio.Output, err error) {
	w.do(func() {
		if o = (wire{w, s.Name}); w.noLamp {
			err = errGone
		}
	})
	return o, err
}

// wire is one color of the lamp.
type wire struct {
	w    *workshop
	name string
}

// Set switches it.
func (l wire) Set(on bool) error {
	l.w.do(func() { l.w.lamp[l.name] = on })
	return nil
}

func inWorkshop(t *testing.T, test func(*rig, *workshop), before ...func(*workshop)) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Replace(boardFile, "  reader: {", "  light:  {rgb: [\"gpio:RED\", \"gpio:GREEN\", \"gpio:BLUE\"]}\n  reader: {", 1)
		text = strings.Replace(text, "inputs:\n", "cooling: {fans: [{id: inlet, pwm: {chip: 44e0.pwm, channel: 1}}], curve: {30 C: 40 %, 60 C: 100 %}}\ninputs:\n", 1)
		w := &workshop{desk: &desk{line: modbus.NewLine(modbus.NewServer(nil), time.Millisecond), heat: 20_000}, lamp: map[string]bool{}}
		for _, do := range before {
			do(w)
		}
		r := &rig{t: t, desk: w.desk}
		var err error
		if r.Fitted, err = Open(board(t, text), w, Options{Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		r.begin()
		r.after(time.Minute)
		r.heard = slices.DeleteFunc(r.heard, func(s string) bool { return strings.Contains(s, "meterFailure") }) // nobody is on that line
		test(r, w)
		r.leave()
		r.Close()
	})
}

// A fan follows the hottest thermometer, and turns at full speed while that is not known.
func TestFan(t *testing.T) {
	inWorkshop(t, func(r *rig, w *workshop) {
		want := func(percent int) {
			t.Helper()
			r.after(3 * time.Second)
			w.do(func() {
				if w.share != percent {
					t.Errorf("%d %%, want %d", w.share, percent)
				}
			})
		}
		want(0)
		for _, c := range []struct {
			heat    unit.Temperature
			percent int
		}{{30_000, 40}, {59_000, 40}, {60_000, 100}, {29_000, 0}} {
			w.do(func() { w.heat = c.heat })
			want(c.percent)
		}
		w.do(func() { w.cold = errGone })
		want(100)
	})
}

func TestFanThatFails(t *testing.T) {
	inWorkshop(t, func(r *rig, w *workshop) {
		r.want("0 other true fan inlet: no such device")
		w.do(func() { w.stopped = nil })
		r.after(time.Minute)
		r.want("0 other false ")
	}, func(w *workshop) { w.stopped = errGone })
}

// A lamp of lines shows what it is told; one whose lines are missing is told once and shows it once they are there.
func TestLight(t *testing.T) {
	inWorkshop(t, func(r *rig, w *workshop) {
		light, err := r.Indicator(term.Ref{EVSE: 1, Connector: 1})
		if err != nil || light == nil {
			t.Fatal(light, err)
		}
		if err := light.Show(hal.IndicateAvailable); err != nil {
			t.Fatal(err)
		}
		r.after(time.Minute)
		r.want("1 other true light of EVSE 1: no such device")
		w.do(func() { w.noLamp = false })
		r.after(time.Minute)
		r.want("1 other false ")
		w.do(func() {
			if !w.lamp["GREEN"] || w.lamp["RED"] || w.lamp["BLUE"] {
				t.Error(w.lamp)
			}
		})
	}, func(w *workshop) { w.noLamp = true })
}
