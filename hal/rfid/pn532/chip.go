package pn532

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/station/term"
)

// What is wrong with a chip.
var (
	ErrSilent  = errors.New("PN532 does not answer: check power, wiring and the chip's interface switches")
	ErrGarbled = errors.New("PN532 is not understood: check baud rate, wiring and ground")
	ErrOther   = errors.New("chip is no PN532")
)

// Config is how a chip is wired besides its bus.
type Config struct {
	Reset gpio.Output // active: the chip is held in reset; nil where it is not wired
}

// Chip is a PN532. It is an rfid.Scanner.
type Chip struct {
	link  Link
	reset gpio.Output
	ready bool // it is awake and set up
	twice bool // the last command was said more than once: it may have been carried out as often
}

// New makes a chip of what speaks to it.
func New(l Link, c Config) *Chip { return &Chip{link: l, reset: c.Reset} }

// Codes of commands (manual, 7); the answer to one has the code after it.
const (
	getFirmwareVersion  = 0x02
	samConfiguration    = 0x14
	rfConfiguration     = 0x32
	inListPassiveTarget = 0x4A
	inRelease           = 0x52
)

// How long the steps of a command may take, and how often each is tried.
const (
	ackWithin    = 100 * time.Millisecond // the chip needs 15; the rest is for us on a busy machine
	answerWithin = 400 * time.Millisecond
	tries        = 3
	shortAnswer  = 64 // bytes that are read at first where a frame's length is not known before it is read
	resetFor     = 2 * time.Millisecond
	bootFor      = 20 * time.Millisecond
)

// Scan looks for cards of ISO/IEC 14443 type A. It returns one card, none, or ErrTwoCards.
func (c *Chip) Scan(ctx context.Context) ([]rfid.Card, error) {
	if !c.ready {
		if err := c.setUp(ctx); err != nil {
			return nil, err
		}
		c.ready = true
	}
	// Two targets at 106 kbit/s, type A: who asks for one alone never learns that there were two.
	b, err := c.ask(ctx, inListPassiveTarget, 2, 0x00)
	if err != nil {
		c.ready = false
		return nil, err
	}
	cards, err := targets(b)
	if err == nil && len(cards) == 0 && !c.twice {
		return nil, nil
	}
	// A target that is not released would not be found again by the next look.
	if _, failed := c.ask(ctx, inRelease, 0x00); failed != nil {
		c.ready = false
	}
	return cards, err
}

// Close ends the link.
func (c *Chip) Close() error { return c.link.close() }

// Version is the chip's firmware, like "1.6".
func (c *Chip) Version(ctx context.Context) (string, error) {
	b, err := c.ask(ctx, getFirmwareVersion)
	if err != nil {
		return "", err
	}
	if len(b) < 4 || b[0] != 0x32 {
		return "", fmt.Errorf("%w: it calls itself % x", ErrOther, b)
	}
	return fmt.Sprintf("%d.%d", b[1], b[2]), nil
}

// setUp brings a chip from any state to where it looks for cards and gives up soon when there are none.
func (c *Chip) setUp(ctx context.Context) error {
	if err := c.restart(ctx); err != nil {
		return err
	}
	if err := c.link.drop(ctx); err != nil {
		return err
	}
	if err := c.link.wake(ctx); err != nil {
		return err
	}
	// Normal mode: no secure element; the first command after power-up, or the chip stays half asleep.
	if _, err := c.ask(ctx, samConfiguration, 0x01, 0x00, 0x00); err != nil {
		return err
	}
	if _, err := c.Version(ctx); err != nil {
		return err
	}
	// Retries of item 5: the default for passive targets is for ever, which is an answer that never comes.
	if _, err := c.ask(ctx, rfConfiguration, 0x05, 0xFF, 0x01, 0x01); err != nil {
		return err
	}
	// A target whose listing was lost on its way is still selected.
	_, err := c.ask(ctx, inRelease, 0x00)
	return err
}

// restart pulls the reset line, where there is one.
func (c *Chip) restart(ctx context.Context) error {
	if c.reset == nil {
		return nil
	}
	if err := c.reset.Set(true); err != nil {
		return fmt.Errorf("reset PN532: %w", err)
	}
	if err := pause(ctx, resetFor); err != nil {
		return err
	}
	if err := c.reset.Set(false); err != nil {
		return fmt.Errorf("reset PN532: %w", err)
	}
	return pause(ctx, bootFor)
}

// ask sends a command and returns what follows the code of its answer.
func (c *Chip) ask(ctx context.Context, code byte, args ...byte) ([]byte, error) {
	if err := c.say(ctx, command(code, args...)); err != nil {
		return nil, err
	}
	b, err := c.answer(ctx, code+1)
	if err != nil && ctx.Err() == nil {
		c.link.send(ctx, ackBytes) // the host's ACK ends a command that goes on (manual, 6.2.1.3)
	}
	return b, err
}

// say sends a frame until it is acknowledged.
func (c *Chip) say(ctx context.Context, b []byte) error {
	var last error
	for try := range tries {
		if c.twice = try > 0; c.twice {
			if err := c.link.wake(ctx); err != nil {
				return c.wrong(ctx, err)
			}
		}
		if err := c.link.send(ctx, b); err != nil {
			return c.wrong(ctx, err)
		}
		if last = c.acknowledged(ctx); last == nil {
			return nil
		}
		if !transient(last) || ctx.Err() != nil {
			break
		}
	}
	return c.wrong(ctx, last)
}

// acknowledged waits for the chip's ACK. What is left of an earlier command is passed over.
func (c *Chip) acknowledged(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	for {
		f, err := c.link.receive(ctx, len(ackBytes))
		if err != nil {
			return err
		}
		switch f.kind {
		case acknowledge:
			return nil
		case refuse:
			return errChecksum
		}
	}
}

// answer waits for the answer of that code.
func (c *Chip) answer(ctx context.Context, code byte) ([]byte, error) {
	all := ctx
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for spoilt := 0; ; {
		f, err := c.link.receive(ctx, shortAnswer)
		if err == nil && f.kind == data && (len(f.body) < 2 || f.body[0] != fromChip) {
			err = errChecksum // nothing that a chip says: zeros have a checksum too
		}
		switch {
		case errors.Is(err, errChecksum) || errors.Is(err, errShort) && ctx.Err() == nil:
			if spoilt++; spoilt >= tries {
				return nil, c.wrong(all, err)
			}
			if err := c.link.send(ctx, nackBytes); err != nil {
				return nil, c.wrong(all, err)
			}
		case err != nil:
			return nil, c.wrong(all, err)
		case f.kind == failure:
			return nil, fmt.Errorf("PN532 refuses command 0x%02x", code-1)
		case f.kind == data && f.body[1] == code:
			return f.body[2:], nil
		}
	}
}

// transient says that saying it again may help.
func transient(err error) bool {
	return errors.Is(err, errChecksum) || errors.Is(err, errShort) || timeout(err)
}

func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// wrong names what an error of the link means. A port that is gone says so itself.
func (c *Chip) wrong(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil && !timeout(ctx.Err()):
		return ctx.Err()
	case errors.Is(err, errChecksum), errors.Is(err, errShort):
		return fmt.Errorf("%w (%w)", ErrGarbled, err)
	case timeout(err):
		return fmt.Errorf("%w (%w)", ErrSilent, err)
	}
	return err
}

// targets reads the answer to a list of passive targets: their number, and then for each its number, SENS_RES (two
// bytes), SEL_RES, the UID's length and the UID (manual, 7.3.5). What cards say here is not to be trusted.
func targets(b []byte) ([]rfid.Card, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("empty list of targets: %w", rfid.ErrGarbled)
	case b[0] == 0:
		return nil, nil
	case b[0] > 1:
		return nil, rfid.ErrTwoCards
	case len(b) < 6:
		return nil, fmt.Errorf("target of %d bytes: %w", len(b)-1, rfid.ErrGarbled)
	}
	n := int(b[5])
	if len(b) < 6+n {
		return nil, fmt.Errorf("UID of %d bytes in a target of %d: %w", n, len(b)-1, rfid.ErrGarbled)
	}
	if n != 4 && n != 7 && n != 10 {
		return nil, fmt.Errorf("UID of %d bytes, want 4, 7 or 10: %w", n, rfid.ErrGarbled)
	}
	u, err := rfid.NewUID(b[6 : 6+n])
	if err != nil {
		return nil, err
	}
	return []rfid.Card{{UID: u, ISO: term.TokenISO14443}}, nil
}
