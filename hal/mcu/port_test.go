package mcu_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
)

// patience is how long a test with a real clock waits for what must come: no figure, but the end of a test that hangs.
const patience = 30 * time.Second

// until waits for something that another goroutine does.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come within %v", what, patience)
		}
	}
}

// serve starts a controller behind a pseudo-terminal and returns the end that an agent opens.
func serve(t *testing.T, p *plant) (near string, stop func()) {
	t.Helper()
	far, near, err := pty.Open()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	sim, err := mcusim.New(mcusim.Config{Connectors: []mcusim.Connector{{Devices: p.devices()}}})
	if err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(near, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mcusim.Serve(ctx, sim, far) }()
	return near, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		hold.Close()
	}
}

// TestPort: the driver over a real terminal, with a real clock: a session, a second one that is refused, and the end of
// the line.
func TestPort(t *testing.T) {
	near, stop := serve(t, &plant{})
	spec := mcu.Spec{Port: near, Connectors: 1, Owns: mcu.OwnPilot | mcu.OwnContactor, Silence: mcu.MaxSilence}
	drv, err := mcu.Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := drv.Settle(patience); err != nil {
		t.Fatal(err)
	}
	c, err := drv.Connector(1)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the contact", func() bool { // either end may miss the other's beats here, and begins anew then
		s, err := c.Sample()
		if err != nil || s.High != 6*unit.Volt || c.SetDuty(26*unit.DutyPercent) != nil || c.Set(true, 3) != nil {
			_ = c.Set(false, 0)
			return false
		}
		closed, err := c.Closed()
		return closed && err == nil
	})
	if _, err := mcu.OpenPort(near, mcu.DefaultBaud); err == nil {
		t.Error("a second driver has opened the port")
	}
	if drv.Descriptor() < 0 {
		t.Error("nothing to wait for")
	}
	stop()
	until(t, "the error of a line that is gone", func() bool {
		_, err := c.Sample()
		return errors.Is(err, mcu.ErrLine)
	})
	if drv.Descriptor() >= 0 {
		t.Error("waits for a device that is gone")
	}
}

// TestOpenRefusesWhatIsNoPort: what a board file may name by mistake.
func TestOpenRefusesWhatIsNoPort(t *testing.T) {
	for name, spec := range map[string]mcu.Spec{
		"missing":       {Port: "/dev/evsed-no-such-port", Connectors: 1},
		"no serial":     {Port: "/dev/null", Connectors: 1},
		"no connectors": {Port: "/dev/null"},
		"short silence": {Port: "/dev/null", Connectors: 1, Silence: 10 * time.Millisecond},
		"long silence":  {Port: "/dev/null", Connectors: 1, Silence: time.Minute},
		"slow":          {Port: "/dev/null", Connectors: 1, Baud: 19200},
		"functions":     {Port: "/dev/null", Connectors: 1, Owns: 1 << 31},
	} {
		if _, err := mcu.Open(spec); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// TestPortComesBack: a port that is pulled and plugged in again, as another device with the old name.
func TestPortComesBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ttyUSB0")
	plug := func() (pull func()) {
		near, stop := serve(t, &plant{})
		if err := os.Symlink(near, name); err != nil {
			t.Fatal(err)
		}
		return func() {
			stop()
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	pull := plug()
	drv, err := mcu.Open(mcu.Spec{Port: name, Connectors: 1, Silence: mcu.MaxSilence})
	if err != nil {
		t.Fatal(err)
	}
	if err := drv.Settle(patience); err != nil {
		t.Fatal(err)
	}
	pull()
	until(t, "the error of a pulled plug", func() bool { return errors.Is(drv.Err(), mcu.ErrLine) })
	pull = plug()
	until(t, "the controller behind the new plug", func() bool { return drv.Err() == nil })
	if f := drv.Figures(); f.Sessions != 2 || f.Losses != 1 {
		t.Errorf("%+v", f)
	}
	pull()
}
