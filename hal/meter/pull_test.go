package meter_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
)

// adapter is a serial adapter with a meter behind it that can be pulled out and put back under the same name.
type adapter struct {
	t     *testing.T
	name  string
	slave *meter.Slave
	pull  func()
}

func (a *adapter) plug() {
	a.t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		a.t.Skip("no pseudo-terminals here: ", err)
	}
	if err := os.Symlink(near, a.name); err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		modbus.NewServer(map[uint8]modbus.Unit{1: a.slave}).ServeRTU(ctx, far1{far})
	}()
	a.pull = func() {
		os.Remove(a.name) // as udev does; the terminal's number may be somebody else's at once
		cancel()
		<-ended
	}
}

type far1 struct{ *os.File }

func (far1) Char() time.Duration { return 0 }

// An adapter that is pulled out is told once by its meter, and its meter reads again when it is back.
func TestPulledAdapter(t *testing.T) {
	model, err := meter.Find("eastron/sdm120")
	if err != nil {
		t.Fatal(err)
	}
	a := &adapter{t: t, name: filepath.Join(t.TempDir(), "meters"), slave: meter.NewSlave(model)}
	a.slave.Set(hal.MeterReading{Import: 5 * unit.KiloWattHour, Voltage: [3]unit.Voltage{230_000}})
	a.plug()
	port, err := serial.Open(serial.Config{Port: a.name, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	bus := modbus.NewRTU("meters", port, modbus.Options{Timeout: patience / 4})
	defer bus.Close()
	var told []error
	m, err := meter.New(model, bus, 1, meter.Options{Notify: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := m.Read(t.Context()); err != nil || r.Import != 5*unit.KiloWattHour {
		t.Fatal(r, err)
	}
	a.pull()
	for range 3 {
		if _, err := m.Read(t.Context()); !errors.Is(err, serial.ErrUnplugged) {
			t.Fatal(err)
		}
	}
	a.plug()
	defer func() { a.pull() }()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, err := m.Read(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if len(told) != 2 || !errors.Is(told[0], serial.ErrUnplugged) || told[1] != nil {
		t.Errorf("told %v, want that it is gone, and that it is back", told)
	}
}
