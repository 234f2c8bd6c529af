package light

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/unit"
)

// eye sees what a lamp shows, and when.
type eye struct {
	mu    sync.Mutex // guards all
	seen  []flash
	err   error
	gone  bool
	tries int
}

type flash struct {
	at    time.Time
	color Color
}

func (e *eye) Set(c Color) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	if e.err == nil {
		e.seen = append(e.seen, flash{time.Now(), c})
	}
	return e.err
}

func (e *eye) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone = true
	return nil
}

func (e *eye) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// after lets time pass and returns what was seen meanwhile.
func (e *eye) after(d time.Duration) string {
	start := time.Now()
	time.Sleep(d)
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var words []string
	for _, f := range e.seen {
		words = append(words, fmt.Sprintf("%v %02x%02x%02x", f.at.Sub(start), f.color.R, f.color.G, f.color.B))
	}
	e.seen = nil
	return strings.Join(words, ", ")
}

// notes is what was told of a device.
type notes struct {
	mu  sync.Mutex // guards all
	all []error
}

func (n *notes) add(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, err)
}

// list waits until everybody else does, and returns what was told until then.
func (n *notes) list() []error {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

func play(t *testing.T, f func(t *testing.T, e *eye, l *Light, told *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &eye{}
		var told notes
		l, err := New(e, Options{Name: "light", Notify: told.add})
		if err != nil {
			t.Fatal(err)
		}
		e.after(0)
		f(t, e, l, &told)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := e.after(0); !e.gone || got != "0s 000000" {
			t.Errorf("closed and not dark: %q", got)
		}
	})
}

// step does something and looks at the lamp for a while from then on.
func step(t *testing.T, e *eye, do error, d time.Duration, want string) {
	t.Helper()
	if do != nil {
		t.Fatal(do)
	}
	if got := e.after(d); got != want {
		t.Errorf("seen %q, want %q", got, want)
	}
}

func TestLightShowsAndBlinks(t *testing.T) {
	play(t, func(t *testing.T, e *eye, l *Light, _ *notes) {
		step(t, e, l.Show(hal.IndicateAvailable), time.Hour, "0s 00ff00")
		step(t, e, l.Show(hal.IndicateAvailable), time.Hour, "")
		step(t, e, l.Show(hal.IndicateFaulted), 1200*time.Millisecond, "0s ff0000, 500ms 000000, 1s ff0000")
		step(t, e, l.Show(hal.IndicateOff), time.Hour, "0s 000000")
		step(t, e, l.Show(hal.IndicateAvailable), time.Hour, "0s 00ff00")
		step(t, e, l.Blink(hal.SignalRefused, 2), time.Hour, "0s ff0000, 100ms 000000, 300ms ff0000, 400ms 000000, 600ms 00ff00")
		step(t, e, l.Blink(hal.SignalRefused, 5), 50*time.Millisecond, "0s ff0000")
		step(t, e, l.Blink(hal.SignalAccepted, 1), 100*time.Millisecond, "0s 00ff00") // ends the one before
		step(t, e, l.Show(hal.IndicateConnected), 2*time.Second, "500ms 000000, 700ms 00ffa0, 1s 000000, 2s 00ffa0")
	})
}

func TestLightDims(t *testing.T) {
	play(t, func(t *testing.T, e *eye, l *Light, _ *notes) {
		step(t, e, l.Show(hal.IndicateReserved), time.Millisecond, "0s ffa000")
		step(t, e, l.Dim(50*unit.OnePercent), time.Millisecond, "0s 805000")
		step(t, e, l.Dim(1), time.Millisecond, "0s 010100")
		step(t, e, l.Dim(0), time.Millisecond, "0s 000000")
		for _, level := range []unit.Percent{-1, unit.HundredPercent + 1} {
			if err := l.Dim(level); !errors.Is(err, ErrBadValue) {
				t.Errorf("dim to %d: %v", level, err)
			}
		}
		if err := l.Show(hal.IndicateFaulted + 1); !errors.Is(err, ErrBadValue) {
			t.Error(err)
		}
		if err := errors.Join(l.Blink(0, 1), l.Blink(3, 1), l.Blink(hal.SignalAccepted, 0)); !errors.Is(err, ErrBadValue) || strings.Count(err.Error(), "\n") != 2 {
			t.Error(err)
		}
	})
}

func TestLampThatFailsIsToldOnceAndComesBack(t *testing.T) {
	broken := errors.New("no such device")
	play(t, func(t *testing.T, e *eye, l *Light, told *notes) {
		e.fail(broken)
		l.Show(hal.IndicateFaulted)
		e.after(time.Minute)
		if told := told.list(); len(told) != 1 || !errors.Is(told[0], broken) || !strings.Contains(told[0].Error(), "light: ") {
			t.Errorf("told %v", told)
		}
		e.mu.Lock()
		tries := e.tries
		e.mu.Unlock()
		if tries > 15 {
			t.Errorf("%d tries in a minute", tries)
		}
		e.fail(nil)
		l.Show(hal.IndicateAvailable)
		e.after(10 * time.Second)
		if told := told.list(); len(told) != 2 || told[1] != nil {
			t.Errorf("told %v", told)
		}
	})
}

// TestDefaultIsReadByRhythmAlone: on a lamp of one color, no two patterns look alike.
func TestDefaultIsReadByRhythmAlone(t *testing.T) {
	if err := Default.Check(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	look := func(name string, p Pattern) {
		var rhythm strings.Builder
		for _, s := range p {
			fmt.Fprint(&rhythm, s.Color != dark, s.For, " ")
		}
		if other := seen[rhythm.String()]; other != "" {
			t.Errorf("%s looks like %s", name, other)
		}
		seen[rhythm.String()] = name
	}
	for i, p := range Default.Indications {
		look(hal.Indication(i).String(), p)
	}
	look("accepted", Default.Signals[hal.SignalAccepted])
	look("refused", Default.Signals[hal.SignalRefused])
}

func TestPatternsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Patterns){
		"missing":    func(p *Patterns) { p.Indications[hal.IndicateCharging] = nil },
		"too fast":   func(p *Patterns) { p.Indications[hal.IndicateCharging] = blinks(red, 50, 50) },
		"too slow":   func(p *Patterns) { p.Indications[hal.IndicateCharging] = blinks(red, 50, 61_000) },
		"too many":   func(p *Patterns) { p.Indications[hal.IndicateCharging] = make(Pattern, maxSteps+1) },
		"no blinker": func(p *Patterns) { p.Signals[hal.SignalRefused] = Pattern{{Color: red}} },
	} {
		p := Default
		spoil(&p)
		if _, err := New(&eye{}, Options{Patterns: &p}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

type lineOut struct{ is *string }

func (l lineOut) Set(active bool) error { *l.is += fmt.Sprint(active, " "); return nil }

type pwmOut struct{ is *string }

func (p pwmOut) Set(period, on time.Duration) error {
	*p.is += fmt.Sprint(on, "/", period, " ")
	return nil
}

func TestLamps(t *testing.T) {
	var is string
	three, one := lineOut{&is}, lineOut{&is}
	rgb, _ := Lines(three, three, three)
	mono, _ := Lines(one)
	const ms = time.Millisecond
	pwm3, err := PWM(ms, false, pwmOut{&is}, pwmOut{&is}, pwmOut{&is})
	if err != nil {
		t.Fatal(err)
	}
	inverted, err := PWM(ms, true, pwmOut{&is})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		lamp  Lamp
		color Color
		want  string
	}{
		{"three lines", rgb, orange, "true true false "},
		{"one line", mono, blue, "true "},
		{"one line, dark", mono, dark, "false "},
		{"three channels", pwm3, Color{255, 128, 0}, "1ms/1ms 251.964µs/1ms 0s/1ms "},
		{"an inverted channel", inverted, white, "0s/1ms "},
		{"an inverted channel, dark", inverted, dark, "1ms/1ms "},
	} {
		is = ""
		if err := c.lamp.Set(c.color); err != nil || is != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, is, err, c.want)
		}
	}
	for _, err := range []error{second(Lines(one, one)), second(PWM(ms, false)), second(PWM(time.Second, false, pwmOut{&is})), second(LEDs("/"))} {
		if err == nil {
			t.Error("accepted")
		}
	}
}

func second(_ Lamp, err error) error { return err }

var _ pwm.Channel = pwmOut{}

func TestKernelLEDs(t *testing.T) {
	root := t.TempDir()
	file := func(led, name string) string { return filepath.Join(root, "sys/class/leds", led, name) }
	for led, most := range map[string]string{"red": "255\n", "green": "1\n", "blue": "10\n"} {
		if err := os.MkdirAll(filepath.Dir(file(led, "x")), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"max_brightness": most, "brightness": "0\n", "trigger": "[heartbeat] none\n"} {
			if led == "blue" && name == "trigger" {
				continue
			}
			if err := os.WriteFile(file(led, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	lamp, err := LEDs(root, "red", "green", "blue")
	if err != nil {
		t.Fatal(err)
	}
	read := func(led, name string) string {
		b, _ := os.ReadFile(file(led, name))
		line, _, _ := strings.Cut(string(b), "\n")
		return line
	}
	if got := read("red", "trigger"); got != "none" {
		t.Errorf("trigger %q", got)
	}
	for _, c := range []struct {
		color Color
		want  string
	}{{Color{200, 1, 1}, "200 1 1"}, {Color{0, 255, 128}, "0 1 5"}, {dark, "0 0 0"}} {
		if err := lamp.Set(c.color); err != nil {
			t.Error(err)
		}
		if got := read("red", "brightness") + " " + read("green", "brightness") + " " + read("blue", "brightness"); got != c.want {
			t.Errorf("%v is %s, want %s", c.color, got, c.want)
		}
	}
	if err := lamp.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"nowhere", "../../x", ""} {
		if _, err := LEDs(root, name); err == nil {
			t.Errorf("LED %q is there", name)
		}
	}
}
