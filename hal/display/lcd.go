package display

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/i2c"
)

// Size is how many characters an LCD has.
type Size struct{ Columns, Rows int }

// LCD is a display with an HD44780 or its like, on 4 data lines behind a PCF8574 with the usual wiring: P0 RS, P1 R/W,
// P2 E, P3 backlight, P4 to P7 D4 to D7. The chip belongs to it from then on.
func LCD(chip *i2c.Device, s Size, o Options) (*Display, error) {
	if s.Columns < 8 || s.Columns > 40 || s.Rows < 1 || s.Rows > 4 || s.Columns*s.Rows > 80 {
		return nil, fmt.Errorf("%s: %d by %d characters: want 8 to 40 columns, 1 to 4 rows, 80 characters at most", o.Name, s.Columns, s.Rows)
	}
	return newDisplay(&lcd{chip: chip, size: s}, o), nil
}

// Bits of the port expander.
const (
	rs        = 0x01 // a character, and no command
	enable    = 0x04
	backlight = 0x08
)

// Commands (HD44780U data sheet, table 6).
const (
	clearAll   = 0x01
	entryRight = 0x06
	displayOn  = 0x0C
	fourBits   = 0x20
	twoLines   = 0x08 // of fourBits
	setAddress = 0x80
)

// How long the controller needs. At 100 kbit/s half a byte takes 270 us on the bus, which is longer than all but these.
const (
	transferWithin = 200 * time.Millisecond
	powerUp        = 50 * time.Millisecond
	firstReset     = 5 * time.Millisecond
	clearing       = 2 * time.Millisecond
)

// rows are where the rows begin in the controller's memory; those of four are the halves of two.
func (s Size) row(i int) byte {
	return [...]byte{0x00, 0x40, byte(s.Columns), 0x40 + byte(s.Columns)}[i]
}

type lcd struct {
	chip  *i2c.Device
	size  Size
	ready bool
	shown string // what it shows; only if ready
	looks int    // since it was set up
}

// again is after how many times that the same text was shown the controller is set up anew: one whose supply dipped
// shows nothing, or rubbish, and nobody can ask it.
const again = 2

func (l *lcd) show(text string) error {
	if l.ready && l.shown == text {
		if l.looks++; l.looks < again {
			return nil
		}
	}
	if !l.ready || l.shown == text {
		if err := l.setUp(); err != nil {
			l.ready = false
			return err
		}
	}
	lines := Wrap(text, l.size.Columns, l.size.Rows)
	for i := range l.size.Rows {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		line += strings.Repeat(" ", l.size.Columns-len(line))
		if err := l.row(i, line); err != nil {
			l.ready = false
			return err
		}
	}
	l.ready, l.shown, l.looks = true, text, 0
	return nil
}

// setUp brings the controller into 4-bit mode from whatever state it is in (data sheet, figure 24).
func (l *lcd) setUp() error {
	time.Sleep(powerUp)
	for i, half := range []byte{0x3, 0x3, 0x3, 0x2} {
		if err := l.send(nibble(nil, half, 0)); err != nil {
			return err
		}
		if i == 0 {
			time.Sleep(firstReset)
		}
	}
	function := byte(fourBits)
	if l.size.Rows > 1 {
		function |= twoLines
	}
	var b []byte
	for _, c := range []byte{function, displayOn, entryRight, clearAll} {
		b = octet(b, c, 0)
	}
	if err := l.send(b); err != nil {
		return err
	}
	time.Sleep(clearing)
	return nil
}

// row writes one row.
func (l *lcd) row(i int, line string) error {
	b := octet(nil, setAddress|l.size.row(i), 0)
	for _, c := range []byte(line) {
		b = octet(b, glyph(c), rs)
	}
	return l.send(b)
}

// glyph is what stands for a character that the controller's first ROM has not: yen and arrows are in their place.
func glyph(c byte) byte {
	switch c {
	case '\\':
		return '/'
	case '~':
		return '-'
	}
	return c
}

// octet appends what the expander is told for a byte: its upper half, then its lower one.
func octet(b []byte, c, flags byte) []byte { return nibble(nibble(b, c>>4, flags), c&0x0F, flags) }

// nibble appends half a byte: RS stands before E rises, and the controller takes it when E falls.
func nibble(b []byte, half, flags byte) []byte {
	port := half<<4 | flags | backlight
	return append(b, port, port|enable, port)
}

func (l *lcd) send(b []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), transferWithin)
	defer cancel()
	return l.chip.Transfer(ctx, b, nil)
}

func (l *lcd) close() error {
	l.chip.Release()
	return nil
}
