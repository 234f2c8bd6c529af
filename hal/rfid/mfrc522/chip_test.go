package mfrc522

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

	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/mfrc522test"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/hal/spi/spitest"
)

// rig is a chip at an emulated one, in virtual time.
type rig struct {
	*testing.T
	*mfrc522test.Chip
	chip *Chip
}

func play(t *testing.T, f func(h *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &rig{T: t, Chip: mfrc522test.New()}
		h.chip = New(spi.On("test", h.Open), Config{})
		f(h)
		if err := h.chip.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (h *rig) scan() ([]rfid.Card, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return h.chip.Scan(ctx)
}

func (h *rig) want(uid ...byte) {
	h.Helper()
	cards, err := h.scan()
	switch {
	case err != nil:
		h.Errorf("want % x, got error %v", uid, err)
	case len(uid) == 0 && len(cards) != 0, len(uid) > 0 && (len(cards) != 1 || !bytes.Equal(cards[0].UID.Bytes(), uid)):
		h.Errorf("want % x, got %v", uid, cards)
	}
}

func (h *rig) wantErr(err error) {
	h.Helper()
	if cards, got := h.scan(); !errors.Is(got, err) {
		h.Errorf("want %v, got %v, %v", err, cards, got)
	}
}

var (
	single = []byte{0xDE, 0xAD, 0xBE, 0xEF}
	double = []byte{4, 1, 2, 3, 4, 5, 6}
	triple = []byte{4, 1, 2, 3, 4, 5, 6, 7, 8, 9}
)

func TestScanReadsEachSizeOfUID(t *testing.T) {
	play(t, func(h *rig) {
		h.want()
		for _, uid := range [][]byte{single, double, triple} {
			h.Lay(uid)
			h.want(uid...)
			h.want(uid...) // it still lies there: it was halted and woken again
			h.Lay()
			h.want()
		}
	})
}

func TestTwoCardsAreOneTooMany(t *testing.T) {
	for _, c := range []struct {
		name string
		uids [][]byte
	}{
		{"alike but for a bit", [][]byte{{1, 2, 3, 4}, {1, 2, 3, 5}}},
		{"of two sizes", [][]byte{single, double}},
		{"alike at the first level", [][]byte{{4, 1, 2, 3, 4, 5, 6}, {4, 1, 2, 3, 4, 5, 7}}},
		{"three", [][]byte{single, double, triple}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(h *rig) {
				h.Lay(c.uids...)
				h.wantErr(rfid.ErrTwoCards)
				h.wantErr(rfid.ErrTwoCards)
				h.Lay(single)
				h.want(single...)
			})
		})
	}
}

func TestWhatGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault mfrc522test.Fault
		want  error
	}{
		{"nobody drives the line", mfrc522test.Silent, ErrSilent},
		{"a command never ends", mfrc522test.Stuck, ErrStuck},
		{"wrong BCC", mfrc522test.BCC, rfid.ErrGarbled},
		{"wrong CRC", mfrc522test.CRC, rfid.ErrGarbled},
		{"half a UID", mfrc522test.Half, rfid.ErrGarbled},
		{"wrong parity", mfrc522test.Parity, rfid.ErrGarbled},
		{"a UID without an end", mfrc522test.Endless, rfid.ErrGarbled},
		{"more than the buffer holds", mfrc522test.Full, ErrSilent},
		{"unplugged", mfrc522test.Unplugged, spi.ErrUnplugged},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(h *rig) {
				h.Lay(double)
				h.want(double...)
				h.Fail(c.fault, 1000)
				h.wantErr(c.want)
				h.Fail(mfrc522test.None, 0)
				time.Sleep(time.Second)
				h.want(double...)
			})
		})
	}
}

func TestCardThatMovesIsReadAtTheSecondTry(t *testing.T) {
	play(t, func(h *rig) {
		h.Lay(double)
		for _, f := range []mfrc522test.Fault{mfrc522test.BCC, mfrc522test.CRC, mfrc522test.Half, mfrc522test.Parity} {
			h.Fail(f, 1)
			h.want(double...)
		}
	})
}

func TestChipThatWasResetIsSetUpAnew(t *testing.T) {
	play(t, func(h *rig) {
		h.Lay(single)
		h.want(single...)
		before := h.Resets()
		h.want(single...)
		if h.Resets() != before {
			t.Error("a chip that works was reset")
		}
		h.Reset() // a dip of its supply
		h.want(single...)
		if h.Resets() != before+1 {
			t.Error("a chip that was reset was not set up")
		}
	})
}

func TestSilentReaderIsToldOnceAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := mfrc522test.New()
		var told notes
		r, err := rfid.Watch(New(spi.On("test", e.Open), Config{}), rfid.Options{Notify: told.add})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		time.Sleep(time.Second)
		e.Fail(mfrc522test.Silent, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if told := told.list(); len(told) != 1 || !errors.Is(told[0], ErrSilent) {
			t.Errorf("a minute of silence: told %v", told)
		}
		e.Reset()
		e.Fail(mfrc522test.None, 0)
		e.Lay(double)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if tok, err := r.Next(ctx); err != nil || tok.Value != "04010203040506" {
			t.Errorf("%q, %v", tok.Value, err)
		}
		if told := told.list(); len(told) != 2 || told[1] != nil {
			t.Errorf("told %v, want the fault and then nil", told)
		}
	})
}

type line []string

func (l *line) Set(active bool) error { *l = append(*l, fmt.Sprint(active)); return nil }

func TestResetLineIsPulledBeforeSetUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := mfrc522test.New()
		var l line
		c := New(spi.On("test", e.Open), Config{Reset: &l})
		defer c.Close()
		for range 2 {
			if _, err := c.Scan(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if got := fmt.Sprint([]string(l)); got != "[true false]" {
			t.Errorf("line: %s", got)
		}
	})
}

// The first look at an empty field, byte for byte.
func TestSetUpOnTheWire(t *testing.T) {
	p, err := spitest.Parse(`
02 0f > 00 00        # soft reset
82 00 > 00 20        # it runs
ee 00 > 00 92        # version 2.0
24 00 > 00 00
26 00 > 00 00
48 26 > 00 00
54 80 > 00 00
56 a9 > 00 00
58 00 > 00 00
5a c8 > 00 00
2a 40 > 00 00
22 3d > 00 00
1c 00 > 00 00
28 83 > 00 00
02 00 > 00 00        # idle, no interrupts, empty buffer
08 7f > 00 00
14 80 > 00 00
12 52 > 00 00        # WUPA
1a 07 > 00 00        # of 7 bits
02 0c > 00 00        # transceive
1a 87 > 00 00        # now
88 00 > 00 45        # timer: nobody
`)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := New(spi.On("test", p.Open), Config{})
		defer c.Close()
		if cards, err := c.Scan(t.Context()); err != nil || len(cards) != 0 {
			t.Errorf("%v, %v", cards, err)
		}
		if err := p.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestCRCIsThatOfTheStandard(t *testing.T) {
	// The examples of ISO/IEC 14443-3, annex B: 00 00 gives A0 1E, 12 34 gives 26 CF; HLTA is 50 00 57 CD.
	for in, want := range map[string]string{"\x00\x00": "\xA0\x1E", "\x12\x34": "\x26\xCF", "\x50\x00": "\x57\xCD"} {
		if got := string(withCRC([]byte(in)...)[2:]); got != want {
			t.Errorf("CRC_A of % x: % x, want % x", in, got, want)
		}
	}
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
