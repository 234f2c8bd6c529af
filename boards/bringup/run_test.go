//go:build !arm

package bringup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/boards"
)

// rehearsal is a bring-up on a bench.
type rehearsal struct {
	t   *testing.T
	o   Options
	v   *Virtual
	out strings.Builder
}

func rehearse(t *testing.T, files ...string) *rehearsal {
	t.Helper()
	b, findings, err := boards.Load(files...)
	if err != nil {
		t.Fatal(err, findings)
	}
	h := &rehearsal{t: t}
	if h.v, err = NewVirtual(b, &h.out); err != nil {
		t.Fatal(err)
	}
	h.o = Options{Board: b, Paths: files, Dir: t.TempDir(), Rig: h.v, Person: h.v, Program: "test"}
	return h
}

// start makes a whole bring-up, over its power cut.
func (h *rehearsal) start() *Report {
	h.t.Helper()
	if _, err := Start(h.t.Context(), h.o); !errors.Is(err, ErrPower) {
		h.t.Fatalf("%v, want a power cut\n%s", err, &h.out)
	}
	return h.resume()
}

func (h *rehearsal) resume() *Report {
	h.t.Helper()
	if err := h.v.Cycle(); err != nil {
		h.t.Fatal(err)
	}
	r, err := Resume(h.t.Context(), h.o)
	if err != nil {
		h.t.Fatalf("%v\n%s", err, &h.out)
	}
	return r
}

// boardsThatCharge are the shipped boards that this build charges at, and one whose pilot comparators measure.
var boardsThatCharge = []string{"../ac-wallbox-cm4.yaml", "../ac-socket-imx6ull.yaml", "../ac-post-two-mcu.yaml", "../testdata/ac-comparators.yaml"}

// TestShippedBoards: every shipped board can be brought up, by the program's words alone.
func TestShippedBoards(t *testing.T) {
	for _, file := range boardsThatCharge {
		t.Run(filepath.Base(file), func(t *testing.T) {
			h := rehearse(t, file)
			r := h.start()
			if !r.Passed() {
				t.Errorf("not passed:\n%s", &h.out)
			}
			for _, s := range r.Steps {
				if s.Result == Passed && len(s.Values) == 0 && s.ID != "inputs" && s.ID != "power" && s.ID != "rcd" {
					t.Errorf("%s %d: nothing measured", s.ID, s.EVSE)
				}
			}
			if worst, ok := r.Worst(1, StepExit, ExitValue); !ok || worst < 10 || worst > 100 {
				t.Errorf("worst opening %d, %v", worst, ok)
			}
			again, err := Read(h.o.Dir)
			if err != nil || !again.Passed() || len(again.Steps) != len(r.Steps) {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

// TestResume: what failed, was skipped or was broken off is made again, and nothing else.
func TestResume(t *testing.T) {
	h := rehearse(t, "../ac-socket-imx6ull.yaml")
	h.v.Answer = map[string]string{"frequency@1": "skip"}
	h.v.Refuse = map[string]bool{"press.button": true}
	r := h.start()
	if got := r.step("pilot.pwm", 1).Result; got != Skipped {
		t.Errorf("without a scope: %s", got)
	}
	if got := r.step("inputs", 0); got.Result != Failed || !strings.Contains(got.Why, "button") {
		t.Errorf("nobody pressed: %+v", got)
	}
	if r.Passed() {
		t.Error("passed with a step that failed and one that was skipped")
	}
	at := r.step("proximity", 1).At
	h.v.Answer, h.v.Refuse = nil, nil
	if r = h.resume(); !r.Passed() {
		t.Errorf("not passed:\n%s", &h.out)
	}
	if !r.step("proximity", 1).At.Equal(at) {
		t.Error("a step that had passed was made again")
	}
}

// TestBrokenOff: a bring-up that is interrupted keeps what it has, and opens everything.
func TestBrokenOff(t *testing.T) {
	h := rehearse(t, "../ac-wallbox-cm4.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	h.o.Person = &leaver{h.v, cancel}
	if _, err := Start(ctx, h.o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_ = h.v.Wait(t.Context(), time.Second)
	if h.v.State().EVSEs[0].Relay {
		t.Error("the contactor stayed closed")
	}
	r, err := Read(h.o.Dir)
	if err != nil || r.step("pilot.levels", 1) == nil || r.step(StepExit, 1) != nil || r.Ended != nil {
		t.Errorf("kept: %+v, %v", r, err)
	}
	if _, err := Start(t.Context(), h.o); err == nil {
		t.Error("a second bring-up began over the first")
	}
}

// leaver leaves while the car charges.
type leaver struct {
	*Virtual
	leave func()
}

func (l *leaver) Do(key, text string) {
	l.Virtual.Do(key, text)
	if strings.HasPrefix(key, "to.B") {
		l.leave()
	}
}

// TestInterlocks: nothing that a person answers lets a contactor move with something plugged in, and two pulses lie apart.
func TestInterlocks(t *testing.T) {
	h := rehearse(t, "../ac-wallbox-cm4.yaml")
	h.v.Refuse = map[string]bool{"state.A@1": true} // the test box stays where it is
	r := h.start()
	s := r.step(stepContactor, 1)
	if s.Result != Failed || !strings.Contains(s.Why, "REL-02") {
		t.Errorf("%+v", s)
	}
}

// TestOtherFiles: a report belongs to the contents of its files.
func TestOtherFiles(t *testing.T) {
	h := rehearse(t, "../ac-wallbox-cm4.yaml")
	h.start()
	data, err := os.ReadFile("../ac-wallbox-cm4.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "ac-wallbox-cm4.yaml")
	if err := os.WriteFile(changed, append(data, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	h.o.Paths = []string{changed}
	if _, err := Resume(t.Context(), h.o); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
}

// TestFindsMistakes: what is wrong at the board fails the step that looks at it.
func TestFindsMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, step string
		wrong      func(*Virtual) error
	}{
		{"welded", stepContactor, func(v *Virtual) error { return v.Weld(1, 0, true) }},
		{"does not close", stepContactor, func(v *Virtual) error { return v.Jam(1, 1, true) }},
		{"lock jammed", "lock", func(v *Virtual) error { return v.JamLock(1, true) }},
		{"self-test", "rcd", func(v *Virtual) error { return v.DeafRCD(1, true) }},
		{"converter frozen", "pilot.levels", func(v *Virtual) error { return v.Freeze("2198000.adc/voltage2") }},
		{"proximity cut", "proximity", func(v *Virtual) error { return v.Unplug("2198000.adc/voltage5") }},
		{"wire of the emergency stop broken", "inputs", func(v *Virtual) error { return v.Cut("ESTOP_OK") }},
		{"hot", "temperature", func(v *Virtual) error { return v.Heat(1, "socket", 60_000) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := rehearse(t, "../ac-socket-imx6ull.yaml")
			if err := tc.wrong(h.v); err != nil {
				t.Fatal(err)
			}
			if s := h.start().step(tc.step, 0); s != nil && s.Result == Failed {
				return
			} else if s := h.report().step(tc.step, 1); s == nil || s.Result != Failed {
				t.Errorf("%+v\n%s", s, &h.out)
			}
		})
	}
}

func (h *rehearsal) report() *Report {
	h.t.Helper()
	r, err := Read(h.o.Dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}
