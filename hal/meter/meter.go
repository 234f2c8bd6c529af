package meter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// What a meter can be wrong in besides silence.
var (
	ErrFell  = errors.New("energy register has fallen") // a disturbed reading, or another meter
	ErrOther = errors.New("another meter answers")      // the probe does not fit the model
)

// Options say how a meter is wired.
type Options struct {
	// Lines are the lines that the meter's inputs measure, 1 to 3 each: [2 3 1] is a rotated connection, [1] a meter for
	// three of which one input is used. nil is one input a line, in order.
	Lines []int
	// Reversed meters count what flows to the EV as export: their transformers are the wrong way round.
	Reversed bool
	// Now gives the time of a reading; nil is time.Now.
	Now func() time.Time
	// Notify hears once that the meter cannot be read (err), and once that it can again (nil). It may be nil, is called by
	// who reads, and must not wait.
	Notify func(err error)
}

// Meter is one meter on a bus. Its methods may be called by any goroutine; readings are taken one at a time.
type Meter struct {
	model  *Model
	client modbus.Client
	unit   uint8
	opts   Options

	turn  chan struct{} // holds one while a reading is taken: guards all below. Who waits for it keeps his deadline
	known bool          // it is the meter that it should be, and base is right
	base  uint16        // of the SunSpec model
	watch Watch
}

var _ hal.Meter = (*Meter)(nil)

// New returns the meter of a model that is a unit on a bus. The model has the driver Modbus.
func New(m *Model, c modbus.Client, unit uint8, o Options) (*Meter, error) {
	if m.Driver != DriverModbus {
		return nil, fmt.Errorf("meter %s: speaks %s, not Modbus", m.Name, m.Driver)
	}
	if len(o.Lines) > max(m.Phases, 1) {
		return nil, fmt.Errorf("meter %s: %d lines: it measures %d", m.Name, len(o.Lines), m.Phases)
	}
	var used [4]bool
	for _, l := range o.Lines {
		if l < 1 || l > 3 || used[l] {
			return nil, fmt.Errorf("meter %s: lines %v: want each of 1 to 3 at most once", m.Name, o.Lines)
		}
		used[l] = true
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Meter{model: m, client: c, unit: unit, opts: o, turn: make(chan struct{}, 1), watch: Watch{Notify: o.Notify}}, nil
}

// Model is what the meter was made for.
func (m *Meter) Model() *Model { return m.model }

// Read takes one reading. It waits until the context's deadline at the longest; a meter that is silent, answers nonsense
// or is another one is an error, told to Notify when it begins and when it is over.
func (m *Meter) Read(ctx context.Context) (hal.MeterReading, error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return hal.MeterReading{}, fmt.Errorf("read meter %s: another reading is being taken: %w", m.model.Name, ctx.Err())
	}
	defer func() { <-m.turn }()
	r, err := m.read(ctx)
	if err != nil {
		err = fmt.Errorf("read meter %s: %w", m.model.Name, err)
	}
	m.watch.Tell(err)
	return r, err
}

func (m *Meter) read(ctx context.Context) (hal.MeterReading, error) {
	if err := m.meet(ctx); err != nil {
		return hal.MeterReading{}, err
	}
	im, err := m.image(ctx)
	if err != nil {
		m.known = false // it may be another one when it is back
		return hal.MeterReading{}, err
	}
	r, err := m.reading(im)
	if err != nil {
		return r, err
	}
	r.At = m.opts.Now()
	return r, m.watch.Risen(r)
}

// image reads the blocks of the model.
func (m *Meter) image(ctx context.Context) (image, error) {
	im := image{blocks: m.model.blocks}
	for _, b := range m.model.blocks {
		words, err := m.client.Read(ctx, m.unit, b.kind, m.base+b.address, b.count)
		if err != nil {
			return im, err
		}
		im.words = append(im.words, words)
	}
	return im, nil
}

// reading turns registers into a reading, as the meter is wired.
func (m *Meter) reading(im image) (hal.MeterReading, error) {
	r := hal.MeterReading{Phases: uint8(m.model.Phases)}
	if n := len(m.opts.Lines); n > 0 && m.model.Phases > 0 {
		r.Phases = uint8(n)
	}
	for _, v := range m.model.values {
		t, there, err := v.thousandths(im)
		if err != nil {
			return r, err
		}
		if there {
			m.put(&r, v, t)
		}
	}
	if m.opts.Reversed != m.model.reversed {
		r = turn(r)
	}
	return r, nil
}

// turn is a reading seen from the other side.
func turn(r hal.MeterReading) hal.MeterReading {
	r.Import, r.Export, r.Power = r.Export, r.Import, -r.Power
	for i := range r.Current {
		r.Current[i] = -r.Current[i]
	}
	return r
}

// put puts one value in its place.
func (m *Meter) put(r *hal.MeterReading, v value, t int64) {
	line := v.line
	if lines := m.opts.Lines; lines != nil && (v.quantity == voltage || v.quantity == current) {
		if line >= len(lines) {
			return // an input that is not connected
		}
		line = lines[line] - 1
	}
	switch v.quantity {
	case voltage:
		r.Voltage[line] = unit.Voltage(t)
	case current:
		r.Current[line] = unit.Current(t)
	case power:
		r.Power += unit.Power(t)
	case powerExport:
		r.Power -= unit.Power(t)
	case energyImport:
		r.Import = unit.Energy(t)
	case energyExport:
		r.Export = unit.Energy(t)
	case frequency:
		r.Frequency = unit.Frequency(t)
	case powerFactor:
		r.Factor = int32(t)
	}
}

// meet makes sure, before the first reading and after each silence, that the right meter answers.
func (m *Meter) meet(ctx context.Context) error {
	if m.known {
		return nil
	}
	base, err := m.model.locate(ctx, m.client, m.unit)
	if err != nil {
		return err
	}
	if len(m.model.probe.oneOf) > 0 {
		if _, fits, err := m.model.probe.try(ctx, m.client, m.unit, base); err != nil {
			return err
		} else if !fits {
			return fmt.Errorf("%w: unit %d is no %s: check model and address", ErrOther, m.unit, m.model.Title)
		}
	}
	m.base, m.known = base, true
	return nil
}
