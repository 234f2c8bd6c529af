// Package pn532test is a PN532 for tests and benches: it hears what a host sends, byte for byte, and answers as the
// chip does, over a serial line or as a chip on an I2C bus. It can be told to do it wrong.
package pn532test

import (
	"bytes"
	"sync"
)

// Card lies in the field of the emulated chip.
type Card struct {
	UID     []byte // 4, 7 or 10 bytes; others are what a broken or hostile card says
	SENS    [2]byte
	SEL     byte
	History []byte // what the card answers to RATS; the chip passes it on
}

// Fault is what the chip does wrong.
type Fault uint8

// Faults.
const (
	None     Fault = iota
	Silent         // it neither acknowledges nor answers
	Deaf           // a command is lost: no ACK
	Checksum       // an answer with a wrong checksum
	Half           // an answer that is cut short
	Nack           // a command is refused with NACK
	Error          // the answer is an error frame
	Noise          // an answer after bytes that are none
	Mute           // the command is acknowledged, and no answer follows
	Restart        // the chip is reset between ACK and answer
)

// Emulator is the chip.
type Emulator struct {
	mu       sync.Mutex // guards all below
	cards    []Card
	selected bool // the cards were listed and not released
	awake    bool
	set      bool // SAMConfiguration was heard
	endless  bool // it looks for a card until there is one: the default
	pending  bool // such a look is under way
	fault    Fault
	times    int
	ic       byte
	in       []byte
	last     []byte   // for NACK
	out      [][]byte // frames, in their order
	heard    []byte   // codes of commands
	wake     chan struct{}
}

// New makes a chip that sleeps, as after power-up.
func New() *Emulator {
	e := &Emulator{ic: 0x32, wake: make(chan struct{}, 1)}
	e.reset()
	return e
}

// Lay puts cards into the field, in place of those that were there.
func (e *Emulator) Lay(cards ...Card) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cards, e.selected = cards, false
	if e.pending && len(cards) > 0 {
		e.pending = false
		e.answer(0x4A, e.list())
	}
}

// Fail makes the chip do something wrong so many times; Silent lasts until another fault is set.
func (e *Emulator) Fail(f Fault, times int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.times = f, times
}

// IC makes the chip call itself something else than a PN532 (0x32).
func (e *Emulator) IC(code byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ic = code
}

// Reset is power lost and come back: the chip sleeps and has forgotten all.
func (e *Emulator) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reset()
}

func (e *Emulator) reset() {
	e.awake, e.set, e.selected, e.pending, e.endless = false, false, false, false, true
	e.in, e.out, e.last = nil, nil, nil
}

// Heard returns the codes of the commands that were understood since it was last asked.
func (e *Emulator) Heard() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.heard
	e.heard = nil
	return h
}

var (
	ack   = []byte{0, 0, 0xFF, 0, 0xFF, 0}
	nack  = []byte{0, 0, 0xFF, 0xFF, 0, 0}
	wrong = []byte{0, 0, 0xFF, 1, 0xFF, 0x7F, 0x81, 0}
	rouse = []byte{0x55, 0x55, 0, 0, 0}
)

// hear takes bytes from the host. e.mu is held.
func (e *Emulator) hear(b []byte) {
	e.in = append(e.in, b...)
	if !e.awake {
		at := bytes.Index(e.in, rouse)
		if at < 0 {
			e.in = e.in[max(0, len(e.in)-len(rouse)+1):]
			return
		}
		e.awake, e.in = true, e.in[at+len(rouse):]
	}
	for e.frame() {
	}
	if len(e.in) > 4096 {
		e.in = nil
	}
}

// frame takes one frame out of what was heard.
func (e *Emulator) frame() bool {
	at := bytes.Index(e.in, []byte{0, 0, 0xFF})
	if at < 0 || len(e.in) < at+6 {
		return false
	}
	f := e.in[at:]
	switch {
	case bytes.Equal(f[:6], ack): // the host gives up
		e.in, e.pending, e.out = f[6:], false, nil
		return true
	case bytes.Equal(f[:6], nack):
		e.in = f[6:]
		if e.last != nil && e.fault != Silent {
			e.say(e.spoil(e.last))
		}
		return true
	case f[3]+f[4] != 0:
		e.in = f[3:]
		return true
	}
	n := int(f[3])
	if len(f) < 5+n+2 {
		return false
	}
	body, tail := f[5:5+n], f[5+n:]
	e.in = f[5+n+2:]
	if sum(body) == tail[0] && tail[1] == 0 && n >= 2 && body[0] == 0xD4 {
		e.command(body[1], append([]byte(nil), body[2:]...))
	}
	return true
}

func sum(b []byte) (s byte) {
	for _, x := range b {
		s -= x
	}
	return s
}

// strike says whether a fault is due now, and counts it.
func (e *Emulator) strike(f Fault) bool {
	if e.fault != f || e.times <= 0 {
		return false
	}
	e.times--
	return true
}

func (e *Emulator) command(code byte, args []byte) {
	if e.fault == Silent || e.strike(Deaf) {
		return
	}
	if e.strike(Nack) {
		e.say(nack)
		return
	}
	// Half awake after power-up, the chip listens to nothing else.
	if !e.set && code != 0x14 {
		return
	}
	e.out = nil // a new command ends the one before
	e.heard = append(e.heard, code)
	e.say(ack)
	switch {
	case e.strike(Mute):
		return
	case e.strike(Restart):
		out := e.out
		e.reset()
		e.out = out // the ACK has left already
		return
	}
	e.carryOut(code, args)
}

func (e *Emulator) carryOut(code byte, args []byte) {
	switch {
	case code == 0x14 && len(args) >= 1 && args[0] == 1:
		e.set = true
		e.answer(code, nil)
	case code == 0x02 && len(args) == 0:
		e.answer(code, []byte{e.ic, 1, 6, 7})
	case code == 0x32 && len(args) == 4 && args[0] == 5:
		e.endless = args[3] == 0xFF
		e.answer(code, nil)
	case code == 0x52 && len(args) == 1:
		e.selected = false
		e.answer(code, []byte{0})
	case code == 0x4A && len(args) == 2 && args[0] == 2 && args[1] == 0:
		e.pending = e.endless && (len(e.cards) == 0 || e.selected)
		if !e.pending {
			e.answer(code, e.list())
		}
	default:
		e.last = wrong
		e.say(wrong)
	}
}

// list is the answer to InListPassiveTarget.
func (e *Emulator) list() []byte {
	if e.selected || len(e.cards) == 0 {
		return []byte{0}
	}
	e.selected = true
	n := min(len(e.cards), 2)
	b := []byte{byte(n)}
	for i, c := range e.cards[:n] {
		b = append(b, byte(i+1), c.SENS[0], c.SENS[1], c.SEL, byte(len(c.UID)))
		b = append(b, c.UID...)
		b = append(b, c.History...)
	}
	return b
}

// answer sends the answer to a command.
func (e *Emulator) answer(code byte, rest []byte) {
	body := append([]byte{0xD5, code + 1}, rest...)
	f := append([]byte{0, 0, 0xFF, byte(len(body)), byte(-len(body))}, body...)
	f = append(f, sum(body), 0)
	e.last = f
	e.say(e.spoil(f))
}

// spoil does to an answer what the fault wants.
func (e *Emulator) spoil(f []byte) []byte {
	f = append([]byte(nil), f...)
	switch {
	case e.strike(Checksum):
		f[len(f)-2]++
	case e.strike(Half):
		f = f[:len(f)/2+1]
	case e.strike(Error):
		f = wrong
	case e.strike(Noise):
		f = append([]byte{0x80, 0xFF, 0x00, 0x37}, f...)
	}
	return f
}

// say queues a frame.
func (e *Emulator) say(f []byte) {
	e.out = append(e.out, append([]byte(nil), f...))
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
