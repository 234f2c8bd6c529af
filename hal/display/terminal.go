package display

import (
	"strings"
	"time"
)

// Port is a serial port, like *serial.Port.
type Port interface {
	Write([]byte) (int, error)
	SetDeadline(time.Time) error
	Close() error
}

// maxColumns bounds a terminal's line.
const maxColumns = 132

// Terminal is a display that understands carriage return and the ANSI sequence that clears a line: a terminal, a modem of
// text, a virtual console. One line of so many columns is used. The port belongs to it from then on.
func Terminal(p Port, columns int, o Options) *Display {
	return newDisplay(&terminal{p, min(max(columns, 1), maxColumns)}, o)
}

type terminal struct {
	port    Port
	columns int
}

// clearLine goes to the beginning of the line and clears it to its end (ECMA-48, EL).
const clearLine = "\r\x1b[K"

func (t *terminal) show(text string) error {
	line := strings.Join(Wrap(text, t.columns, 1), "")
	if err := t.port.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	_, err := t.port.Write([]byte(clearLine + line))
	return err
}

func (t *terminal) close() error { return t.port.Close() }
