package pn532_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/pn532"
	"github.com/evsed/evsed/hal/rfid/pn532test"
)

// rig is a chip at an emulator, in virtual time.
type rig struct {
	*testing.T
	*pn532test.Emulator
	chip   *pn532.Chip
	unplug func(bool)
}

var errGone = errors.New("pulled out")

// wires are the two ways to a chip.
var wires = []struct {
	name string
	lay  func(*rig) (pn532.Link, func())
}{
	{"serial", func(h *rig) (pn532.Link, func()) {
		p := h.Port()
		h.unplug = func(gone bool) {
			p.Unplug(map[bool]error{true: errGone}[gone])
		}
		return pn532.OverSerial(p), func() {}
	}},
	{"I2C", func(h *rig) (pn532.Link, func()) {
		c := h.Chip()
		h.unplug = c.Unplug
		b := i2c.On("test", c.Open)
		d, err := b.Device(pn532.Address)
		if err != nil {
			h.Fatal(err)
		}
		return pn532.OverI2C(d), func() { b.Close() }
	}},
}

// play runs a test over both.
func play(t *testing.T, f func(h *rig)) {
	t.Helper()
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &rig{T: t, Emulator: pn532test.New()}
				link, end := w.lay(h)
				h.chip = pn532.New(link, pn532.Config{})
				f(h)
				h.chip.Close()
				end()
			})
		})
	}
}

// scan looks once, as rfid.Watch does, and says how long it took.
func (h *rig) scan() ([]rfid.Card, time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	cards, err := h.chip.Scan(ctx)
	took := time.Since(start)
	if took > time.Second {
		h.Errorf("a look took %v, more than its deadline", took)
	}
	return cards, took, err
}

func (h *rig) want(uid ...byte) {
	h.Helper()
	cards, _, err := h.scan()
	switch {
	case err != nil:
		h.Errorf("want % x, got error %v", uid, err)
	case len(uid) == 0 && len(cards) != 0:
		h.Errorf("want no card, got %v", cards)
	case len(uid) > 0 && (len(cards) != 1 || !bytes.Equal(cards[0].UID.Bytes(), uid)):
		h.Errorf("want % x, got %v", uid, cards)
	}
}

func (h *rig) wantErr(err error) {
	h.Helper()
	if cards, _, got := h.scan(); !errors.Is(got, err) {
		h.Errorf("want %v, got %v, %v", err, cards, got)
	}
}

var classic = pn532test.Card{UID: []byte{0xDE, 0xAD, 0xBE, 0xEF}, SENS: [2]byte{0, 4}, SEL: 0x08}

func TestScanReadsEachSizeOfUID(t *testing.T) {
	play(t, func(h *rig) {
		h.want()
		for _, c := range []pn532test.Card{
			classic,
			{UID: []byte{4, 1, 2, 3, 4, 5, 6}, SENS: [2]byte{0, 0x44}},
			{UID: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, SENS: [2]byte{0, 0x84}},
			{UID: []byte{4, 6, 5, 4, 3, 2, 1}, SEL: 0x20, History: bytes.Repeat([]byte{6, 0x75, 0x77, 0x81, 2, 0x80}, 20)},
		} {
			h.Lay(c)
			h.want(c.UID...)
			h.want(c.UID...) // it still lies there: it was released
			h.Lay()
			h.want()
		}
		h.Lay(classic, pn532test.Card{UID: []byte{1, 2, 3, 4}})
		h.wantErr(rfid.ErrTwoCards)
		h.Lay(classic)
		h.want(classic.UID...)
	})
}

func TestSpoiltFramesAreSaidAgain(t *testing.T) {
	for name, f := range map[string]pn532test.Fault{
		"lost command": pn532test.Deaf, "wrong checksum": pn532test.Checksum, "half an answer": pn532test.Half,
		"refused": pn532test.Nack, "noise": pn532test.Noise,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(h *rig) {
				h.Lay(classic)
				for times := 1; times <= 2; times++ {
					h.Fail(f, times)
					h.want(classic.UID...)
				}
			})
		})
	}
}

func TestChipThatFailsIsSetUpAnew(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault pn532test.Fault
		times int
		want  error
	}{
		{"silent", pn532test.Silent, 1, pn532.ErrSilent},
		{"no answer behind the ACK", pn532test.Mute, 1, pn532.ErrSilent},
		{"reset between ACK and answer", pn532test.Restart, 1, pn532.ErrSilent},
		{"always a wrong checksum", pn532test.Checksum, 9, pn532.ErrGarbled},
		{"always half an answer", pn532test.Half, 9, pn532.ErrGarbled},
		{"always refused", pn532test.Nack, 9, pn532.ErrGarbled},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(h *rig) {
				h.Lay(classic)
				h.want(classic.UID...)
				h.Fail(c.fault, c.times)
				h.wantErr(c.want)
				h.Fail(pn532test.None, 0)
				h.Heard()
				h.want(classic.UID...)
				if got := h.Heard(); len(got) == 0 || got[0] != 0x14 {
					h.Errorf("after a fault the chip heard commands % x, want it set up first", got)
				}
			})
		})
	}
}

func TestErrorFrameIsAnError(t *testing.T) {
	play(t, func(h *rig) {
		h.want()
		h.Fail(pn532test.Error, 1)
		if _, _, err := h.scan(); err == nil || errors.Is(err, rfid.ErrCard) {
			h.Errorf("got %v", err)
		}
		h.want()
	})
}

func TestChipThatWasResetForgetsItsRetries(t *testing.T) {
	play(t, func(h *rig) {
		h.want()
		h.Reset() // a dip of its supply: it looks for ever now, if it were asked
		if _, _, err := h.scan(); err == nil {
			h.Error("a chip that sleeps has answered")
		}
		h.want()
		h.Lay(classic)
		h.want(classic.UID...)
	})
}

func TestOtherChipIsNamed(t *testing.T) {
	play(t, func(h *rig) {
		h.IC(0x07)
		h.wantErr(pn532.ErrOther)
	})
}

// What a card says of itself goes through the chip unchanged.
func TestHostileCardsAreRefused(t *testing.T) {
	play(t, func(h *rig) {
		for n := 0; n <= 245; n++ {
			h.Lay(pn532test.Card{UID: bytes.Repeat([]byte{0x42}, n)})
			cards, _, err := h.scan()
			if good := n == 4 || n == 7 || n == 10; good != (err == nil && len(cards) == 1) || !good && !errors.Is(err, rfid.ErrGarbled) {
				h.Errorf("UID of %d bytes: %v, %v", n, cards, err)
			}
		}
	})
}

func TestUnpluggedReaderIsToldOnceAndComesBack(t *testing.T) {
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &rig{T: t, Emulator: pn532test.New()}
				link, end := w.lay(h)
				var told notes
				r, err := rfid.Watch(pn532.New(link, pn532.Config{}), rfid.Options{Name: "PN532", Notify: told.add})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				h.unplug(true)
				time.Sleep(time.Minute)
				synctest.Wait()
				if told := told.list(); len(told) != 1 || told[0] == nil {
					t.Errorf("unplugged for a minute: told %v", told)
				}
				h.Reset()
				h.unplug(false)
				h.Lay(classic)
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				tok, err := r.Next(ctx)
				if err != nil || tok.Value != "DEADBEEF" {
					t.Errorf("plugged in again: %q, %v", tok.Value, err)
				}
				if told := told.list(); len(told) != 2 || told[1] != nil {
					t.Errorf("told %v, want the fault and then nil", told)
				}
				r.Close()
				end()
			})
		})
	}
}

// line is a reset line.
type line []string

func (l *line) Set(active bool) error { *l = append(*l, fmt.Sprint(active)); return nil }

func TestResetLineIsPulledBeforeSetUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := pn532test.New()
		var l line
		c := pn532.New(pn532.OverSerial(e.Port()), pn532.Config{Reset: &l})
		defer c.Close()
		if _, err := c.Scan(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.Scan(t.Context()); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint([]string(l)); got != "[true false]" {
			t.Errorf("line: %s", got)
		}
	})
}

// notes is what was told of a device.
type notes struct {
	mu  sync.Mutex // guards all
	all []error
}

func (n *notes) add(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, err)
}

// list waits until everybody else does, and returns what was told until then.
func (n *notes) list() []error {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}
