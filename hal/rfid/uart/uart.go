// Package uart reads cards with readers that type what they have read at a serial port: one line for each card.
//
// Such a reader says nothing until a card comes, so one that has lost its power is not told from one that nobody uses; a
// port that is gone is.
package uart

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/evsed/evsed/hal/rfid"
)

// Port is a serial port, like *serial.Port.
type Port interface {
	Read([]byte) (int, error)
	SetDeadline(time.Time) error
	Close() error
}

// Config says how a line looks. The zero value is UIDs in hexadecimal, each ended by CR, LF or both.
type Config struct {
	Typed rfid.Typed // how the UID is written
	Start byte       // what comes before it: 0x02 (STX), say; 0: nothing
	End   byte       // what ends a line: 0x03 (ETX), say; 0: CR or LF
	Skip  int        // characters between Start and UID that mean something else, at most maxSkip
	XOR   bool       // the last byte of hexadecimal digits is the exclusive or of those before it, and no part of the UID
}

// maxSkip bounds Config.Skip, and maxLine a line.
const (
	maxSkip = 16
	maxLine = 64
)

// Reader is a reader at a port. It is an rfid.Scanner.
type Reader struct {
	c    Config
	port Port
	buf  []byte
	lost bool // what comes until the next end is no line any more
}

// New makes a reader of a port, which belongs to it from then on.
func New(p Port, c Config) (*Reader, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &Reader{c: c, port: p}, nil
}

// Check says what is wrong with a configuration.
func (c Config) Check() error {
	if c.Skip < 0 || c.Skip > maxSkip {
		return fmt.Errorf("serial reader: %d characters to skip: want 0 to %d", c.Skip, maxSkip)
	}
	if c.XOR && c.Typed.Decimal {
		return errors.New("serial reader: a decimal number has no checksum of bytes")
	}
	if c.Start > 0x7F || c.End > 0x7F {
		return errors.New("serial reader: a line begins and ends with an ASCII character")
	}
	if c.Start != 0 && c.Start == c.End {
		return errors.New("serial reader: a line cannot begin and end with the same byte")
	}
	return c.Typed.Check()
}

// Scan waits for a line until the deadline of ctx. A line that is not a UID, or half a one, is rfid.ErrGarbled.
func (r *Reader) Scan(ctx context.Context) ([]rfid.Card, error) {
	end, _ := ctx.Deadline()
	r.port.SetDeadline(end)
	chunk := make([]byte, maxLine)
	for {
		line, ok, err := r.line()
		if err != nil {
			return nil, err
		}
		if ok {
			card, err := r.c.card(line)
			if err != nil {
				return nil, err
			}
			return []rfid.Card{card}, nil
		}
		n, err := r.port.Read(chunk)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, r.half()
		case err != nil:
			r.buf, r.lost = nil, false
			return nil, err
		}
		r.buf = append(r.buf, chunk[:n]...)
	}
}

// half is what a deadline makes of a line that has begun.
func (r *Reader) half() error {
	if len(r.buf) == 0 {
		return nil
	}
	n := len(r.buf)
	r.buf, r.lost = nil, false
	return fmt.Errorf("line of %d characters without an end: %w", n, rfid.ErrGarbled)
}

// line takes the first line that is not empty out of what has come.
func (r *Reader) line() ([]byte, bool, error) {
	for {
		at := bytes.IndexFunc(r.buf, r.c.ends)
		if at < 0 {
			break
		}
		line, lost := r.buf[:at], r.lost
		r.buf, r.lost = r.buf[at+1:], false
		if lost || len(line) == 0 {
			continue
		}
		return line, true, nil
	}
	if len(r.buf) <= maxLine {
		return nil, false, nil
	}
	told := r.lost
	r.buf, r.lost = nil, true
	if told {
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("more than %d characters without an end: check baud rate and line end: %w", maxLine, rfid.ErrGarbled)
}

func (c Config) ends(b rune) bool {
	if c.End == 0 {
		return b == '\r' || b == '\n'
	}
	return b == rune(c.End)
}

// card reads one line.
func (c Config) card(line []byte) (rfid.Card, error) {
	if c.Start != 0 {
		at := bytes.IndexByte(line, c.Start)
		if at < 0 {
			return rfid.Card{}, fmt.Errorf("line without its first byte 0x%02x: %w", c.Start, rfid.ErrGarbled)
		}
		line = line[at+1:]
	}
	if len(line) < c.Skip {
		return rfid.Card{}, fmt.Errorf("line of %d characters, %d to skip: %w", len(line), c.Skip, rfid.ErrGarbled)
	}
	line = bytes.Trim(line[c.Skip:], " \r\n")
	if c.XOR {
		b := make([]byte, len(line)/2)
		if _, err := hex.Decode(b, line); err != nil || len(b) < 2 {
			return rfid.Card{}, fmt.Errorf("want pairs of hexadecimal digits and a checksum: %w", rfid.ErrGarbled)
		}
		var sum byte
		for _, x := range b {
			sum ^= x
		}
		if sum != 0 {
			return rfid.Card{}, fmt.Errorf("wrong checksum: %w", rfid.ErrGarbled)
		}
		line = line[:len(line)-2]
	}
	return c.Typed.Card(string(line))
}

// Close closes the port; a Scan that waits ends.
func (r *Reader) Close() error { return r.port.Close() }
