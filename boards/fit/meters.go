package fit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/station/term"
)

// Times of a meter.
const (
	meterQuiet  = 10 * time.Second // a meter that nobody has read for so long is read to see whether it is there
	meterAsked  = 2 * time.Second  // for that reading
	meterSilent = 3 * time.Second  // of no good reading is a fault, before the guard takes it for one (iec61851.ReadingLimit); a single disturbed frame is none
)

// meterAt is the meter of an EVSE.
type meterAt struct {
	f    *Fitted
	name string
	at   place
	dev  opening[hal.Meter]

	mu    sync.Mutex // of all below
	asked time.Time  // the last reading, good or not
	good  time.Time  // the last good one
	bad   time.Time  // since when none is good; zero: the last was
	fails int
}

func (f *Fitted) fitMeters() error {
	for _, e := range f.served() {
		if e.Meter == nil {
			continue
		}
		m, err := f.newMeter(e)
		if err != nil {
			return fmt.Errorf("meter of EVSE %d: %w", e.ID, err)
		}
		f.meters[e.ID] = m
		f.every(meterQuiet/4, m.watch)
	}
	return nil
}

func (f *Fitted) newMeter(e *boards.EVSE) (*meterAt, error) {
	d := e.Meter
	model, err := d.Table()
	if err != nil {
		return nil, err
	}
	if model.Driver != meter.DriverModbus {
		return nil, fmt.Errorf("%s: want a meter with Modbus at an AC EVSE", d.Model)
	}
	if d.Legal && model.Signs != meter.SignsIskra {
		return nil, fmt.Errorf("%s: want a meter that signs", d.Model)
	}
	b, err := f.modbusAt(d.Bus)
	if err != nil {
		return nil, err
	}
	m := &meterAt{f: f, name: fmt.Sprintf("meter %s at bus %s, address %d", d.Model, d.Bus, d.Address),
		at: place{term.Ref{EVSE: e.ID}, term.FaultMeter}}
	o := meter.Options{Now: f.o.Now, Lines: linesOf(d, int(e.Phases), model.Phases)}
	m.dev = opening[hal.Meter]{now: f.o.Now, open: func() (hal.Meter, error) {
		line, err := b.get()
		if err != nil {
			return nil, err
		}
		if d.Legal {
			return iskra.New(model, line, d.Address, o)
		}
		return meter.New(model, line, d.Address, o)
	}}
	return m, nil
}

// linesOf are the lines that the inputs of a meter measure. A board says for each of its meter's inputs which line of the EVSE
// that is; nil: one after the other.
func linesOf(d *boards.Meter, phases, inputs int) []int {
	var lines []int
	for _, l := range d.Phases[:min(len(d.Phases), inputs)] {
		if l > 0 && int(l) <= max(phases, 1) {
			lines = append(lines, int(l))
		}
	}
	for i, l := range lines {
		if l != i+1 {
			return lines
		}
	}
	if len(lines) == inputs {
		return nil
	}
	return lines
}

// Read takes a reading. One that fails is told once it has failed for a while.
func (m *meterAt) Read(ctx context.Context) (hal.MeterReading, error) {
	dev, err := m.dev.get()
	var r hal.MeterReading
	if err == nil {
		r, err = dev.Read(ctx)
	}
	if ctx.Err() == context.Canceled {
		return r, err // nobody waits for it, and it says nothing of the meter
	}
	m.judge(err)
	return r, err
}

func (m *meterAt) judge(err error) {
	now := m.f.o.Now()
	m.mu.Lock()
	m.asked = now
	switch {
	case err == nil:
		m.good, m.bad, m.fails = now, time.Time{}, 0
	case m.bad.IsZero():
		// Silence counts from the last good reading, as the guard counts it: whoever has the words has to be first, so that it is told once.
		m.bad, m.fails = m.good, 1
		if latest := now.Add(-meterAsked); m.bad.Before(latest) {
			m.bad = latest
		}
	default:
		m.fails++
	}
	fault := m.fails > 1 && now.Sub(m.bad) >= meterSilent
	m.mu.Unlock()
	if err == nil || fault {
		m.f.tell(m.name, m.at, err)
	}
}

// watch reads a meter that nobody reads, and one that fails until that is certain.
func (m *meterAt) watch() {
	m.mu.Lock()
	due := m.asked.IsZero() || !m.bad.IsZero() || m.f.o.Now().Sub(m.asked) >= meterQuiet
	m.mu.Unlock()
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(m.f.ctx, meterAsked)
	defer cancel()
	_, _ = m.Read(ctx) // it judges
}

// tell notes that a device fails or works again, and logs it.
func (f *Fitted) tell(device string, at place, err error) {
	switch {
	case !f.news.fail(device, at, err):
	case err != nil:
		f.o.Log.Warn("device", "name", device, "fault", at.fault.String(), "at", at.ref.String(), "err", err)
	default:
		f.o.Log.Info("device", "name", device, "works again", at.fault.String())
	}
}
