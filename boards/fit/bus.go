package fit

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
)

// again is how long what could not be opened is left alone.
const again = 2 * time.Second

// opening opens something when it is wanted, and again when that has failed.
type opening[T any] struct {
	open func() (T, error)
	now  func() time.Time

	mu     sync.Mutex // of all below
	value  T
	ready  bool
	closed bool
	err    error
	tried  time.Time
}

// errClosed is what a device says that was given back.
var errClosed = errors.New("the board is being given back")

// get returns it, opened if need be.
func (o *opening[T]) get() (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var none T
	switch {
	case o.closed:
		return none, errClosed
	case o.ready:
		return o.value, nil
	case o.err != nil && o.now().Sub(o.tried) < again:
		return none, o.err
	}
	o.tried = o.now()
	if o.value, o.err = o.open(); o.err != nil {
		return none, o.err
	}
	o.ready = true
	return o.value, nil
}

// end gives it back.
func (o *opening[T]) end(with func(T)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ready {
		with(o.value)
	}
	o.ready, o.closed = false, true
}

// bus is a bus with Modbus units; its goroutine is the owner of the line.
type bus = opening[*modbus.Bus]

// modbusAt returns the bus of a name.
func (f *Fitted) modbusAt(name string) (*bus, error) {
	if b := f.buses[name]; b != nil {
		return b, nil
	}
	d := f.board.Bus(name)
	if d == nil || d.Kind != boards.BusSerial && d.Kind != boards.BusTCP {
		return nil, fmt.Errorf("bus %s: want one with Modbus units", name)
	}
	b := &bus{now: f.o.Now, open: func() (*modbus.Bus, error) { return f.openBus(d) }}
	f.buses[name] = b
	f.ends = append(f.ends, func() { b.end(func(m *modbus.Bus) { _ = m.Close() }) })
	return b, nil
}

func (f *Fitted) openBus(d *boards.Bus) (*modbus.Bus, error) {
	if d.Kind == boards.BusTCP {
		return f.kernel.TCP(d.Port, modbus.Options{}), nil
	}
	p, err := f.kernel.Line(serialConfig(d, 9600))
	if err != nil {
		return nil, err
	}
	return modbus.NewRTU(d.Name, p, modbus.Options{}), nil
}

// serialConfig is how a port is opened: one whose adapter is not plugged in yet waits for it.
func serialConfig(d *boards.Bus, baud int) serial.Config {
	c := serial.Config{Port: d.Port, Baud: d.Baud, Frame: d.Frame, Late: true}
	if c.Baud == 0 {
		c.Baud = baud
	}
	if d.RS485 {
		c.RS485 = &serial.RS485{}
	}
	return c
}
