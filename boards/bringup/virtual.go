//go:build !arm

package bringup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Virtual is a bench in the place of a board, and somebody who does at it whatever is asked for: a rehearsal of a bring-up
// without hardware, and the way to test it. Time passes only where somebody waits.
type Virtual struct {
	*bench.Bench
	Out    io.Writer
	Answer map[string]string // by key, in the place of what Virtual would answer
	Refuse map[string]bool   // keys that it does nothing about

	now   time.Time
	boots int
}

// NewVirtual sets up a bench.
func NewVirtual(b *boards.Board, out io.Writer) (*Virtual, error) {
	v := &Virtual{Out: out, now: time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC), boots: 1}
	var err error
	v.Bench, err = bench.New(b, bench.Options{Clock: v.Now, Seed: 1})
	return v, err
}

// Kernel is that of the bench.
func (v *Virtual) Kernel() parts.Kernel { return v.Bench.Kernel() }

// Now is the bench's time.
func (v *Virtual) Now() time.Time { return v.now }

// Wall is the same.
func (v *Virtual) Wall() time.Time { return v.now }

// Wait lets time pass.
func (v *Virtual) Wait(ctx context.Context, d time.Duration) error {
	v.now = v.now.Add(d)
	return ctx.Err()
}

// Boot counts the starts.
func (v *Virtual) Boot() string { return strconv.Itoa(v.boots) }

// Cycle cuts the power and brings it back.
func (v *Virtual) Cycle() error {
	v.boots++
	err := v.Power(false)
	v.now = v.now.Add(5 * time.Second)
	return errors.Join(err, v.Power(true))
}

// Meter is that of the world.
func (v *Virtual) Meter(id term.EVSEID) (hal.Meter, error) { return worldMeter{v, id}, nil }

type worldMeter struct {
	v  *Virtual
	id term.EVSEID
}

func (m worldMeter) Read(ctx context.Context) (hal.MeterReading, error) {
	if err := ctx.Err(); err != nil {
		return hal.MeterReading{}, err
	}
	return m.v.Read(m.id)
}

// Say writes what is said.
func (v *Virtual) Say(text string) { fmt.Fprintln(v.Out, text) }

// Do does what is asked for.
func (v *Virtual) Do(key, text string) {
	v.Say("  " + text)
	v.act(key)
}

// act does what is asked for, and says so where it cannot.
func (v *Virtual) act(key string) {
	if v.Refuse[key] {
		return
	}
	if err := v.hands(key); err != nil {
		v.Say("  (virtual: " + err.Error() + ")")
	}
}

// Ask does what is asked for, and answers.
func (v *Virtual) Ask(ctx context.Context, q Question) (string, error) {
	v.act(q.Key)
	answer := q.Given
	if a, ok := v.Answer[q.Key]; ok {
		answer = a
	} else if a, ok := v.instrument(q.Key); ok {
		answer = a
	}
	v.Say(fmt.Sprintf("  %s [%s]: %s", q.Text, q.Given, answer))
	return answer, ctx.Err()
}

// place splits a key.
func place(key string) (what string, id term.EVSEID) {
	what, n, _ := strings.Cut(key, "@")
	i, _ := strconv.Atoi(n) // 0: of the station
	return what, term.EVSEID(i)
}

// instrument is what a scope, a voltmeter or a thermometer shows.
func (v *Virtual) instrument(key string) (string, bool) {
	what, id := place(key)
	switch {
	case what == "ambient":
		return "25", true
	case what == "behind":
		return "0", true
	case what != "frequency" && !strings.HasPrefix(what, "duty."):
		return "", false
	}
	duty, period, err := v.Scope(id)
	if err != nil || period == 0 {
		return "0", true
	}
	if what == "frequency" {
		return strconv.FormatInt(int64(time.Second/period), 10), true
	}
	return strconv.FormatInt((int64(duty)+5)/10, 10), true
}

// hands do what is asked for at the bench.
func (v *Virtual) hands(key string) error {
	what, id := place(key)
	if name, ok := strings.CutPrefix(what, "press."); ok {
		return v.Press(name, true)
	}
	if name, ok := strings.CutPrefix(what, "release."); ok {
		return v.Press(name, false)
	}
	if id == 0 {
		return nil
	}
	ref := term.Ref{EVSE: id, Connector: 1}
	return v.World(func(w *halsim.World) error {
		set := func(code term.Fault, on bool) error {
			return w.SetFault(halsim.FaultOptions{Ref: ref, Code: code, Active: on})
		}
		closed, open := true, false
		switch what {
		case "pp.13":
			return errors.Join(clear(w, ref), w.Plug(id, 1, halsim.PlugOptions{Side: halsim.SideEVSE, CableMax: 13 * unit.Ampere}))
		case "pp.32", "plug":
			return errors.Join(clear(w, ref), w.Plug(id, 1, halsim.PlugOptions{Side: halsim.SideEVSE}))
		case "pp.none", "state.A", "unplug":
			return clear(w, ref)
		case "state.B":
			return box(w, ref, open)
		case "state.C":
			return box(w, ref, closed)
		case "state.E":
			return errors.Join(box(w, ref, open), set(term.FaultPilot, true))
		case "earth":
			return errors.Join(box(w, ref, open), w.Break(ref, true))
		case "diode":
			return errors.Join(box(w, ref, open), set(term.FaultDiode, true))
		case "to.C", "load.C":
			return w.HoldS2(ref, &closed)
		case "to.B", "load.off":
			return w.HoldS2(ref, &open)
		case "rcd.trip", "rcd.reset":
			return set(term.FaultGround, what == "rcd.trip")
		}
		return nil
	})
}

// clear takes everything out of a connector, and every fault off it.
func clear(w *halsim.World, ref term.Ref) error {
	_, err := w.Unplug(ref.EVSE, ref.Connector, halsim.UnplugOptions{})
	for _, s := range w.State().EVSEs {
		if s.ID == ref.EVSE && !s.Connectors[0].Plugged && !s.Connectors[0].AtEV {
			err = nil // it was empty
		}
	}
	off := func(code term.Fault) error {
		return w.SetFault(halsim.FaultOptions{Ref: ref, Code: code})
	}
	return errors.Join(err, w.Break(ref, false), off(term.FaultPilot), off(term.FaultDiode))
}

// box plugs a test box with S2 as given.
func box(w *halsim.World, ref term.Ref, s2 bool) error {
	return errors.Join(clear(w, ref), w.Plug(ref.EVSE, ref.Connector, halsim.PlugOptions{}), w.HoldS2(ref, &s2))
}
