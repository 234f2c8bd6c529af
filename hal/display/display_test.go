package display

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/i2c"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// glass is an HD44780 behind a PCF8574, with its memory.
type glass struct {
	mu     sync.Mutex
	wire   bytes.Buffer // every byte that came
	port   byte
	half   []byte // of a byte in 4-bit mode
	four   bool
	at     byte
	cells  [128]byte
	err    error
	resets int
}

func (g *glass) Transfer(address uint8, w, _ []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	fmt.Fprintf(&g.wire, "% x\n", w)
	for _, b := range w {
		if g.port&enable != 0 && b&enable == 0 { // E falls
			g.nibble(g.port>>4, g.port&rs)
		}
		g.port = b
	}
	return nil
}

func (g *glass) nibble(n, flags byte) {
	if !g.four {
		if n == 0x2 {
			g.four, g.half = true, nil
			g.resets++
		}
		return
	}
	if g.half = append(g.half, n); len(g.half) < 2 {
		return
	}
	b := g.half[0]<<4 | g.half[1]
	g.half = nil
	switch {
	case flags&rs != 0:
		g.cells[g.at&0x7F] = b
		g.at++
	case b&setAddress != 0:
		g.at = b & 0x7F
	case b == 0x33: // the first two halves of a set-up that finds it in 4-bit mode
	case b == 0x32:
		g.resets++
	case b == clearAll:
		g.cells, g.at = [128]byte{}, 0
	}
}

func (g *glass) Close() error { return nil }

// shows is what stands in two rows of 16.
func (g *glass) shows() string {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(bytes.ReplaceAll(append(append(g.cells[:16:16], '|'), g.cells[0x40:0x50]...), []byte{0}, []byte(" ")))
}

func (g *glass) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

func bench(t *testing.T, f func(g *glass, d *Display, told *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &glass{}
		bus := i2c.On("test", func() (i2c.Adapter, error) { return g, nil })
		defer bus.Close()
		chip, err := bus.Device(0x27)
		if err != nil {
			t.Fatal(err)
		}
		var told notes
		d, err := LCD(chip, Size{16, 2}, Options{Name: "display", Notify: told.add})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		f(g, d, &told)
		d.Close()
		if _, err := bus.Device(0x27); err != nil {
			t.Errorf("the address was kept: %v", err)
		}
	})
}

func TestLCDShowsText(t *testing.T) {
	bench(t, func(g *glass, d *Display, told *notes) {
		for _, c := range []struct{ text, want string }{
			{"Karte zeigen", "Karte zeigen    |                "},
			{"Bitte Karte vorhalten", "Bitte Karte     |vorhalten       "},
			{"Laden mit 11 kW – 7,40 €", "Laden mit 11 kW |- 7,40 EUR      "},
			{"", "                |                "},
			{"Donaudampfschifffahrtsgesellschaft", "Donaudampfschiff|fahrtsgesellscha"},
		} {
			d.Show(c.text)
			time.Sleep(time.Second)
			if got := g.shows(); got != c.want {
				t.Errorf("%q: %q, want %q", c.text, got, c.want)
			}
		}
		if told := told.list(); len(told) != 0 {
			t.Errorf("told %v", told)
		}
	})
}

// What goes over the bus, byte for byte.
func TestLCDOnTheWire(t *testing.T) {
	bench(t, func(g *glass, d *Display, _ *notes) {
		d.Show("evsed 230 V~")
		time.Sleep(time.Second)
		synctest.Wait()
		const golden = "testdata/lcd.txt"
		if *update {
			if err := os.WriteFile(golden, g.wire.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(want, g.wire.Bytes()) {
			t.Errorf("%v\n%s", err, g.wire.String())
		}
	})
}

func TestLCDThatFailsIsToldOnceAndSetUpAnew(t *testing.T) {
	bench(t, func(g *glass, d *Display, told *notes) {
		d.Show("free")
		time.Sleep(time.Second)
		g.fail(i2c.ErrNoAnswer)
		d.Show("in use")
		time.Sleep(time.Minute)
		if told := told.list(); len(told) != 1 || !errors.Is(told[0], i2c.ErrNoAnswer) || !strings.Contains(told[0].Error(), "display: ") {
			t.Errorf("told %v", told)
		}
		g.mu.Lock() // its supply was gone as well
		g.four, g.half, g.cells, g.err = false, nil, [128]byte{}, nil
		g.mu.Unlock()
		time.Sleep(time.Minute)
		if got, told := g.shows(), told.list(); !strings.HasPrefix(got, "in use ") || len(told) != 2 || told[1] != nil {
			t.Errorf("shows %q, told %v", got, told)
		}
	})
}

func TestLCDThatForgotIsWrittenAgain(t *testing.T) {
	bench(t, func(g *glass, d *Display, _ *notes) {
		d.Show("free")
		time.Sleep(time.Second)
		g.mu.Lock() // a dip that nobody noticed
		g.four, g.cells = false, [128]byte{}
		g.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if got := g.shows(); !strings.HasPrefix(got, "free ") {
			t.Errorf("shows %q", got)
		}
	})
}

func TestSizeIsChecked(t *testing.T) {
	for _, s := range []Size{{7, 1}, {41, 1}, {16, 0}, {16, 5}, {40, 4}} {
		if _, err := LCD(nil, s, Options{}); err == nil {
			t.Errorf("%v is accepted", s)
		}
	}
}

// sheet is a serial port that keeps what is written.
type sheet struct {
	bytes.Buffer
	closed bool
}

func (s *sheet) SetDeadline(time.Time) error { return nil }
func (s *sheet) Close() error                { s.closed = true; return nil }

func TestTerminalShowsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sheet{}
		d := Terminal(s, 20, Options{})
		synctest.Wait()
		s.Reset()
		d.Show("Ladevorgang läuft\nseit 5 Minuten\x1b[2J")
		synctest.Wait()
		if got := s.String(); got != "\r\x1b[KLadevorgang laeuft" {
			t.Errorf("%q", got)
		}
		s.Reset()
		d.Close()
		if s.String() != clearLine || !s.closed {
			t.Errorf("closed: %q", s.String())
		}
	})
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Grüße": "Gruesse", "21 °C": "21  C", "a\tb\r\nc": "a b  c", "\x00\x1b[2J": "[2J", "日本": "??", "naïve café": "naive cafe", "\xff": "?",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Fold(strings.Repeat("é", 5000)); len(got) != MaxText {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Bitte Karte vorhalten", 16, 2)
	f.Add("日本\x1b[2J", 8, 1)
	f.Fuzz(func(t *testing.T, text string, width, lines int) {
		width, lines = 1+abs(width)%40, 1+abs(lines)%4
		got := Fold(text)
		for _, c := range []byte(got) {
			if c < 0x20 || c > 0x7E {
				t.Fatalf("%q", got)
			}
		}
		if len(got) > MaxText {
			t.Fatalf("%d bytes", len(got))
		}
		all := Wrap(got, width, lines)
		if len(all) > lines {
			t.Fatalf("%d lines", len(all))
		}
		for _, l := range all {
			if len(l) > width || l == "" {
				t.Fatalf("%q in %d columns", l, width)
			}
		}
	})
}

func abs(n int) int { return n & 0xFFFF }

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
