package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// agent is the product without guard and board: core, loop, storage, link and meter pollers, wired as the product wires
// them. The guard's end of the pipe is silent, as that of an idle station is, and costs nothing.
type agent struct {
	core   *station.Station
	refs   []term.Ref
	store  *storage.Store
	writer *storage.Writer
	loop   *run.Loop
	link   *link.Link
	meter  *run.Meters
}

// childAgent runs an agent with two idle EVSEs against a CSMS until its input ends. It writes a line when it runs.
func childAgent(url, dir string, in io.Reader, out io.Writer) error {
	a, err := openAgent(dir, url, nil, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	end, err := a.start(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "runs")
	_, err = io.Copy(io.Discard, in)
	cancel()
	end()
	return err
}

// openAgent makes an agent with its state in dir. dial is how it reaches its CSMS, nil over TCP; trace sees every frame, nil:
// nobody does.
func openAgent(dir, url string, dial link.DialFunc, trace func(time.Time, link.Direction, []byte)) (*agent, error) {
	store, _, err := storage.Open(dir, storage.Options{MaxOutboxEntries: 2 * queueSize}) // nothing is thinned
	if err != nil {
		return nil, err
	}
	a := &agent{store: store, writer: store.Start()}
	if err = a.newCore(); err != nil {
		return nil, err
	}
	clock := monotonic{time.Now()}
	pipe := guard.NewPipe(a.refs)
	a.loop = run.NewLoop(clock, pipe, a.writer)
	a.meter = run.NewMeters(clock, map[term.EVSEID]hal.Meter{1: idleMeter{clock}, 2: idleMeter{clock}}, a.loop.Reading, func(context.Context, station.Event) {})
	m := a.core.Model()
	a.link, err = link.New(link.Options{
		Config: link.Config{Identity: "agent", PingInterval: m.Duration(model.WebSocketPingInterval),
			Profiles: []link.Profile{{Slot: 1, NetworkProfile: station.NetworkProfile{URL: url, Versions: []string{rpc.V201.Subprotocol()}}}}},
		Dialects: []ocpp.Dialect{dialect2.New(rpc.V201)}, Outbox: kept{store}, Decode: station.DecodeReport, Table: ocpp.NewTable(),
		Events: a.loop.Events, IDPrefix: "agent-", Now: clock.Now, Dial: dial, Trace: trace,
	})
	if err != nil {
		return nil, err
	}
	a.loop.Attach(run.New(a.core, run.Ports{Guard: pipe, Journal: a.writer, Link: a.link, Board: a, Host: a}))
	return a, nil
}

// start lets the agent live until ctx ends; end waits until it is gone.
func (a *agent) start(ctx context.Context) (end func(), err error) {
	var wg sync.WaitGroup
	wg.Go(func() { a.meter.Run(ctx) })
	wg.Go(func() { _ = a.link.Run(ctx) })
	wg.Go(func() { a.loop.Run(ctx, time.Now()) })
	for _, ref := range a.refs {
		if err := a.loop.Post(ctx, station.PilotChanged{Ref: ref, State: term.StateA}); err != nil {
			return nil, err
		}
	}
	return wg.Wait, nil
}

func (a *agent) newCore() error {
	var evses []station.EVSE
	for id := term.EVSEID(1); id <= 2; id++ {
		evses = append(evses, station.EVSE{ID: id, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}})
		a.refs = append(a.refs, term.Ref{EVSE: id, Connector: 1})
	}
	var last station.ReportID
	if key := a.store.OutboxLast(); key != "" {
		var err error
		if last, err = station.ParseReportID(key); err != nil {
			return err
		}
	}
	n := 0
	var err error
	a.core, err = station.New(station.Config{Identity: station.Identity{Vendor: "evsed", Model: "bench"}, Name: "agent", EVSEs: evses, LastReport: last,
		NewID:  func() string { n++; return fmt.Sprintf("%s-%d", callID[:8], n) },
		Queued: func(term.TransactionID) bool { return a.store.OutboxLen() > 0 }})
	return err
}

// monotonic is time since the start.
type monotonic struct{ start time.Time }

func (m monotonic) Now() time.Time {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Since(m.start))
}
func (monotonic) Real(d time.Duration) time.Duration { return d }

// idleMeter is a meter behind which nothing flows.
type idleMeter struct{ clock monotonic }

func (m idleMeter) Read(context.Context) (hal.MeterReading, error) {
	return hal.MeterReading{At: m.clock.Now(), Phases: 3, Frequency: 50_000}, nil
}

// kept is the outbox as the link reads it.
type kept struct{ store *storage.Store }

func (k kept) Head(after string, most int) ([]link.Entry, error) {
	entries, err := k.store.Head(after, most)
	out := make([]link.Entry, len(entries))
	for i, e := range entries {
		out[i] = link.Entry(e)
	}
	return out, err
}

// The agent's board and host.

func (a *agent) PollMeter(e term.EVSEID)                  { a.meter.PollMeter(e) }
func (a *agent) MeterRate(e term.EVSEID, d time.Duration) { a.meter.MeterRate(e, d) }
func (a *agent) Indicate(term.Ref, hal.Indication)        {}
func (a *agent) Answer(r station.Response)                { a.loop.Answer(r) }
func (a *agent) Reconfigure()                             {}
func (a *agent) Reboot(time.Duration)                     {}
