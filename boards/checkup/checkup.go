package checkup

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/isolation"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/rectifier"
)

// Kernel opens the buses of a board. What it opens is closed by the caller.
type Kernel interface {
	Modbus(boards.Bus) (Modbus, error)
	CAN(boards.Bus) (CAN, error)
	Interface(name string) (up bool, err error)
}

// Modbus is a bus with Modbus units.
type Modbus interface {
	modbus.Client
	io.Closer
}

// CAN is a bus with power modules.
type CAN interface {
	rectifier.Bus
	io.Closer
}

// Result is what one device answered.
type Result struct {
	Path string // of the board
	Name string // model and place
	Text string // what it says
	Left bool   // it was not asked: Text says why
	Err  error
}

// String is the result in a line.
func (r Result) String() string {
	if r.Err != nil {
		return fmt.Sprintf("FAIL %-28s %s: %v", r.Path, r.Name, r.Err)
	}
	if r.Left {
		return fmt.Sprintf("-    %-28s %s: %s", r.Path, r.Name, r.Text)
	}
	return fmt.Sprintf("ok   %-28s %s: %s", r.Path, r.Name, r.Text)
}

const (
	askLimit    = 3 * time.Second        // of one device
	moduleLook  = 100 * time.Millisecond // between two looks at power modules
	moduleLimit = 3 * time.Second        // within which a power module has to be heard
)

// checkup is one run over a board.
type checkup struct {
	b     *boards.Board
	k     Kernel
	o     Options
	buses map[string]Modbus
	bad   map[string]error // buses that do not open
	all   []Result
}

// Options say what may be asked.
type Options struct {
	Network bool // devices at addresses of other machines, too: whoever they are
}

// Run asks every device. EVSEs that are switched off are left alone.
func Run(ctx context.Context, b *boards.Board, k Kernel, o Options) []Result {
	c := &checkup{b: b, k: k, o: o, buses: map[string]Modbus{}, bad: map[string]error{}}
	for i := range b.EVSEs {
		e := &b.EVSEs[i]
		if e.Off {
			continue
		}
		at := fmt.Sprintf("evses[%d]", e.ID)
		if e.Meter != nil {
			c.meter(ctx, e, at+".meter")
		}
		if e.Isolation != nil {
			c.isolation(ctx, e.Isolation, at+".isolation")
		}
		if e.Source != nil {
			c.source(ctx, e)
		}
		if e.HLC != nil {
			c.hlc(e.HLC, at+".hlc")
		}
	}
	for _, m := range c.buses {
		_ = m.Close() // nothing was begun on it
	}
	return c.all
}

func (c *checkup) say(path, name, text string, err error) {
	c.all = append(c.all, Result{Path: path, Name: name, Text: text, Err: err})
}

// modbus opens a bus once.
func (c *checkup) modbus(name string) (Modbus, error) {
	if m := c.buses[name]; m != nil {
		return m, nil
	}
	if err := c.bad[name]; err != nil {
		return nil, err
	}
	m, err := c.k.Modbus(*c.b.Bus(name))
	if err != nil {
		c.bad[name] = err
		return nil, err
	}
	c.buses[name] = m
	return m, nil
}

// meter reads a meter, and compares its key with the board's if it signs.
func (c *checkup) meter(ctx context.Context, e *boards.EVSE, path string) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	m := e.Meter
	if c.remote(m.Bus, m.HTTP, path, m.Model) {
		return
	}
	if m.HTTP != "" {
		c.http(ctx, m, path)
		return
	}
	name := fmt.Sprintf("%s at bus %s, address %d", m.Model, m.Bus, m.Address)
	dev, err := c.register(m)
	if err != nil {
		c.say(path, name, "", err)
		return
	}
	text, err := read(ctx, dev, m)
	c.say(path, name, text, err)
}

// register makes the meter that is a unit on a bus, one that signs if the board says that it does.
func (c *checkup) register(m *boards.Meter) (hal.Meter, error) {
	table, err := m.Table()
	if err != nil {
		return nil, err
	}
	bus, err := c.modbus(m.Bus)
	if err != nil {
		return nil, err
	}
	if m.Legal {
		return iskra.New(table, bus, m.Address, meter.Options{})
	}
	return meter.New(table, bus, m.Address, meter.Options{})
}

// read takes a reading, and the key of what a legal meter signs.
func read(ctx context.Context, dev hal.Meter, m *boards.Meter) (string, error) {
	r, err := dev.Read(ctx)
	text := readingText(r)
	if s, ok := dev.(hal.SigningMeter); ok && err == nil && m.Legal {
		var key []byte
		if key, err = s.PublicKey(ctx); err == nil {
			text += "; public key " + hex.EncodeToString(key)
			err = m.CheckKey(key)
		}
	}
	return text, err
}

func (c *checkup) http(ctx context.Context, m *boards.Meter, path string) {
	name := fmt.Sprintf("%s at %s", m.Model, m.HTTP)
	dev, err := dcbm.New(m.HTTP, dcbm.Options{})
	if err != nil {
		c.say(path, name, "", err)
		return
	}
	defer dev.Close()
	text, err := read(ctx, dev, m)
	c.say(path, name, text, err)
}

func readingText(r hal.MeterReading) string {
	text := fmt.Sprintf("%s, %s", r.Power, r.Import)
	for i := range max(int(r.Phases), 1) {
		text += fmt.Sprintf(", %s %s", r.Voltage[i], r.Current[i])
	}
	return text
}

// errLink is an interface that is there and not up: the modem behind it is not reached.
var errLink = errors.New("the interface is down")

// hlc looks for the interface of the power-line modem.
func (c *checkup) hlc(h *boards.HLC, path string) {
	port := c.b.Bus(h.Bus).Port
	up, err := c.k.Interface(port)
	if err == nil && !up {
		err = errLink
	}
	c.say(path, "network interface "+port, "is up", err)
}

// isolation reads an insulation monitor, and holds what it measures against the board's trip.
func (c *checkup) isolation(ctx context.Context, m *boards.Isolation, path string) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if c.remote(m.Bus, "", path, m.Model) {
		return
	}
	name := fmt.Sprintf("%s at bus %s, address %d", m.Model, m.Bus, m.Address)
	bus, err := c.modbus(m.Bus)
	if err != nil {
		c.say(path, name, "", err)
		return
	}
	dev, err := isolation.New(m.Model, bus, m.Address)
	if err != nil {
		c.say(path, name, "", err)
		return
	}
	r, err := dev.Read(ctx)
	if err == nil && r.Resistance < m.Trip {
		err = fmt.Errorf("%s is less than the %s of trip", r.Resistance, m.Trip)
	}
	c.say(path, name, fmt.Sprintf("%s to earth, %s", r.Resistance, r.Voltage), err)
}
