package probe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evsed/evsed/boards"
)

// Resolve looks for every name of a board on a machine: one line of text for each, then the lines of the machine that the board
// does not use. missing counts the names that are not there, there twice, or in somebody's use.
func Resolve(b *boards.Board, m *Machine) (text []string, missing int) {
	uses := b.Uses()
	width := 0
	for _, u := range uses {
		width = max(width, len(label(u)))
	}
	mine := map[string]bool{}
	for _, u := range uses {
		where, ok := m.find(u)
		if !ok {
			missing++
		}
		if u.Line != nil {
			mine[u.Name] = true
		}
		text = append(text, fmt.Sprintf("%-*s -> %s  (%s)", width, label(u), where, u.Path))
	}
	for _, c := range m.GPIO {
		for _, l := range c.Lines {
			if l.Name != "" && !l.Used && !mine[l.Name] {
				text = append(text, fmt.Sprintf("not used: %s (%s line %d)", l.Name, c.Name, l.Offset))
			}
		}
	}
	return text, missing
}

// label is a name as one can look for it: a bus that is a number has its device's.
func label(u boards.Use) string {
	switch u.Kind {
	case boards.UseI2C:
		return "i2c-" + u.Name
	case boards.UseSPI:
		return "spidev" + u.Name
	}
	return u.Name
}

// find says where a name is.
func (m *Machine) find(u boards.Use) (where string, ok bool) {
	switch u.Kind {
	case boards.UseOutput, boards.UseInput:
		return m.findLine(u.Name)
	case boards.UsePWM:
		chip, channel, _ := cutLast(u.Name)
		n, _ := strconv.Atoi(channel)
		for _, p := range m.PWM {
			if p.Chip == chip {
				return fmt.Sprintf("%s channel %d of %d", p.Class, n, p.Channels), n < p.Channels
			}
		}
	case boards.UseADC:
		device, channel, _ := cutLast(u.Name)
		for _, d := range m.ADC {
			for _, c := range d.Channels {
				if (d.Device == device || d.Name == device) && c.Name == channel {
					if c.Raw == nil {
						return "cannot be read", false
					}
					return fmt.Sprintf("reads %d", *c.Raw), true
				}
			}
		}
	case boards.UseThermometer:
		for _, t := range m.Thermometers {
			if t.Source == u.Name {
				if t.Milli == nil {
					return t.Problem, false
				}
				return fmt.Sprintf("reads %d.%03d C", *t.Milli/1000, abs(*t.Milli)%1000), true
			}
		}
	default:
		return m.findDevice(u)
	}
	return "not on this machine", false
}

// cutLast cuts at the last slash.
func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func (m *Machine) findLine(name string) (string, bool) {
	for _, c := range m.GPIO {
		for _, l := range c.Lines {
			if l.Name != name {
				continue
			}
			where := fmt.Sprintf("%s line %d", c.Name, l.Offset)
			switch {
			case l.Twice:
				return where + ", and another of this name: neither can be used", false
			case l.Used:
				return fmt.Sprintf("%s, used by %s", where, l.Consumer), false
			case l.Output:
				return where + ", output", true
			}
			return where + ", input", true
		}
	}
	return "not on this machine", false
}

func (m *Machine) findDevice(u boards.Use) (string, bool) {
	switch u.Kind {
	case boards.UseSerial:
		for _, p := range m.Serial {
			if p.Port == u.Name {
				return "serial port of " + p.Driver, true
			}
		}
	case boards.UseI2C:
		for _, p := range m.I2C {
			if strconv.Itoa(p.Bus) == u.Name {
				return fmt.Sprintf("I2C bus %s", p.Name), p.Node
			}
		}
	case boards.UseSPI:
		for _, p := range m.SPI {
			if p.Place == u.Name {
				return "SPI place", true
			}
		}
	case boards.UseInterface:
		for _, list := range [][]Interface{m.CAN, m.Net} {
			for _, p := range list {
				if p.Name == u.Name {
					return "interface, " + upDown(p.Up), true
				}
			}
		}
	case boards.UseWatchdog:
		for _, p := range m.Watchdogs {
			if "/dev/"+p.Device == u.Name || p.Device == u.Name {
				return p.Identity, true
			}
		}
	case boards.UseLED:
		for _, p := range m.LEDs {
			if p.Name == u.Name {
				return "LED", true
			}
		}
	case boards.UseInputDevice:
		for _, p := range m.Inputs {
			if p.Device == u.Name {
				return p.Name, true
			}
		}
	}
	return "not on this machine", false
}
