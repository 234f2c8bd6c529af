package fit

import (
	"context"
	"errors"
	"fmt"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/rfid/mfrc522"
	"github.com/evsed/evsed/hal/rfid/pn532"
	"github.com/evsed/evsed/hal/rfid/uart"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// readerAt is a reader of tokens.
type readerAt struct {
	f     *Fitted
	dev   *rfid.Reader
	name  string
	evses []term.EVSEID // that it serves; none: all
}

// adapter is an I2C bus.
type adapter = opening[*i2c.Bus]

func (f *Fitted) fitReaders() error {
	if err := f.fitReader(f.board.Reader, "reader", term.Ref{}, nil); err != nil {
		return err
	}
	for _, e := range f.served() {
		if err := f.fitReader(e.Reader, fmt.Sprintf("reader of EVSE %d", e.ID), term.Ref{EVSE: e.ID}, []term.EVSEID{e.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fitted) fitReader(d *boards.Reader, name string, ref term.Ref, evses []term.EVSEID) error {
	if d == nil {
		return nil
	}
	open, where, err := f.scanner(d)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := &readerAt{f: f, name: fmt.Sprintf("%s, %s at %s", name, d.Model, where), evses: evses}
	at := place{ref, term.FaultReader}
	r.dev, err = rfid.Watch(&lateScanner{opening[rfid.Scanner]{now: f.o.Now, open: open}}, rfid.Options{Name: r.name, Format: d.Format, Notify: func(err error) { f.tell(r.name, at, err) }})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.ends = append(f.ends, func() { _ = r.dev.Close() })
	f.readers = append(f.readers, r)
	return nil
}

// run brings its tokens until ctx ends.
func (r *readerAt) run(ctx context.Context, post func(station.Event)) {
	for {
		token, err := r.dev.Next(ctx)
		switch {
		case err == nil:
			post(station.TokenRead{Token: token, EVSEs: r.evses})
		case errors.Is(err, rfid.ErrCard):
			r.f.o.Log.Info("card", "reader", r.name, "err", err)
		default: // ctx ended, or the reader was given back
			return
		}
	}
}

// lateScanner is a reader's chip that is opened when it is there.
type lateScanner struct{ opening[rfid.Scanner] }

// Scan looks for cards.
func (s *lateScanner) Scan(ctx context.Context) ([]rfid.Card, error) {
	dev, err := s.get()
	if err != nil {
		return nil, err
	}
	return dev.Scan(ctx)
}

// Close gives the chip back.
func (s *lateScanner) Close() error {
	s.end(func(dev rfid.Scanner) { _ = dev.Close() })
	return nil
}

// readerSpeed is how fast a reader at SPI is spoken to, in bits a second: a tenth of what its chip can, for wires of its own length.
const readerSpeed = 1_000_000

// scanner says how a reader is opened, and where it is.
func (f *Fitted) scanner(d *boards.Reader) (open func() (rfid.Scanner, error), where string, err error) {
	reset, err := f.resetLine(d)
	if err != nil {
		return nil, "", err
	}
	b := f.board.Bus(d.Bus)
	switch {
	case d.Model == "nxp/pn532" && b != nil && b.Kind == boards.BusI2C:
		address := d.Address
		if address == 0 {
			address = pn532.Address
		}
		return func() (rfid.Scanner, error) {
			chip, err := f.chipAt(b, address)
			if err != nil {
				return nil, err
			}
			line, err := reset()
			if err != nil {
				chip.Release()
				return nil, err
			}
			return pn532.New(pn532.OverI2C(chip), pn532.Config{Reset: line}), nil
		}, "i2c " + b.Port, nil
	case d.Model == "nxp/pn532" && b != nil && b.Kind == boards.BusSerial:
		return func() (rfid.Scanner, error) {
			line, err := reset()
			if err != nil {
				return nil, err
			}
			p, err := f.kernel.UART(serialConfig(b, 115200))
			if err != nil {
				return nil, err
			}
			return pn532.New(pn532.OverSerial(p), pn532.Config{Reset: line}), nil
		}, b.Port, nil
	case d.Model == "uart/ascii" && b != nil && b.Kind == boards.BusSerial:
		return func() (rfid.Scanner, error) {
			p, err := f.kernel.UART(serialConfig(b, 9600))
			if err != nil {
				return nil, err
			}
			return uart.New(p, uart.Config{Typed: d.Typed})
		}, b.Port, nil
	case d.Model == "nxp/mfrc522" && b != nil && b.Kind == boards.BusSPI:
		return func() (rfid.Scanner, error) {
			line, err := reset()
			if err != nil {
				return nil, err
			}
			chip, err := f.kernel.SPI(spi.Config{Port: b.Port, Speed: readerSpeed, Late: true})
			if err != nil {
				return nil, err
			}
			return mfrc522.New(chip, mfrc522.Config{Reset: line}), nil
		}, "spi " + b.Port, nil
	case d.Model == "hid/keyboard" && d.Device != "":
		return func() (rfid.Scanner, error) { return f.kernel.Keyboard(hid.Config{Device: d.Device, Typed: d.Typed}) }, d.Device, nil
	}
	return nil, "", fmt.Errorf("%s at bus %q: this build has no driver for that", d.Model, d.Bus)
}

// resetLine opens the line that resets a chip, once; nil where there is none.
func (f *Fitted) resetLine(d *boards.Reader) (func() (gpio.Output, error), error) {
	if d.Reset == nil {
		return func() (gpio.Output, error) { return nil, nil }, nil
	}
	line := &opening[gpio.Output]{now: f.o.Now, open: func() (gpio.Output, error) { return f.kernel.Output(gpioSpec(*d.Reset)) }}
	return line.get, nil
}

// chipAt takes an address of an I2C bus.
func (f *Fitted) chipAt(d *boards.Bus, address uint8) (*i2c.Device, error) {
	f.chipsMu.Lock()
	a := f.chips[d.Name]
	if a == nil {
		a = &adapter{now: f.o.Now, open: func() (*i2c.Bus, error) { return f.kernel.I2C(i2c.Config{Bus: d.Port, Late: true}) }}
		f.chips[d.Name] = a
	}
	f.chipsMu.Unlock()
	bus, err := a.get()
	if err != nil {
		return nil, err
	}
	return bus.Device(address)
}

// endChips gives the I2C buses back, once nobody uses them any more.
func (f *Fitted) endChips() {
	f.chipsMu.Lock()
	defer f.chipsMu.Unlock()
	for _, a := range f.chips {
		a.end(func(b *i2c.Bus) { _ = b.Close() })
	}
}
