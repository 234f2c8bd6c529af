package sim

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// bench is a server in front of a simulated world and a station's core, without guard, link and storage. What the
// server asks of the runner, and what the station hears, is noted.
type bench struct {
	*Server
	world *halsim.World
	core  *station.Station
	facts Facts

	mu    sync.Mutex // everything below
	now   time.Time
	notes []string
	off   bool // no station is running
	hung  bool // the station does not answer
}

var born = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func newBench(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{now: born, facts: Facts{Powered: true, NetworkUp: true, Protocol: "ocpp2.0.1", URL: "ws://127.0.0.1:9000/cp001", Uptime: 12 * time.Second, Clock: born}}
	var err error
	b.core, err = station.New(station.Config{
		Identity: station.Identity{Vendor: "V", Model: "M", FirmwareVersion: "0.1"}, Name: "cp001", Bays: true,
		EVSEs: []station.EVSE{
			{ID: 1, Name: "DE*X*1", Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}},
			{ID: 2, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}, {ID: 2, Type: "cType2", Tethered: true}}},
		},
		NewID: func() string { return "tx" },
	})
	if err != nil {
		tb.Fatal(err)
	}
	b.core.Start(b.now, b.now)
	log := NewLog(b.clock)
	b.world, err = halsim.New(halsim.Config{Clock: b.clock, EVSEs: []halsim.EVSE{
		{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Signs: true, Connectors: []halsim.Connector{{ID: 1}}},
		{ID: 2, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}, {ID: 2}}},
	}, Observe: func(ev halsim.Event) { Observe(log, b, ev) }}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	b.Server, err = Listen(Options{
		Listen: "127.0.0.1:0", Version: "0.0", Identity: "cp001", Firmware: "0.1", World: func() World { return b.world }, Station: b,
		Facts: func() Facts { return b.facts }, Log: log, Power: b, Clock: runnerClock{b}, Network: b.setNetwork, Service: b.service,
		StageList: b.stageList, FactoryReset: func() error { b.note("factory reset"); return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { b.listener.Close() })
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// taken returns the notes since it was last called.
func (b *bench) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.notes
	b.notes = nil
	return n
}

// Ask is the station's loop.
func (b *bench) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	b.mu.Lock()
	off, hung, now := b.off, b.hung, b.now
	b.mu.Unlock()
	if off {
		return station.Response{}, ErrOff
	}
	if hung {
		<-ctx.Done()
		return station.Response{}, ctx.Err()
	}
	for _, resp := range b.core.Step(now, station.RequestReceived{ID: 7, Request: r}).Responses {
		if resp.ID == 7 {
			return resp, nil
		}
	}
	return station.Response{}, fmt.Errorf("no response to %T", r)
}

// Post notes what the station hears, and lets it.
func (b *bench) Post(ev station.Event) bool {
	b.mu.Lock()
	off, now := b.off, b.now
	b.mu.Unlock()
	if off {
		return false
	}
	text := fmt.Sprintf("%+v", ev)
	if t, ok := ev.(station.TokenRead); ok { // a token hides its value
		text = fmt.Sprintf("{%s %s %v %v}", t.Token.Type, t.Token.Value, t.Info, t.EVSEs)
	}
	b.note("station hears %s%s", strings.TrimPrefix(fmt.Sprintf("%T", ev), "station."), text)
	b.core.Step(now, ev)
	return true
}

func (b *bench) PowerOff(ups time.Duration) error {
	b.note("power off, ups %v", ups)
	return nil
}
func (b *bench) PowerOn() error { b.note("power on"); return nil }
func (b *bench) PowerCycle(off time.Duration) error {
	b.note("power off for %v", off)
	return nil
}

func (b *bench) setNetwork(n Network) error { b.note("network %+v", n); return nil }
func (b *bench) service(r term.Ref)         { b.note("service at %v", r) }

func (b *bench) stageList(version int, list []ListEntry) (station.SendLocalList, error) {
	for _, e := range list {
		b.note("staged %s %s %s group %q until %v", e.Token.Type, e.Token.Value, e.Info.Status, e.Info.Group.Value, e.Info.Expiry)
	}
	return station.SendLocalList{Version: version, Full: true, Stage: 1, Staged: len(list), Total: len(list)}, nil
}

type runnerClock struct{ b *bench }

func (c runnerClock) SetOffset(d time.Duration) error { c.b.note("clock off by %v", d); return nil }
func (c runnerClock) SetRate(rate float64) error      { c.b.note("clock runs %g times", rate); return nil }

// call makes one call without a network.
func (b *bench) call(method, path, body string) (code int, answer string) {
	r := httptest.NewRequest(method, "http://127.0.0.1:7001"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n")
}
