package probe

import (
	"fmt"
	"io"
	"strings"
)

// page writes lines, and remembers the first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// section begins a kind of wires; where there is none of it, it says so.
func (p *page) section(what string, n int) {
	if n == 0 {
		what += ": none"
	}
	p.line("\n# %s", what)
}

// Text writes m for people: behind each wire's name as a board file has it is what else is known, as a comment.
func (m *Machine) Text(w io.Writer) error {
	p := &page{w: w}
	model := m.Model
	if model == "" {
		model = "unknown machine"
	}
	kernel := m.Kernel
	if kernel == "" {
		kernel = "unknown"
	}
	p.line("# %s, Linux %s", model, kernel)
	m.lines(p)
	m.analog(p)
	m.buses(p)
	m.rest(p)
	return p.err
}

func (m *Machine) lines(p *page) {
	p.section("GPIO lines", len(m.GPIO))
	for _, c := range m.GPIO {
		if c.Problem != "" {
			p.line("# %s: %s", c.Name, c.Problem)
			continue
		}
		nameless := 0
		for _, l := range c.Lines {
			if l.Name == "" {
				nameless++
			}
		}
		p.line("# %s, %s; lines: %d, without a name: %d (gpio-line-names of the device tree gives them one)", c.Name, c.Label, len(c.Lines), nameless)
		for _, l := range c.Lines {
			if l.Name != "" {
				p.line("%-34s # line %d, %s", `"gpio:`+l.Name+`"`, l.Offset, l.state())
			}
		}
	}
}

func (l Line) state() string {
	s := "input"
	if l.Output {
		s = "output"
	}
	switch {
	case l.Consumer != "":
		s += ", used by " + l.Consumer
	case l.Used:
		s += ", used by the kernel"
	default:
		s += ", free"
	}
	if l.Twice {
		s += "; ANOTHER LINE HAS THIS NAME, TOO"
	}
	return s
}

func (m *Machine) analog(p *page) {
	p.section("PWM", len(m.PWM))
	for _, c := range m.PWM {
		p.line("%-34s # %s, channels 0 to %d", fmt.Sprintf("pwm: {chip: %q, channel: 0}", c.Chip), c.Class, c.Channels-1)
	}
	p.section("analog inputs", len(m.ADC))
	for _, c := range m.ADC {
		for _, ch := range c.Channels {
			now := "cannot be read"
			if ch.Raw != nil {
				now = fmt.Sprintf("shows %d", *ch.Raw)
			}
			if ch.Scale != "" {
				now += ", " + ch.Scale + " mV a count at the pin"
			}
			p.line("%-34s # %s", fmt.Sprintf("adc: %q", c.Device+"/"+ch.Name), now)
		}
	}
	p.section("thermometers", len(m.Thermometers))
	for _, t := range m.Thermometers {
		kind, name, _ := strings.Cut(t.Source, ":")
		now := t.Problem
		if t.Milli != nil {
			now = fmt.Sprintf("shows %d.%03d C", *t.Milli/1000, abs(*t.Milli%1000))
		}
		p.line("%-34s # %s", fmt.Sprintf("%s: %q", kind, name), now)
	}
}

func abs(n int64) int64 { return max(n, -n) }

func (m *Machine) buses(p *page) {
	p.section("serial ports", len(m.Serial))
	for _, s := range m.Serial {
		p.line("%-34s # or rs485; %s", fmt.Sprintf("uart: %q", s.Port), s.Driver)
	}
	p.section("I2C", len(m.I2C))
	for _, b := range m.I2C {
		about := b.Name
		if !b.Node {
			about += "; NO /dev/i2c-" + fmt.Sprint(b.Bus) + ": the kernel's i2c-dev is not there"
		}
		if len(b.Drivers) > 0 {
			about += "; the kernel has " + strings.Join(b.Drivers, ", ")
		}
		p.line("%-34s # %s", fmt.Sprintf("i2c: %d", b.Bus), about)
	}
	p.section("SPI", len(m.SPI))
	for _, s := range m.SPI {
		p.line("spi: %q", s.Place)
	}
	p.section("CAN", len(m.CAN))
	for _, i := range m.CAN {
		p.line("%-34s # %s", fmt.Sprintf("can: %q", i.Name), upDown(i.Up))
	}
	p.section("network", len(m.Net))
	for _, i := range m.Net {
		p.line("%-34s # %s", fmt.Sprintf("net: %q", i.Name), upDown(i.Up))
	}
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

func (m *Machine) rest(p *page) {
	p.section("watchdogs", len(m.Watchdogs))
	for _, d := range m.Watchdogs {
		about := fmt.Sprintf("%s, %d s", d.Identity, d.Seconds)
		if d.Active {
			about += ", somebody feeds it already"
		}
		p.line("%-34s # %s", fmt.Sprintf("watchdog: {device: %q}", d.Device), about)
	}
	p.section("LEDs", len(m.LEDs))
	for _, l := range m.LEDs {
		p.line("%-34s # trigger %s", fmt.Sprintf("%q", l.Name), l.Trigger)
	}
	p.section("keyboards, and readers that type", len(m.Inputs))
	for _, i := range m.Inputs {
		p.line("%-34s # %s", fmt.Sprintf("%q", "input/"+i.Device), i.Name)
	}
}
