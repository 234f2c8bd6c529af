package dryrun

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// The devices of the station's process speak over buses, in real time. Their steps run beside each other.

// patience is how long something may take that works; it only ends a step that would never end.
const patience = 20 * time.Second

// slow is a step of a device at a bus.
type slow struct {
	evse term.EVSEID
	name string
	left bool   // not fitted
	key  string // of the meter, instead of the file's; "": as the file has it
	play func(*desk) (note string, err error)
}

// desk is a bench with the devices of its buses opened.
type desk struct {
	*bench.Bench
	fitted *fit.Fitted
	posted chan station.Event
}

// slowSuite are the steps of the meters and readers of a board.
func slowSuite(b *boards.Board) []slow {
	var all []slow
	for i := range b.EVSEs {
		e := &b.EVSEs[i]
		if code, _ := e.Serves(); code != "" {
			continue
		}
		none := e.Meter == nil
		all = append(all, slow{evse: e.ID, name: "meter is read", left: none, play: func(d *desk) (string, error) { return d.reads(e) }})
		for _, f := range []struct {
			name string
			modbus.Fault
		}{{"silent", modbus.Silent}, {"answers with a wrong CRC", modbus.WrongCRC}, {"answers with half a frame", modbus.HalfFrame}} {
			all = append(all, slow{evse: e.ID, name: "meter " + f.name, left: none, play: func(d *desk) (string, error) { return d.fails(e, f.Fault) }})
		}
		all = append(all, signingSteps(e)...)
		all = append(all, readerSteps(b, e.Reader, e.ID)...)
	}
	return append(all, readerSteps(b, b.Reader, 0)...)
}

func readerSteps(b *boards.Board, r *boards.Reader, id term.EVSEID) []slow {
	if r == nil {
		return nil
	}
	none := b.Bus(r.Bus) == nil // one that types is no part of a board
	return []slow{{evse: id, name: "reader reads a card", left: none, play: func(d *desk) (string, error) { return d.card(r.Bus) }},
		{evse: id, name: "reader unplugged and back", left: none, play: func(d *desk) (string, error) { return d.unplugs(r.Bus) }}}
}

// runSlow plays the steps beside each other and returns them in their order.
func runSlow(hardware, software *boards.Board) []Step {
	all := slowSuite(software)
	steps := make([]Step, len(all))
	var wg sync.WaitGroup
	for i, sl := range all {
		steps[i] = Step{EVSE: sl.evse, Name: sl.name}
		if sl.left {
			steps[i].Result, steps[i].Note = Left, notFitted
			continue
		}
		wg.Go(func() {
			note, err := sl.run(hardware, software)
			if steps[i].Note = note; err != nil {
				steps[i].Result, steps[i].Note = Failed, err.Error()
			}
		})
	}
	wg.Wait()
	return steps
}

// run plays a step on a bench of its own.
func (sl slow) run(hardware, software *boards.Board) (string, error) {
	b, err := bench.New(hardware, bench.Options{Clock: time.Now, Seed: 1})
	if err != nil {
		return "", err
	}
	if sl.key != "" {
		software = withKey(software, sl.evse, sl.key)
	}
	f, err := fit.Open(software, b.Ports(), fit.Options{Now: time.Now})
	if err != nil {
		return "", err
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(context.Background())
	d := &desk{b, f, make(chan station.Event, 16)}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		f.Run(ctx, func(ev station.Event) {
			select {
			case d.posted <- ev:
			case <-ctx.Done():
			}
		})
	})
	return sl.play(d)
}

// read takes a reading.
func (d *desk) read(e *boards.EVSE) (hal.MeterReading, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := d.fitted.Meter(e.ID)
	if err != nil {
		return hal.MeterReading{}, err
	}
	return m.Read(ctx)
}

// reads wants a reading that is what the world has.
func (d *desk) reads(e *boards.EVSE) (string, error) {
	r, err := d.read(e)
	if err != nil {
		return "", err
	}
	for line := range int(max(e.Phases, 1)) {
		if v := r.Voltage[line]; v < 225*unit.Volt || v > 235*unit.Volt {
			return "", fmt.Errorf("the meter shows %v on line %d, the bench has 230 V: another model, or another order of its lines", v, line+1)
		}
	}
	return fmt.Sprintf("%v, %d lines", r.Voltage[0], r.Phases), nil
}

// fails wants a meter that goes wrong to be noticed, and to be read again once it is well.
func (d *desk) fails(e *boards.EVSE, f modbus.Fault) (string, error) {
	if _, err := d.read(e); err != nil {
		return "", err
	}
	if err := d.FailMeter(e.Meter.Bus, e.Meter.Address, f); err != nil {
		return "", err
	}
	_, noticed := d.read(e)
	if noticed == nil {
		return "", errors.New("a reading came all the same")
	}
	if err := d.FailMeter(e.Meter.Bus, e.Meter.Address, modbus.NoFault); err != nil {
		return "", err
	}
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		_, err := d.read(e)
		if err == nil {
			return "noticed, and back by itself", nil
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("not read again: %w", err)
		}
	}
}

// uid is that of the card on the desk.
var uid = []byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6}

// card wants a card to become a token.
func (d *desk) card(bus string) (string, error) {
	if err := d.Card(bus, uid); err != nil {
		return "", err
	}
	ev, err := d.hears(func(ev station.Event) bool { _, ok := ev.(station.TokenRead); return ok })
	if err != nil {
		return "", fmt.Errorf("no token: %w", err)
	}
	return fmt.Sprintf("a token of %d characters", len(ev.(station.TokenRead).Token.Value)), nil
}

// unplugs wants a reader that is gone to be a fault, and the fault to end by itself.
func (d *desk) unplugs(bus string) (string, error) {
	if err := d.PullReader(bus, true); err != nil {
		return "", err
	}
	fault := func(active bool) func(station.Event) bool {
		return func(ev station.Event) bool {
			f, ok := ev.(station.FaultChanged)
			return ok && f.Fault == term.FaultReader && f.Active == active
		}
	}
	if _, err := d.hears(fault(true)); err != nil {
		return "", fmt.Errorf("not noticed: %w", err)
	}
	if err := d.PullReader(bus, false); err != nil {
		return "", err
	}
	if _, err := d.hears(fault(false)); err != nil {
		return "", fmt.Errorf("not back: %w", err)
	}
	return "noticed, and back by itself", nil
}

// hears waits for an event.
func (d *desk) hears(is func(station.Event) bool) (station.Event, error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		select {
		case ev := <-d.posted:
			if is(ev) {
				return ev, nil
			}
		case <-end.C:
			return nil, fmt.Errorf("%w within %v", errLate, patience)
		}
	}
}
