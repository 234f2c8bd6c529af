// Package hid reads cards with readers that are keyboards to the machine: they type the card's number and Enter.
//
// The keyboard is grabbed: what it types reaches nobody else, no console and no login. It is opened again after it was
// unplugged; name it by a path that stays (/dev/input/by-id/...).
package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/rfid"
)

// What is wrong with a keyboard, wrapped with its path.
var (
	ErrUnplugged = errors.New("keyboard is gone")
	ErrHeld      = errors.New("keyboard is in use by another program")
)

// Config says which keyboard, and how it writes.
type Config struct {
	Device string     // a path, or a name below /dev/input: "by-id/usb-...-event-kbd"
	Typed  rfid.Typed // how the UID is written
}

// keyboard is an open event device.
type keyboard interface {
	Read([]byte) (int, error)
	SetReadDeadline(time.Time) error
	Close() error
}

// Reader is a reader that types. It is an rfid.Scanner.
type Reader struct {
	path  string
	typed rfid.Typed
	open  func(path string) (keyboard, error)
	stop  chan struct{}
	kb    keyboard // nil while it is gone
	line  line
}

// New makes a reader of a keyboard; it is opened by the first Scan, and again when it has come back.
func New(c Config) (*Reader, error) {
	if c.Device == "" {
		return nil, errors.New("keyboard reader: want a path, or a name below /dev/input")
	}
	if err := c.Typed.Check(); err != nil {
		return nil, err
	}
	path := c.Device
	if !strings.HasPrefix(path, "/") {
		path = filepath.Join("/dev/input", path)
	}
	return &Reader{path: path, typed: c.Typed, open: open, stop: make(chan struct{})}, nil
}

// look is how long one read waits: Close ends a Scan after that at the latest.
const look = 200 * time.Millisecond

// Scan waits for a line until the deadline of ctx. One that is not a UID is rfid.ErrGarbled.
func (r *Reader) Scan(ctx context.Context) ([]rfid.Card, error) {
	if r.kb == nil {
		kb, err := r.open(r.path)
		if err != nil {
			return nil, fmt.Errorf("keyboard reader %s: %w", r.path, err)
		}
		r.kb, r.line = kb, line{}
	}
	text, err := r.wait(ctx)
	if err != nil || text == "" {
		return nil, err
	}
	card, err := r.typed.Card(text)
	if err != nil {
		return nil, err
	}
	return []rfid.Card{card}, nil
}

// wait reads events until a line has ended, or the deadline has come: the text is empty then.
func (r *Reader) wait(ctx context.Context) (string, error) {
	b := make([]byte, 64*eventSize)
	for {
		text, done, err := r.line.take()
		if done || err != nil {
			return text, err
		}
		until := time.Now().Add(look)
		if end, ok := ctx.Deadline(); ok && end.Before(until) {
			until = end
		}
		r.kb.SetReadDeadline(until)
		n, err := r.kb.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if ctx.Err() != nil || !until.Before(deadline(ctx)) {
				return "", r.line.forget()
			}
		case err != nil:
			r.kb.Close()
			r.kb = nil
			return "", fmt.Errorf("keyboard reader %s: %w: %w", r.path, ErrUnplugged, err)
		default:
			r.line.hear(b[:n])
		}
		select {
		case <-r.stop:
			r.kb.Close()
			r.kb = nil
			return "", os.ErrClosed
		default:
		}
	}
}

// deadline is that of ctx, or one that never comes.
func deadline(ctx context.Context) time.Time {
	if t, ok := ctx.Deadline(); ok {
		return t
	}
	return time.Now().Add(24 * time.Hour)
}

// Close lets the keyboard go, as soon as the Scan that uses it has ended.
func (r *Reader) Close() error {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	return nil
}

// grab is EVIOCGRAB (linux/input.h).
const grab = 0x40044590

func open(path string) (keyboard, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	switch err := unix.IoctlSetInt(fd, grab, 1); {
	case errors.Is(err, unix.EBUSY):
		unix.Close(fd)
		return nil, ErrHeld
	case err != nil:
		unix.Close(fd)
		return nil, fmt.Errorf("no input device: %w", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// An event is the time in two machine words, type and code in 16 bits each, and a value in 32 (struct input_event).
const (
	timeSize  = 2 * strconv.IntSize / 8
	eventSize = timeSize + 8
)

// Types, codes and values of events (linux/input-event-codes.h).
const (
	typeSync    = 0
	typeKey     = 1
	codeDropped = 3 // of typeSync: the kernel's buffer ran over
	pressed     = 1
	keyEnter    = 28
	keyEnterPad = 96
)

// keys are what keys type, by code. Readers press them without Shift, or with: letters are the same here, and the key of
// the colon has no other meaning in a UID.
var keys = map[uint16]byte{
	2: '1', 3: '2', 4: '3', 5: '4', 6: '5', 7: '6', 8: '7', 9: '8', 10: '9', 11: '0',
	30: 'a', 48: 'b', 46: 'c', 32: 'd', 18: 'e', 33: 'f', 12: '-', 39: ':',
	71: '7', 72: '8', 73: '9', 75: '4', 76: '5', 77: '6', 79: '1', 80: '2', 81: '3', 82: '0',
}

// ignored are keys that type nothing: the Shift keys.
var ignored = map[uint16]bool{42: true, 54: true}

// Bounds: a line is as long as a UID can be, and of lines that ended before they were taken the newest are kept.
const (
	maxLine  = 32
	maxLines = 8
)

// line makes lines of events.
type line struct {
	text  []byte
	bad   bool
	lines []typed
}

// typed is a line that has ended; bad if it was none.
type typed struct {
	text string
	bad  bool
}

// hear takes whole events; the kernel gives no others.
func (l *line) hear(b []byte) {
	for ; len(b) >= eventSize; b = b[eventSize:] {
		e := b[timeSize:eventSize]
		kind, code := binary.NativeEndian.Uint16(e), binary.NativeEndian.Uint16(e[2:])
		value := int32(binary.NativeEndian.Uint32(e[4:]))
		switch {
		case kind == typeSync && code == codeDropped:
			l.bad = true
		case kind == typeKey && value == pressed:
			l.press(code)
		}
	}
}

func (l *line) press(code uint16) {
	switch c, known := keys[code]; {
	case code == keyEnter || code == keyEnterPad:
		if len(l.text) > 0 || l.bad {
			l.lines = append(l.lines, typed{string(l.text), l.bad})
			l.lines = l.lines[max(0, len(l.lines)-maxLines):]
		}
		l.text, l.bad = l.text[:0], false
	case ignored[code]:
	case !known || len(l.text) >= maxLine:
		l.bad = true
	default:
		l.text = append(l.text, c)
	}
}

// take returns the first line that has ended.
func (l *line) take() (string, bool, error) {
	if len(l.lines) == 0 {
		return "", false, nil
	}
	t := l.lines[0]
	l.lines = l.lines[1:]
	if t.bad {
		return "", false, fmt.Errorf("line of keys that spell no UID: %w", rfid.ErrGarbled)
	}
	return t.text, true, nil
}

// forget drops a line that did not end in time.
func (l *line) forget() error {
	if len(l.text) == 0 && !l.bad {
		return nil
	}
	n := len(l.text)
	l.text, l.bad = l.text[:0], false
	return fmt.Errorf("line of %d keys without Enter: %w", n, rfid.ErrGarbled)
}
