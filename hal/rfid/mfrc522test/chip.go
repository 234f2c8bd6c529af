// Package mfrc522test is an MFRC522 for tests and benches: registers, buffer and cards in its field, behind an SPI device.
// It can be told to do it wrong.
package mfrc522test

import (
	"sync"

	"github.com/evsed/evsed/hal/spi"
)

// Fault is what chip or card do wrong.
type Fault uint8

// Faults.
const (
	None      Fault = iota
	Silent          // nobody drives the chip's output
	Stuck           // commands never end
	BCC             // the card's UID has a wrong checksum
	CRC             // the card's SAK has one
	Half            // the card's UID breaks off
	Parity          // the card's UID came with a wrong parity
	Endless         // the card says at each level that its UID goes on
	Full            // the buffer says it has more than it can
	Unplugged       // the device is gone
)

// Chip is the chip. It is a spi.Wire.
type Chip struct {
	mu    sync.Mutex // guards all below
	reg   [64]byte
	out   []byte // the buffer
	cards []*card
	fault Fault
	times int
	soft  int // soft resets
}

// card is a card of type A with the state that ISO/IEC 14443-3 gives it.
type card struct {
	uid    []byte
	state  state
	level  int
	halted bool // that is where it falls back to
}

type state uint8

const (
	quiet  state = iota // IDLE or HALT
	ready               // READY: it takes part in the anticollision of its level
	active              // selected
)

// New makes a chip.
func New() *Chip {
	c := &Chip{}
	c.reset()
	return c
}

// Lay puts cards with these UIDs into the field, in place of those that were there.
func (c *Chip) Lay(uids ...[]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cards = nil
	for _, u := range uids {
		c.cards = append(c.cards, &card{uid: u})
	}
}

// Fail makes something go wrong so many times; Silent, Stuck and Unplugged last until another fault is set.
func (c *Chip) Fail(f Fault, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.times = f, times
}

// Reset is power lost and come back.
func (c *Chip) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset()
}

// Resets says how often a soft reset was commanded.
func (c *Chip) Resets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.soft
}

func (c *Chip) reset() {
	c.reg = [64]byte{0x01: 0x20, 0x14: 0x80, 0x37: 0x92}
	c.out = nil
}

// Open is for spi.On.
func (c *Chip) Open() (spi.Wire, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == Unplugged {
		return nil, spi.ErrUnplugged
	}
	return c, nil
}

// Close is for the device.
func (c *Chip) Close() error { return nil }

// Transfer is one transfer: an address and what is written there, or addresses and, a byte later, what is read.
func (c *Chip) Transfer(w, r []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.fault {
	case Unplugged:
		return spi.ErrUnplugged
	case Silent:
		return nil
	}
	if w[0]&0x80 == 0 {
		for _, b := range w[1:] {
			c.write(w[0]>>1, b)
		}
		return nil
	}
	for i := 1; i < len(w); i++ {
		r[i] = c.read(w[i-1] >> 1 & 0x3F)
	}
	return nil
}

func (c *Chip) read(reg byte) byte {
	switch reg {
	case 0x09:
		if len(c.out) == 0 {
			return 0
		}
		b := c.out[0]
		c.out = c.out[1:]
		return b
	case 0x0A:
		if c.strike(Full) {
			return 0x7F
		}
		return byte(len(c.out))
	}
	return c.reg[reg]
}

func (c *Chip) strike(f Fault) bool {
	if c.fault != f || c.times <= 0 {
		return false
	}
	c.times--
	return true
}

func (c *Chip) write(reg, b byte) {
	switch {
	case reg == 0x09:
		c.out = append(c.out, b)
	case reg == 0x0A && b&0x80 != 0:
		c.out = nil
	case reg == 0x04 && b&0x80 == 0: // a 1 clears
		c.reg[reg] &^= b
	case reg == 0x01 && b == 0x0F:
		c.soft++
		c.reset()
	case reg == 0x37: // read only
	default:
		c.reg[reg] = b
	}
	if reg == 0x0D && b&0x80 != 0 && c.reg[0x01] == 0x0C && c.fault != Stuck {
		c.send(int(b & 7))
	}
}

// Bits of ComIrqReg and ErrorReg.
const (
	irqTimer    = 0x01
	irqReceived = 0x20
	parityBit   = 0x02
	collision   = 0x08
)

// send is a frame into the field, and what comes back.
func (c *Chip) send(lastBits int) {
	frame := c.out
	c.out, c.reg[0x06], c.reg[0x0C] = nil, 0, 0
	if c.reg[0x14]&3 != 3 { // no field: the cards have no power
		c.reg[0x04] |= irqTimer
		return
	}
	var all [][]byte
	for _, k := range c.cards {
		if a := k.hear(frame, lastBits); a != nil {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		c.reg[0x04] |= irqTimer
		return
	}
	c.reg[0x04] |= irqReceived
	c.out = c.overlay(all)
	c.spoil(frame)
}

// overlay is what is heard of several cards: from the first bit that differs on, nothing.
func (c *Chip) overlay(all [][]byte) []byte {
	heard := append([]byte(nil), all[0]...)
	for _, other := range all[1:] {
		for i := range heard {
			if i >= len(other) {
				break
			}
			diff := heard[i] ^ other[i]
			if diff == 0 {
				continue
			}
			low := diff & -diff
			heard[i] &= low - 1
			clear(heard[i+1:])
			c.reg[0x06] |= collision
			break
		}
	}
	return heard
}

// spoil does to a card's answer what the fault wants.
func (c *Chip) spoil(frame []byte) {
	uid := len(frame) == 2 && frame[1] == 0x20
	sak := len(frame) == 9
	switch {
	case uid && c.strike(BCC):
		c.out[4]++
	case uid && c.strike(Half):
		c.out = c.out[:3]
	case uid && c.strike(Parity):
		c.reg[0x06] |= parityBit
	case sak && c.strike(CRC):
		c.out[1]++
	case sak && c.strike(Endless):
		c.out = withCRC(0x04)
	}
}

// hear is a card that hears a frame; nil: it says nothing.
func (k *card) hear(frame []byte, lastBits int) []byte {
	switch {
	case len(frame) == 1 && lastBits == 7 && (frame[0] == 0x52 || frame[0] == 0x26 && !k.halted):
		if k.state != quiet { // unexpected in these states: back to sleep, without a word
			k.state = quiet
			return nil
		}
		k.state, k.level = ready, 0
		return []byte{byte((len(k.uid)-4)/3) << 6, 0}
	case k.state == ready && len(frame) == 2 && frame[0] == sel(k.level) && frame[1] == 0x20:
		return k.part()
	case k.state == ready && len(frame) == 9 && frame[0] == sel(k.level) && frame[1] == 0x70 && whole(frame):
		if string(frame[2:7]) != string(k.part()) {
			k.state = quiet
			return nil
		}
		if k.more() {
			k.level++
			return withCRC(0x04)
		}
		k.state = active
		return withCRC(0x08)
	case k.state == active && len(frame) == 4 && frame[0] == 0x50 && whole(frame):
		k.state, k.halted = quiet, true
		return nil
	}
	k.state = quiet
	return nil
}

func sel(level int) byte { return 0x93 + 2*byte(level) }

// more says whether the UID goes on behind the card's level.
func (k *card) more() bool { return len(k.uid) > 4+3*k.level }

// part is the card's UID at its level, with its checksum.
func (k *card) part() []byte {
	rest := k.uid[3*k.level:]
	b := append([]byte(nil), rest[:min(4, len(rest))]...)
	if k.more() {
		b = append([]byte{0x88}, rest[:3]...)
	}
	return append(b, b[0]^b[1]^b[2]^b[3])
}

// withCRC appends CRC_A, computed a byte at a time: another way than the driver's.
func withCRC(b ...byte) []byte {
	sum := crc(b)
	return append(b, byte(sum), byte(sum>>8))
}

func whole(b []byte) bool {
	sum := crc(b[:len(b)-2])
	return b[len(b)-2] == byte(sum) && b[len(b)-1] == byte(sum>>8)
}

func crc(b []byte) uint16 {
	sum := uint16(0x6363)
	for _, x := range b {
		x ^= byte(sum)
		x ^= x << 4
		sum = sum>>8 ^ uint16(x)<<8 ^ uint16(x)<<3 ^ uint16(x)>>4
	}
	return sum
}
