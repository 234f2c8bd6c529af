package parts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/thermo"
	"github.com/evsed/evsed/hal/unit"
)

var errPulled = errors.New("pulled out")

// memory is a kernel in memory, with virtual time.
type memory struct {
	now   time.Time
	lines map[string]*line
	pwms  map[string]*channel
	adcs  map[string]*count
	therm map[string]*warmth
	specs map[string]gpio.Spec
	told  []string // what outputs were told, in order
	opens int
}

type line struct {
	k    *memory
	name string
	on   bool
	err  error
}

func (l *line) Set(on bool) error {
	if l.err != nil {
		return l.err
	}
	l.on = on
	if l.k.told != nil {
		l.k.told = append(l.k.told, map[bool]string{true: "+", false: "-"}[on]+l.name)
	}
	return nil
}

func (l *line) Get() (bool, error) { return l.on, l.err }

type channel struct {
	period, on time.Duration
	err        error
}

func (c *channel) Set(period, on time.Duration) error {
	if c.err == nil {
		c.period, c.on = period, on
	}
	return c.err
}

// count is a converter's channel. While reset is active it shows discharged.
type count struct {
	raw, discharged int32
	reset           *line
	err             error
	once            error // fails a single time
	reads           int
}

func (c *count) Raw() (int32, error) {
	c.reads++
	if err := c.once; err != nil {
		c.once = nil
		return 0, err
	}
	if c.reset != nil && c.reset.on {
		return c.discharged, c.err
	}
	return c.raw, c.err
}

type warmth struct {
	t   unit.Temperature
	err error
}

func (w *warmth) Temperature() (unit.Temperature, error) { return w.t, w.err }

func newMemory() *memory {
	return &memory{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), lines: map[string]*line{}, pwms: map[string]*channel{},
		adcs: map[string]*count{}, therm: map[string]*warmth{}, specs: map[string]gpio.Spec{}}
}

func (m *memory) line(name string) *line {
	if m.lines[name] == nil {
		m.lines[name] = &line{k: m, name: name}
	}
	return m.lines[name]
}

func (m *memory) adc(name string) *count {
	if m.adcs[name] == nil {
		m.adcs[name] = &count{}
	}
	return m.adcs[name]
}

func (m *memory) Output(s gpio.Spec) (gpio.Output, error) {
	m.specs[s.Name] = s
	return m.line(s.Name), missing(s.Name)
}

func (m *memory) Input(s gpio.Spec) (gpio.Input, error) {
	m.specs[s.Name] = s
	return m.line(s.Name), missing(s.Name)
}

func (m *memory) PWM(name string) (pwm.Channel, error) {
	if m.pwms[name] == nil {
		m.pwms[name] = &channel{}
	}
	return m.pwms[name], missing(name)
}

func (m *memory) ADC(name string) (adc.Channel, error) { return m.adc(name), missing(name) }

func (m *memory) Thermometer(name string) (thermo.Source, error) {
	if m.therm[name] == nil {
		m.therm[name] = &warmth{}
	}
	return m.therm[name], missing(name)
}

func (m *memory) Watchdog(path string, _ time.Duration) (hal.Watchdog, error) {
	return nil, missing("missing")
}

// silent is a serial line on which nobody answers.
type silent struct{}

func (silent) Read([]byte) (int, error)    { return 0, nil }
func (silent) Write(b []byte) (int, error) { return len(b), nil }

func (m *memory) MCU(s mcu.Spec) (*mcu.MCU, error) { return mcu.New(s, silent{}, m.Now) }

func (m *memory) Now() time.Time { return m.now }

func (m *memory) opened() { m.opens++ }

func missing(name string) error {
	if strings.HasPrefix(name, "missing") {
		return errors.New("no such thing")
	}
	return nil
}

func (m *memory) pass(d time.Duration) { m.now = m.now.Add(d) }

// open makes a device of parts.
func open[T any](t *testing.T, m *memory, ps ...hal.Part) T {
	t.Helper()
	d, err := Open(m, ps)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := d.(T)
	if !ok {
		t.Fatalf("%T is none", d)
	}
	return v
}

func out(role hal.PartRole, name string, v ...int32) hal.Part {
	return part(hal.PartOutput, role, name, v...)
}

func in(role hal.PartRole, name string, v ...int32) hal.Part {
	return part(hal.PartInput, role, name, v...)
}

func part(kind hal.PartKind, role hal.PartRole, name string, v ...int32) hal.Part {
	v = append(v, 0, 0, 0, 0)
	return hal.Part{Kind: kind, Role: role, Name: name, A: v[0], B: v[1], C: v[2], D: v[3]}
}

// flagged is a part with flags.
func flagged(p hal.Part, f hal.PartFlags) hal.Part {
	p.Flags |= f
	return p
}

// noAllocations wants a cycle's work to allocate nothing.
func noAllocations(t *testing.T, do func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, do); n != 0 {
		t.Errorf("%v allocations a cycle", n)
	}
}
