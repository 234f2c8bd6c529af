package serial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/serial/pty"
)

func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { far.Close() })
	return far, near
}

func TestPortCarriesBytesBothWays(t *testing.T) {
	far, near := openPTY(t)
	p, err := Open(Config{Port: near, Baud: 9600, Frame: "8E1"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetDeadline(time.Now().Add(time.Minute))
	want := []byte{0x00, 0x03, 0x0a, 0x0d, 0x11, 0x13, 0x7f, 0xff} // what a terminal would eat or change
	if _, err := p.Write(want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(far, got); err != nil || string(got) != string(want) {
		t.Fatalf("far end got % x, %v", got, err)
	}
	if _, err := far.Write(want); err != nil {
		t.Fatal(err)
	}
	clear(got)
	if _, err := io.ReadFull(p, got); err != nil || string(got) != string(want) {
		t.Fatalf("port got % x, %v", got, err)
	}
}

func TestSilentPortIsAnError(t *testing.T) {
	_, near := openPTY(t)
	p, err := Open(Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetDeadline(time.Now().Add(time.Millisecond))
	if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrTimeout) {
		t.Fatalf("a silent line reads %d, %v; want a timeout", n, err)
	}
}

func TestFullLineDoesNotBlockTheWriter(t *testing.T) {
	_, near := openPTY(t)
	p, err := Open(Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 1000 { // nobody reads at the far end
		p.SetDeadline(time.Now().Add(time.Millisecond))
		if _, err = p.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v, want a timeout", err)
	}
}

func TestSecondOpenIsTold(t *testing.T) {
	_, near := openPTY(t)
	p, err := Open(Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Port: near, Baud: 9600, Late: true})
	if !errors.Is(err, ErrHeld) {
		t.Fatalf("a second open says %v", err)
	}
	if _, e := os.Stat("/proc/locks"); e == nil && !strings.Contains(err.Error(), "process") {
		t.Errorf("%q does not say who holds it", err)
	}
	p.Close()
	q, err := Open(Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatalf("after the first closed: %v", err)
	}
	q.Close()
}

func TestCloseEndsRead(t *testing.T) {
	_, near := openPTY(t)
	p, err := Open(Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		_, err := p.Read(make([]byte, 1))
		got <- err
	}()
	p.Close()
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Fatalf("a read ends with %v", err)
	}
}

func TestDirectionThatTheDriverCannotTurn(t *testing.T) {
	_, near := openPTY(t)
	_, err := Open(Config{Port: near, Baud: 9600, RS485: &RS485{}})
	if !errors.Is(err, ErrDirection) || !strings.Contains(err.Error(), "transceiver") {
		t.Fatalf("RS-485 on a pseudo-terminal: %v", err)
	}
}

func TestPulledPlugIsToldOnceAndOpensAgain(t *testing.T) {
	dir := t.TempDir()
	far, near := openPTY(t)
	alias := dir + "/meters"
	if err := os.Symlink(near, alias); err != nil {
		t.Fatal(err)
	}
	var told []error
	p, err := Open(Config{Port: alias, Baud: 9600, Notify: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	os.Remove(alias) // as udev does; the terminal's number may be somebody else's at once
	far.Close()
	for range 3 {
		p.SetDeadline(time.Now().Add(time.Millisecond))
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrUnplugged) {
			t.Fatalf("without the adapter a read says %v", err)
		}
	}
	if len(told) != 1 || told[0] == nil {
		t.Fatalf("told %v, want one error", told)
	}
	far, near = openPTY(t)
	if err := os.Symlink(near, alias); err != nil {
		t.Fatal(err)
	}
	p.SetDeadline(time.Now().Add(time.Minute))
	go far.Write([]byte("x"))
	b := make([]byte, 1)
	if _, err := p.Read(b); err != nil || b[0] != 'x' {
		t.Fatalf("with the adapter back: %q, %v", b, err)
	}
	if len(told) != 2 || told[1] != nil {
		t.Fatalf("told %v, want an error and its end", told)
	}
}

// absent is a device that comes and goes by a list.
type absent struct {
	there bool
	opens int
}

func (a *absent) open(Config) (line, error) {
	a.opens++
	if !a.there {
		return nil, fmt.Errorf("%w: no such file", ErrUnplugged)
	}
	return a, nil
}
func (a *absent) Read(p []byte, _ time.Time) (int, error)  { return a.use(p) }
func (a *absent) Write(p []byte, _ time.Time) (int, error) { return a.use(p) }
func (a *absent) Drop() error                              { return nil }
func (a *absent) Close() error                             { return nil }
func (a *absent) use(p []byte) (int, error) {
	if !a.there {
		return 0, ErrUnplugged
	}
	return len(p), nil
}

func TestLostDeviceIsTriedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &absent{}
		told := 0
		p, err := open(Config{Port: "x", Baud: 9600, Late: true, Notify: func(error) { told++ }}, a.open)
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(time.Minute)
		for time.Now().Before(until) {
			p.SetDeadline(until)
			if _, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrUnplugged) {
				t.Fatal(err)
			}
		}
		if a.opens < 12 || a.opens > 20 {
			t.Errorf("tried %d times in a minute", a.opens)
		}
		a.there = true
		time.Sleep(lastReopen)
		if _, err := p.Write([]byte("x")); err != nil {
			t.Fatal("back, and still:", err)
		}
		if told != 2 {
			t.Errorf("told %d times, want lost and back", told)
		}
	})
}

func TestLateIsNeeded(t *testing.T) {
	_, err := Open(Config{Port: "/dev/no-such-uart", Baud: 9600})
	if !errors.Is(err, ErrUnplugged) || !strings.Contains(err.Error(), "plug the adapter in") {
		t.Fatal(err)
	}
	p, err := Open(Config{Port: "/dev/no-such-uart", Baud: 9600, Late: true})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := p.Read(nil); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no port", Config{Baud: 9600}, "want a path"},
		{"no baud rate", Config{Port: "ttyS0"}, "baud rate 0"},
		{"frame of four", Config{Port: "ttyS0", Baud: 9600, Frame: "8N1x"}, "like 8N1"},
		{"mark parity", Config{Port: "ttyS0", Baud: 9600, Frame: "8M1"}, "parity N, E or O"},
		{"half a stop bit", Config{Port: "ttyS0", Baud: 9600, Frame: "8N0"}, "stop bits"},
		{"delay of microseconds", Config{Port: "ttyS0", Baud: 9600, RS485: &RS485{Before: time.Microsecond}}, "whole milliseconds"},
	} {
		if err := c.cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if got := (Config{Port: "serial/by-id/usb-1", Baud: 9600}).Path(); got != "/dev/serial/by-id/usb-1" {
		t.Errorf("alias is at %s", got)
	}
	if got := (Config{Port: "x", Baud: 9600, Frame: "8E1"}).Char(); got.Round(time.Microsecond) != 1146*time.Microsecond {
		t.Errorf("a character takes %v", got)
	}
	if k := (RS485{Before: time.Millisecond, RTSLow: true}).kernel(); k.flags != 5 || k.before != 1 {
		t.Errorf("kernel's settings are %+v", k)
	}
}
