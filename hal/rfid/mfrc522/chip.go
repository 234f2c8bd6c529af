package mfrc522

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/rfid"
)

// What is wrong with a chip.
var (
	ErrSilent = errors.New("MFRC522 does not answer: check power, wiring and chip select")
	ErrStuck  = errors.New("MFRC522 does not finish a command")
)

// Device is an SPI device in mode 0 at no more than 10 Mbit/s, like *spi.Device.
type Device interface {
	Transfer(ctx context.Context, w, r []byte) error
	Close() error
}

// Config is how a chip is wired besides its bus.
type Config struct {
	Reset gpio.Output // active: the chip is held in reset; nil where it is not wired
}

// Chip is an MFRC522. It is an rfid.Scanner.
type Chip struct {
	dev   Device
	reset gpio.Output
	ready bool // it is set up
	left  bool // cards may be in the middle of being read: the next call is lost on them
}

// New makes a chip of an SPI device, which belongs to it from then on.
func New(d Device, c Config) *Chip { return &Chip{dev: d, reset: c.Reset} }

// Registers (data sheet, 9.2).
const (
	commandReg    = 0x01
	comIrqReg     = 0x04
	errorReg      = 0x06
	fifoDataReg   = 0x09
	fifoLevelReg  = 0x0A
	controlReg    = 0x0C
	bitFramingReg = 0x0D
	collReg       = 0x0E
	modeReg       = 0x11
	txModeReg     = 0x12
	rxModeReg     = 0x13
	txControlReg  = 0x14
	txASKReg      = 0x15
	modWidthReg   = 0x24
	tModeReg      = 0x2A
	tPrescalerReg = 0x2B
	tReloadHigh   = 0x2C
	tReloadLow    = 0x2D
	versionReg    = 0x37
)

// Commands, and bits of registers.
const (
	idle        = 0x00
	transceive  = 0x0C
	softReset   = 0x0F
	powerDown   = 0x10 // of commandReg: still starting
	antennaOn   = 0x03
	startSend   = 0x80
	flushFIFO   = 0x80
	irqTimer    = 0x01
	irqIdle     = 0x10
	irqReceived = 0x20
	errorsBad   = 0x13 // buffer overflow, parity, protocol
	errorsColl  = 0x08
)

// How long things take at most.
const (
	resetFor   = 2 * time.Millisecond
	bootPause  = 5 * time.Millisecond
	bootTries  = 10
	lookPause  = time.Millisecond // between two looks whether a card has answered
	lookTries  = 20               // the chip's timer ends after 5 ms
	timerTicks = 200              // of 25 us: a card answers within 100 us, or not at all
)

// settings are what the chip needs to hear cards of type A.
var settings = [...][2]byte{
	{txModeReg, 0x00}, {rxModeReg, 0x00}, // 106 kbit/s, checksums by us
	{modWidthReg, 0x26},
	{tModeReg, 0x80}, {tPrescalerReg, 0xA9}, // the timer starts behind each transmission, in steps of 25 us
	{tReloadHigh, timerTicks >> 8}, {tReloadLow, timerTicks & 0xFF},
	{txASKReg, 0x40},                 // 100 % ASK
	{modeReg, 0x3D},                  // CRC preset 6363
	{collReg, 0x00},                  // bits behind a collision are cleared
	{txControlReg, 0x80 | antennaOn}, // the field is on
}

// Scan looks for cards. It returns one card, none, or rfid.ErrTwoCards.
func (c *Chip) Scan(ctx context.Context) ([]rfid.Card, error) {
	if err := c.alive(ctx); err != nil {
		c.ready = false
		return nil, err
	}
	failed := false
	for range maxLooks {
		card, found, err := c.look(ctx)
		switch {
		case errors.Is(err, rfid.ErrCard):
			c.left = true
			if failed {
				return nil, err
			}
			failed = true // a card that is still moving: once more
		case err != nil:
			c.ready, c.left = false, true
			return nil, err
		case found:
			return []rfid.Card{card}, nil
		case !c.left:
			return nil, nil
		default: // what was left in the middle has gone to sleep, and the next call wakes it
			c.left = false
		}
	}
	return nil, nil
}

// maxLooks is one that fails and one more, each behind one that puts to sleep what was left in the middle.
const maxLooks = 4

// Close ends the SPI device.
func (c *Chip) Close() error { return c.dev.Close() }

// alive sees to it that the chip is there and set up. One that was reset has its antenna off.
func (c *Chip) alive(ctx context.Context) error {
	if c.ready {
		antenna, err := c.read(ctx, txControlReg)
		if err != nil {
			return err
		}
		c.ready = antenna&antennaOn == antennaOn && antenna != 0xFF
	}
	if c.ready {
		return nil
	}
	if err := c.restart(ctx); err != nil {
		return err
	}
	version, err := c.read(ctx, versionReg)
	if err != nil {
		return err
	}
	if version == 0x00 || version == 0xFF { // a line that nobody drives
		return ErrSilent
	}
	for _, s := range settings {
		if err := c.write(ctx, s[0], s[1]); err != nil {
			return err
		}
	}
	c.ready = true
	return nil
}

// restart resets the chip by its line, where there is one, and by command, and waits until it runs.
func (c *Chip) restart(ctx context.Context) error {
	if c.reset != nil {
		for _, active := range []bool{true, false} {
			if err := c.reset.Set(active); err != nil {
				return fmt.Errorf("reset MFRC522: %w", err)
			}
			if err := pause(ctx, resetFor); err != nil {
				return err
			}
		}
	}
	if err := c.write(ctx, commandReg, softReset); err != nil {
		return err
	}
	for range bootTries {
		if err := pause(ctx, bootPause); err != nil {
			return err
		}
		b, err := c.read(ctx, commandReg)
		if err != nil {
			return err
		}
		if b&powerDown == 0 {
			return nil
		}
	}
	return ErrSilent
}

// answer is what a card has sent, and whether bits of it collided.
type answer struct {
	bytes []byte
	bits  int // of the last byte; 0: all
	clash bool
}

// exchange sends to the cards, lastBits of the last byte (0: all), and takes what comes back. No answer is not an error.
func (c *Chip) exchange(ctx context.Context, b []byte, lastBits byte) (answer, bool, error) {
	for _, s := range [][2]byte{{commandReg, idle}, {comIrqReg, 0x7F}, {fifoLevelReg, flushFIFO}} {
		if err := c.write(ctx, s[0], s[1]); err != nil {
			return answer{}, false, err
		}
	}
	if err := c.write(ctx, fifoDataReg, b...); err != nil {
		return answer{}, false, err
	}
	for _, s := range [][2]byte{{bitFramingReg, lastBits}, {commandReg, transceive}, {bitFramingReg, startSend | lastBits}} {
		if err := c.write(ctx, s[0], s[1]); err != nil {
			return answer{}, false, err
		}
	}
	heard, err := c.heard(ctx)
	if err != nil || !heard {
		return answer{}, false, err
	}
	return c.take(ctx)
}

// heard waits until a card has answered, or the chip's timer says that none will.
func (c *Chip) heard(ctx context.Context) (bool, error) {
	for range lookTries {
		irq, err := c.read(ctx, comIrqReg)
		if err != nil {
			return false, err
		}
		if irq&(irqReceived|irqIdle) != 0 {
			return true, nil
		}
		if irq&irqTimer != 0 {
			return false, nil
		}
		if err := pause(ctx, lookPause); err != nil {
			return false, err
		}
	}
	return false, ErrStuck
}

// take reads what came. Spoilt bits are an error of the card: it moves.
func (c *Chip) take(ctx context.Context) (answer, bool, error) {
	bad, err := c.read(ctx, errorReg)
	if err != nil {
		return answer{}, false, err
	}
	n, err := c.read(ctx, fifoLevelReg)
	if err != nil {
		return answer{}, false, err
	}
	if n > 64 { // the buffer's size
		return answer{}, false, fmt.Errorf("%w: %d bytes in a buffer of 64", ErrSilent, n)
	}
	a := answer{clash: bad&errorsColl != 0}
	if bad&errorsBad != 0 && !a.clash {
		return answer{}, false, fmt.Errorf("answer with errors 0x%02x: %w", bad, rfid.ErrGarbled)
	}
	if a.bytes, err = c.fifo(ctx, int(n)); err != nil {
		return answer{}, false, err
	}
	last, err := c.read(ctx, controlReg)
	a.bits = int(last & 0x07)
	return a, true, err
}

// read reads a register: its address with the top bit set, then a byte for the answer (data sheet, 8.1.2).
func (c *Chip) read(ctx context.Context, reg byte) (byte, error) {
	var r [2]byte
	err := c.dev.Transfer(ctx, []byte{0x80 | reg<<1, 0}, r[:])
	return r[1], err
}

// fifo reads n bytes of the buffer.
func (c *Chip) fifo(ctx context.Context, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	w, r := make([]byte, n+1), make([]byte, n+1)
	for i := range n {
		w[i] = 0x80 | fifoDataReg<<1
	}
	err := c.dev.Transfer(ctx, w, r)
	return r[1:], err
}

// write writes bytes to one register.
func (c *Chip) write(ctx context.Context, reg byte, b ...byte) error {
	w := append([]byte{reg << 1}, b...)
	return c.dev.Transfer(ctx, w, make([]byte, len(w)))
}

// pause waits, or says that ctx is over.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
