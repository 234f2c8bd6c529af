package serial

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Config says which port, and how it speaks.
type Config struct {
	Port  string // a path, or a name below /dev: a kernel's (ttymxc2) or an alias of udev (serial/by-id/usb-…)
	Baud  int    // bits per second, 300 to 4000000
	Frame string // data bits, parity, stop bits: "8N1", "8E1", "8O1", "8N2", "7E1" …; empty is 8N1

	// RS485 asks the kernel's driver to turn the direction of a half-duplex transceiver. nil leaves it as device
	// tree or transceiver have it; a driver that cannot is an error only where it was asked for.
	RS485 *RS485

	// Late lets Open succeed while the device is not there: the port opens it when it comes.
	Late bool

	// Notify hears once that the device is gone (err), and once that it is back (nil). It may be nil, is called by
	// who reads or writes, and must not wait.
	Notify func(err error)
}

// RS485 is how the driver turns the transceiver's direction by the RTS line. The receiver is off while sending.
type RS485 struct {
	RTSLow      bool          // RTS is low while sending; high otherwise
	Before      time.Duration // between RTS and the first bit, 0 to 100 ms in whole milliseconds
	After       time.Duration // between the last bit and RTS, as Before
	Termination bool          // switch the bus termination on, where the board can
}

// Bounds of what a port is asked for.
const (
	minBaud       = 300
	maxBaud       = 4_000_000
	maxRS485Delay = 100 * time.Millisecond
)

// frame is a parsed Config.Frame.
type frame struct {
	data, stop int
	parity     byte // 'N', 'E', 'O'
}

// bits is how many bit times a character takes, with its start bit.
func (f frame) bits() int {
	n := 1 + f.data + f.stop
	if f.parity != 'N' {
		n++
	}
	return n
}

// parseFrame parses "8N1" and its like.
func parseFrame(s string) (frame, error) {
	if s == "" {
		s = "8N1"
	}
	f := frame{}
	if len(s) == 3 {
		f = frame{data: int(s[0] - '0'), parity: s[1], stop: int(s[2] - '0')}
	}
	if len(s) != 3 || f.data < 5 || f.data > 8 || !strings.ContainsRune("NEO", rune(f.parity)) || f.stop < 1 || f.stop > 2 {
		return f, fmt.Errorf("frame %q: want data bits 5 to 8, parity N, E or O, and 1 or 2 stop bits, like 8N1", s)
	}
	return f, nil
}

// Check says what is wrong with a configuration, without looking at the machine.
func (c Config) Check() error {
	if c.Port == "" {
		return fmt.Errorf("serial port: want a path or a name below /dev")
	}
	if c.Baud < minBaud || c.Baud > maxBaud {
		return fmt.Errorf("serial port %s: baud rate %d: want %d to %d", c.Port, c.Baud, minBaud, maxBaud)
	}
	if _, err := parseFrame(c.Frame); err != nil {
		return fmt.Errorf("serial port %s: %w", c.Port, err)
	}
	if r := c.RS485; r != nil {
		for _, d := range []time.Duration{r.Before, r.After} {
			if d < 0 || d > maxRS485Delay || d%time.Millisecond != 0 {
				return fmt.Errorf("serial port %s: RS-485 delay %v: want whole milliseconds, 0 to %v", c.Port, d, maxRS485Delay)
			}
		}
	}
	return nil
}

// Path is the device file of a port's name.
func (c Config) Path() string {
	if strings.HasPrefix(c.Port, "/") {
		return filepath.Clean(c.Port)
	}
	return filepath.Join("/dev", c.Port)
}

// Char is how long one character takes on the line.
func (c Config) Char() time.Duration {
	f, err := parseFrame(c.Frame)
	if err != nil || c.Baud <= 0 {
		return 0
	}
	return time.Duration(f.bits()) * time.Second / time.Duration(c.Baud)
}
