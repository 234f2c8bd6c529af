package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/term"
)

// patience is how long the story waits for the next thing to happen, in real time.
const patience = 15 * time.Second

// look is how often it looks whether it has.
const look = 10 * time.Millisecond

// step is one paragraph of the story: what is done, and what must come of it.
type step struct {
	tell string            // what is done, for the reader
	do   func(*demo) error // nil: only wait
	want string            // what must come, for the sentence if it does not
	till func(*demo) bool  // whether it came
}

// The amounts that are charged before the story goes on.
const (
	someEnergy = 50 * unit.WattHour
	moreEnergy = 150 * unit.WattHour
)

// plot is the story. EVSE 1 loses its network while it charges, EVSE 2 its power.
var plot = []step{
	{"the station starts", nil, "a BootNotification and the status of three connectors",
		func(d *demo) bool {
			return d.csms.Received(name, "BootNotification") == 1 && d.csms.Received(name, "StatusNotification") >= 3
		}},
	{"a car is plugged in at EVSE 1", plug(1, 1), "the status Occupied", occupied(1, 1)},
	{"its driver swipes a card", swipe("DEMO", 1), "a transaction that charges", charging(0, someEnergy)},
	{"the network is cut", network(false), "a queue of messages", func(d *demo) bool {
		return d.evse(1).Energy >= moreEnergy && d.station.Status().Pending >= 2
	}},
	{"the driver swipes again and leaves, offline", leave("DEMO", 1, 1), "an open contactor and a free socket", func(d *demo) bool {
		e := d.evse(1)
		return !e.Relay && e.EV == nil
	}},
	{"the network is back", network(true), "an empty queue and the end of the transaction at the CSMS", ended(0)},
	{"a car is plugged in at EVSE 2", plug(2, 2), "the status Occupied", occupied(2, 2)},
	{"its driver swipes a card", swipe("GUEST", 2), "a transaction that charges", charging(1, someEnergy)},
	{"somebody pulls the power", func(d *demo) error { return d.station.PowerOff(0) }, "an open contactor", func(d *demo) bool {
		return !d.evse(2).Relay && !d.station.World().State().Powered
	}},
	{"the power is back", func(d *demo) error { return d.station.PowerOn() }, "a second BootNotification, and the same transaction charging on",
		func(d *demo) bool {
			return d.csms.Received(name, "BootNotification") == 2 && d.evse(2).Relay && charging(1, moreEnergy)(d)
		}},
	{"the driver swipes again and leaves", leave("GUEST", 2, 2), "the end of the transaction at the CSMS", ended(1)},
}

func plug(evse term.EVSEID, connector term.ConnectorID) func(*demo) error {
	return func(d *demo) error { return d.station.World().Plug(evse, connector, halsim.PlugOptions{}) }
}

func swipe(value string, evse term.EVSEID) func(*demo) error {
	return func(d *demo) error {
		return d.station.World().Swipe(halsim.Swipe{Token: card(value), EVSEs: []term.EVSEID{evse}})
	}
}

func leave(value string, evse term.EVSEID, connector term.ConnectorID) func(*demo) error {
	return func(d *demo) error {
		if err := swipe(value, evse)(d); err != nil {
			return err
		}
		_, err := d.station.World().Unplug(evse, connector, halsim.UnplugOptions{Orderly: true})
		return err
	}
}

func network(up bool) func(*demo) error {
	return func(d *demo) error {
		d.paper.event("NET", "%s", choose(up, "restored", "cut"))
		return d.station.SetNetwork(up, 0, 0)
	}
}

// occupied waits for the status that says so; 1.6 has more than one, and begins with Preparing.
func occupied(evse term.EVSEID, connector term.ConnectorID) func(*demo) bool {
	return func(d *demo) bool {
		s := d.told(term.Ref{EVSE: evse, Connector: connector})
		return s == msg2.ConnectorStatusOccupied || d.old() && s == "Preparing"
	}
}

// charging waits for the n-th transaction to be told with at least so much energy.
func charging(n int, energy unit.Energy) func(*demo) bool {
	return func(d *demo) bool {
		t := d.csms.Ledger().Transactions()
		return len(t) > n && t[n].Open() && t[n].Energy() >= energy
	}
}

// ended waits for the end of the n-th transaction and an empty queue.
func ended(n int) func(*demo) bool {
	return func(d *demo) bool {
		t := d.csms.Ledger().Transactions()
		return len(t) > n && !t[n].Open() && d.station.Status().Pending == 0
	}
}

// story plays the plot and checks the books.
func (d *demo) story(ctx context.Context) error {
	for _, s := range plot {
		d.paper.event("STORY", "%s", s.tell)
		if s.do != nil {
			if err := s.do(d); err != nil {
				return fmt.Errorf("%s: %w", s.tell, err)
			}
		}
		if err := d.await(ctx, s.till); err != nil {
			return fmt.Errorf("%s, but %s did not come: %w", s.tell, s.want, err)
		}
	}
	return d.audit()
}

// await waits until something holds.
func (d *demo) await(ctx context.Context, holds func(*demo) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.o.wait, fmt.Errorf("waited %v", d.o.wait))
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !holds(d) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-d.failed:
			return err
		case <-tick.C:
		}
	}
	return nil
}

// audit checks that the CSMS knows what the meters counted.
func (d *demo) audit() error {
	ledger := d.csms.Ledger()
	if found := ledger.Check(nil); len(found) > 0 {
		return errors.New(found[0])
	}
	told := ledger.Transactions()
	if len(told) != 2 {
		return fmt.Errorf("%d transactions, want 2", len(told))
	}
	if !d.old() && !slices.ContainsFunc(told[0].Events, func(e csms.Event) bool { return e.Offline }) {
		return errors.New("no event of the first transaction happened offline")
	}
	if dead, err := d.station.DeadLetters(); err != nil || len(dead) > 0 {
		return fmt.Errorf("%d messages were refused for good (%v)", len(dead), err)
	}
	for i := range told {
		t := &told[i]
		if err := d.metered(t); err != nil {
			return err
		}
		d.paper.event("CHECK", "%s", t.String())
	}
	d.paper.event("CHECK", "as the meters counted: one start, one end, no gap, queue empty")
	return nil
}
