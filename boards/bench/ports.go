package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/light"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/rfid/mfrc522test"
	"github.com/evsed/evsed/hal/rfid/pn532test"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/station/term"
)

// Ports is the bench as the devices of the station's process see it: what the guard has, and the buses.
func (b *Bench) Ports() fit.Kernel { return ports{kernel{b}} }

type ports struct{ kernel }

// Close has nothing to give back.
func (ports) Close() {}

// field are the devices at the buses of a board.
type field struct {
	rails   map[string]*modbus.Line // Modbus, by port
	units   map[string]map[uint8]modbus.Unit
	readers map[string]*reader // by port
}

// reader is a reader of cards.
type reader struct {
	evses  []term.EVSEID // that it serves; none: all
	serial *pn532test.Port
	i2c    *pn532test.Chip
	pn532  *pn532test.Emulator
	spi    *mfrc522test.Chip
}

// character is how long one takes on a bus of the bench.
const character = time.Millisecond

// buildField puts a meter and a reader wherever the board has one.
func (b *Bench) buildField() error {
	b.field = field{rails: map[string]*modbus.Line{}, units: map[string]map[uint8]modbus.Unit{}, readers: map[string]*reader{}}
	all := b.buildReader(b.board.Reader, nil)
	for i := range b.board.EVSEs {
		e := &b.board.EVSEs[i]
		all = errors.Join(all, b.buildReader(e.Reader, []term.EVSEID{e.ID}), b.buildMeter(e), b.buildLight(e))
	}
	for port, units := range b.field.units {
		b.field.rails[port] = modbus.NewLine(modbus.NewServer(units), character)
	}
	return errors.Join(all, b.buildFans())
}

// buildMeter puts a meter of the board's model at its bus, which shows what the world's meter counts.
func (b *Bench) buildMeter(e *boards.EVSE) error {
	if e.Meter == nil || e.DC {
		return nil
	}
	bus := b.board.Bus(e.Meter.Bus)
	if bus == nil || bus.Kind != boards.BusSerial && bus.Kind != boards.BusTCP {
		return nil
	}
	model, err := e.Meter.Table()
	if err != nil {
		return fmt.Errorf("meter of EVSE %d: %w", e.ID, err)
	}
	if b.field.units[bus.Port] == nil {
		b.field.units[bus.Port] = map[uint8]modbus.Unit{}
	}
	s := shown{meter.NewSlave(model), b, e.ID}
	if model.Signs == meter.SignsIskra {
		if s.virtual, err = iskra.NewVirtual(b.clock); err != nil {
			return fmt.Errorf("meter of EVSE %d: %w", e.ID, err)
		}
	}
	b.field.units[bus.Port][e.Meter.Address] = s
	return nil
}

// virtual is a meter that shows what it is given.
type virtual interface {
	modbus.Unit
	Set(hal.MeterReading)
}

// shown is a meter's registers, always as the world has them.
type shown struct {
	virtual
	b  *Bench
	id term.EVSEID
}

// ReadTable answers with what the meter counts now; without power it says nothing of use.
func (m shown) ReadTable(kind modbus.Kind, address, count uint16) ([]uint16, error) {
	r, err := m.b.Read(m.id)
	if err != nil {
		return nil, modbus.DeviceFailure
	}
	m.Set(r)
	return m.virtual.ReadTable(kind, address, count)
}

// buildReader puts a chip at the reader's bus.
func (b *Bench) buildReader(d *boards.Reader, evses []term.EVSEID) error {
	if d == nil {
		return nil
	}
	r := &reader{evses: evses}
	bus := b.board.Bus(d.Bus)
	switch {
	case bus == nil: // one that types: it is no part of a board
		return nil
	case d.Model == "nxp/pn532" && bus.Kind == boards.BusI2C:
		r.pn532 = pn532test.New()
		r.i2c = r.pn532.Chip()
	case d.Model == "nxp/pn532" && bus.Kind == boards.BusSerial:
		r.pn532 = pn532test.New()
		r.serial = r.pn532.Port()
	case d.Model == "nxp/mfrc522":
		r.spi = mfrc522test.New()
	default:
		return nil
	}
	b.field.readers[bus.Port] = r
	return b.output(d.Reset, func(_ time.Time, on bool) {
		if on && r.spi != nil {
			r.spi.Reset()
		}
		if on && r.pn532 != nil {
			r.pn532.Reset()
		}
	})
}

// buildLight makes the lines of lamps; the bench has nothing to see them with.
func (b *Bench) buildLight(e *boards.EVSE) error {
	if e.Light == nil {
		return nil
	}
	var all error
	for i := range e.Light.RGB {
		all = errors.Join(all, b.output(&e.Light.RGB[i], func(time.Time, bool) {}))
	}
	return all
}

// buildFans makes the channels of fans.
func (b *Bench) buildFans() error {
	if b.board.Cooling == nil {
		return nil
	}
	var all error
	for i := range b.board.Cooling.Fans {
		f := &b.board.Cooling.Fans[i]
		g := &generator{invert: f.PWM.Invert}
		b.pwms[f.PWM.Name] = g
		all = errors.Join(all, b.input(f.Tach, func(now time.Time) bool { // two pulses a turn, 3000 turns a minute at full speed
			return g.started && g.on > 0 && now.UnixMilli()/5%2 == 0
		}))
	}
	return all
}

// device is a serial port as board files call it, below /dev: some are links in folders, like serial/by-id/NAME.
func device(path string) string { return strings.TrimPrefix(path, "/dev/") }

// Line opens a serial line with Modbus units.
func (p ports) Line(c serial.Config) (modbus.Port, error) {
	if l := p.b.field.rails[device(c.Port)]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("serial port %s: no such device", c.Port)
}

// TCP reaches a gateway's units over a line of the bench's, which has no network: frames are those of a serial line.
func (p ports) TCP(address string, o modbus.Options) *modbus.Bus {
	if l := p.b.field.rails[address]; l != nil {
		return modbus.NewRTU(address, l, o)
	}
	return modbus.DialTCP("", o)
}

// UART opens a serial port with one reader.
func (p ports) UART(c serial.Config) (fit.UART, error) {
	if r := p.b.field.readers[device(c.Port)]; r != nil && r.serial != nil {
		return r.serial, nil
	}
	return nil, fmt.Errorf("serial port %s: no such device", c.Port)
}

// I2C opens an adapter.
func (p ports) I2C(c i2c.Config) (*i2c.Bus, error) {
	if r := p.b.field.readers[c.Bus]; r != nil && r.i2c != nil {
		return i2c.On(c.Bus, r.i2c.Open), nil
	}
	if d := p.b.board.Display; d != nil {
		if bus := p.b.board.Bus(d.Bus); bus != nil && bus.Kind == boards.BusI2C && bus.Port == c.Bus {
			return i2c.On(c.Bus, func() (i2c.Adapter, error) { return blind(d.Address), nil }), nil
		}
	}
	return nil, fmt.Errorf("I2C bus %s: no such adapter", c.Bus)
}

// LEDs opens LEDs of the kernel, which nobody looks at.
func (p ports) LEDs(...string) (light.Lamp, error) { return lamp{}, nil }

type lamp struct{}

// Set takes a colour.
func (lamp) Set(light.Color) error { return nil }

// Close has nothing to give back.
func (lamp) Close() error { return nil }

// blind is a display at its address that takes what it is told; nobody looks at it.
type blind uint8

// Transfer takes what is written; a display that is asked is never busy.
func (d blind) Transfer(address uint8, _, r []byte) error {
	if address != uint8(d) {
		return i2c.ErrNoAnswer
	}
	clear(r)
	return nil
}

// Close leaves it as it is.
func (blind) Close() error { return nil }

// SPI opens a chip at a bus.
func (p ports) SPI(c spi.Config) (*spi.Device, error) {
	for port, r := range p.b.field.readers {
		if r.spi != nil && strings.TrimPrefix(filepath.Base(c.Port), "spidev") == port {
			return spi.On(port, r.spi.Open), nil
		}
	}
	return nil, fmt.Errorf("SPI %s: no such device", c.Port)
}

// Keyboard opens a reader that types.
func (p ports) Keyboard(c hid.Config) (rfid.Scanner, error) {
	return nil, fmt.Errorf("input device %s: no such device", c.Device)
}

// FailMeter makes a meter on a bus of the board do something wrong, or NoFault; address 0 is its whole line.
func (b *Bench) FailMeter(bus string, address uint8, f modbus.Fault) error {
	d := b.board.Bus(bus)
	if d == nil || b.field.rails[d.Port] == nil {
		return fmt.Errorf("bus %s: the board has no meters there", bus)
	}
	b.field.rails[d.Port].Fail(address, f)
	return nil
}

// Card lays a card with a UID on the reader at a bus; nil takes it away.
func (b *Bench) Card(bus string, uid []byte) error {
	r, err := b.readerAt(bus)
	switch {
	case err != nil:
		return err
	case r.spi != nil && uid == nil:
		r.spi.Lay()
	case r.spi != nil:
		r.spi.Lay(uid)
	case uid == nil:
		r.pn532.Lay()
	default:
		r.pn532.Lay(pn532test.Card{UID: uid, SENS: [2]byte{0x44, 0x00}, SEL: 0x20})
	}
	return nil
}

// PullReader unplugs the reader at a bus, or plugs it in again.
func (b *Bench) PullReader(bus string, on bool) error {
	r, err := b.readerAt(bus)
	switch {
	case err != nil:
	case r.i2c != nil:
		r.i2c.Unplug(on)
	case r.serial != nil && on:
		r.serial.Unplug(serial.ErrUnplugged)
	case r.serial != nil:
		r.serial.Unplug(nil)
	case on:
		r.spi.Fail(mfrc522test.Unplugged, 1<<30)
	default:
		r.spi.Fail(mfrc522test.None, 0)
	}
	return err
}

func (b *Bench) readerAt(bus string) (*reader, error) {
	if d := b.board.Bus(bus); d != nil && b.field.readers[d.Port] != nil {
		return b.field.readers[d.Port], nil
	}
	return nil, fmt.Errorf("bus %s: the board has no reader there", bus)
}
