package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// name is what the CSMS calls the station.
const name = "demo-01"

type options struct {
	rate     float64
	versions []rpc.Version // that the CSMS speaks, best first
	wait     time.Duration // how long the story waits for the next thing to happen, in real time
	out      io.Writer
	colour   bool
	prompt   bool
}

// demo is the station, its CSMS and what is printed of them.
type demo struct {
	o       options
	paper   *paper
	dir     string
	csms    *csms.CSMS
	url     string
	station *virtual.Station
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	failed  chan error // what ended CSMS or station, at most one each

	mu     sync.Mutex // lights
	lights map[string]string
}

// cards are the drivers that the CSMS knows.
var cards = map[term.IdToken]msg2.IdTokenInfo{
	card("DEMO"):    {Status: msg2.AuthorizationStatusAccepted},
	card("GUEST"):   {Status: msg2.AuthorizationStatusAccepted},
	card("BLOCKED"): {Status: msg2.AuthorizationStatusBlocked},
}

func card(value string) term.IdToken { return term.IdToken{Value: value, Type: term.TokenISO14443} }

// topology is what the station is made of: EVSE 2 has a socket and a fixed cable.
var topology = []station.EVSE{
	{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}},
	{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}, {ID: 2, Type: "cType2", Tethered: true}}},
}

// open starts CSMS and station.
func open(o options) (*demo, error) {
	dir, err := os.MkdirTemp("", "evsed-demo-")
	if err != nil {
		return nil, fmt.Errorf("throw-away folder: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	clock := virtual.NewClock()
	clock.SetRate(o.rate)
	d := &demo{o: o, dir: dir, url: fmt.Sprintf("ws://%s", listener.Addr()), failed: make(chan error, 2), lights: map[string]string{},
		paper: newPaper(o.out, o.colour, clock.Wall)}
	d.csms = csms.New(csms.Options{Versions: o.versions, Tokens: cards, Now: clock.Wall, Observe: d.heard})
	if d.station, err = virtual.New(d.stationOptions(clock)); err != nil {
		_ = listener.Close()
		_ = os.RemoveAll(dir)
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.head()
	d.wg.Go(func() { d.fail(d.csms.Serve(ctx, listener)) })
	d.wg.Go(func() { d.fail(d.station.Run(ctx)) })
	return d, nil
}

func (d *demo) fail(err error) {
	if err != nil {
		d.failed <- err
	}
}

func (d *demo) stationOptions(clock *virtual.Clock) virtual.Options {
	set := func(component, variable, value string) virtual.Setting {
		return virtual.Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
	}
	return virtual.Options{
		Station: station.Config{Name: name, EVSEs: topology,
			Identity: station.Identity{Vendor: "evsed", Model: "sim-ac22", SerialNumber: "0001", FirmwareVersion: version}},
		Profiles: map[int]station.NetworkProfile{1: {URL: d.url, MessageTimeout: 30 * time.Second}},
		Priority: []int{1},
		Settings: []virtual.Setting{
			set("SampledDataCtrlr", "TxUpdatedInterval", "10"), // often enough to watch
		},
		Dir: d.dir, Seed: 1, Clock: clock, Observe: d.seen, Notice: d.noticed,
	}
}

func (d *demo) head() {
	d.paper.plain(fmt.Sprintf("evsed %s   simulated station %s   2 EVSEs, 3 x 32 A   clock x%g", version, name, d.o.rate))
	d.paper.plain(fmt.Sprintf("  csms     %s/%s   in memory, OCPP %s", d.url, name, spoken(d.o.versions)))
	d.paper.whole("  state    " + d.dir)
	if d.o.prompt {
		d.paper.plain("  type     plug, swipe, status, unplug, net cut, power cut, help, q")
	}
}

// close ends everything and removes the folder.
func (d *demo) close() error {
	d.cancel()
	d.wg.Wait()
	d.paper.close()
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove throw-away folder: %w", err)
	}
	select {
	case err := <-d.failed:
		return err
	default:
		return nil
	}
}

// evse returns one EVSE of the world as it is now.
func (d *demo) evse(id term.EVSEID) halsim.EVSEState {
	for _, e := range d.station.World().State().EVSEs {
		if e.ID == id {
			return e
		}
	}
	panic(fmt.Sprintf("demo: no EVSE %d", id))
}
