package cases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/sim"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/keys"
)

// Patience is how long a case waits for what has to come, in virtual time.
const Patience = 40 * time.Second

// Bench is a station, its CSMS, and the simulator interface.
type Bench struct {
	*testing.T
	*CSMS
	Station *virtual.Station
	Options virtual.Options // to be changed before the station starts
	api     *sim.Server
	end     func()
}

// today is when a case begins.
var today = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// Host is where the CSMS is; every name leads to it.
const Host = "csms.test"

// options are those of a station with two EVSEs: EVSE 1 has a socket with a lock, EVSE 2 a cable of its own.
func options(dir string, w Words) virtual.Options {
	return virtual.Options{
		Station: station.Config{Name: "CS1", Bays: true, Identity: station.Identity{Vendor: "evsed", Model: "simulator", SerialNumber: "S1", FirmwareVersion: "0.1"},
			EVSEs: []station.EVSE{
				{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}},
				{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}},
			Slots: []int{1, 2, 3}},
		Profiles: map[int]station.NetworkProfile{1: {URL: "ws://" + Host + "/ocpp", Versions: []string{w.Subprotocol()}, MessageTimeout: 30 * time.Second}},
		Priority: []int{1}, Dir: dir, Seed: 2,
		Settings: []virtual.Setting{
			Set("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "5"), Set("OCPPCommCtrlr", "RetryBackOffRandomRange", "1"),
			Set("OCPPCommCtrlr", "WebSocketPingInterval", "30"),
		},
	}
}

// Set is one value of the device model, at the first boot.
func Set(component, variable, value string) virtual.Setting {
	return virtual.Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
}

// Play plays a case against a station that has just been unpacked; prepare may change it, and what the CSMS says, before the
// power comes on.
func Play(t *testing.T, w Words, prepare func(*Bench), run func(*Bench)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(today)) // a bubble begins in a year in which there was no station of this kind
		b := &Bench{T: t, CSMS: newCSMS(t, w), Options: options(dir, w)}
		b.Options.Storage.Files = faultfs.New() // a device without a disk below it takes no time
		b.keep(dir)
		if prepare != nil {
			prepare(b)
		}
		b.build()
		t.Cleanup(b.check)
		run(b)
	})
}

// keep gives the station a place for its private keys.
func (b *Bench) keep(dir string) {
	b.Helper()
	store, err := keys.Open("file", dir)
	b.must(err)
	b.Options.Keys = store
	b.Cleanup(func() { b.must(store.Close()) })
}

func (b *Bench) build() {
	b.Helper()
	clock := virtual.NewClock()
	events := sim.NewLog(clock.Wall)
	o := &b.Options
	o.Clock, o.Dial, o.Watch = clock, b.At.Dial, events
	o.Observe = func(ev halsim.Event) { sim.Observe(events, access{b}, ev) }
	b.must(func() (err error) { b.Station, err = virtual.New(*o); return err }())
	b.must(func() (err error) { b.api, err = sim.Listen(b.simulator(events)); return err }())
	ctx, cancel := context.WithCancel(context.Background())
	served, ended := make(chan struct{}), make(chan error, 1)
	go func() { defer close(served); b.serve(ctx) }()
	go func() { ended <- b.Station.Run(ctx) }()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		_ = b.At.Close()
		<-served
		_ = b.api.Serve(ctx)    // which has ended: the address is given back
		time.Sleep(time.Minute) // what servers still wait for
	}
}

// access is the station as the interface wants it.
type access struct{ b *Bench }

func (x access) Post(ev station.Event) bool { return x.b.Station != nil && x.b.Station.Post(ev) }

func (x access) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	resp, err := x.b.Station.Ask(ctx, r)
	if errors.Is(err, virtual.ErrNoPower) {
		err = sim.ErrOff
	}
	return resp, err
}

func (b *Bench) simulator(events *sim.Log) sim.Options {
	return sim.Options{Listen: "127.0.0.1:0", Version: "0", Identity: b.Options.Station.Name, Firmware: "0.1", Log: events,
		World: func() sim.World { return b.Station.World() }, Station: access{b}, Power: b.Station, Clock: b.Station, Service: b.Station.Service,
		Network: func(n sim.Network) error { return b.Station.SetNetwork(n.Up, n.Latency, n.Loss) },
		StageList: func(version int, entries []sim.ListEntry) (station.SendLocalList, error) {
			staged := make([]virtual.ListEntry, len(entries))
			for i, e := range entries {
				staged[i] = virtual.ListEntry(e)
			}
			return b.Station.StageList(version, staged)
		},
		FactoryReset: b.Station.FactoryReset, PlanUpload: b.Station.PlanUpload, PlanFirmware: b.planFirmware,
		Facts: func() sim.Facts {
			st := b.Station.Status()
			return sim.Facts{Powered: st.Powered, NetworkUp: st.Network, Protocol: st.Protocol, URL: st.URL, Pending: st.Pending, Uptime: st.Uptime, Clock: b.Station.Clock().Wall()}
		},
	}
}

func (b *Bench) planFirmware(p sim.FirmwarePlan) error {
	plan := virtual.FirmwarePlan{Download: p.Download, Signature: p.Signature, Install: p.Install, Unfit: p.Unfit, Step: p.Step, Live: !p.Reboot}
	if !b.Station.PlanFirmware(plan) {
		return sim.ErrNotSimulated
	}
	return nil
}

// check ends the case: what was wrong on the way, and statuses that nobody expected.
func (b *Bench) check() {
	if b.end != nil {
		b.end()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.trouble {
		b.Error(s)
	}
	for i, h := range b.all {
		if h.Action == statusAction && !h.read && !b.again(i) {
			b.Errorf("unexpected: %s", h)
		}
	}
	if b.Failed() {
		for _, h := range b.all {
			b.Log(h)
		}
	}
	b.keepFrames()
}

func (b *Bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// After lets virtual time pass.
func (b *Bench) After(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Until waits until something holds.
func (b *Bench) Until(what string, holds func() bool) {
	b.Helper()
	for from := time.Now(); !holds(); b.After(100 * time.Millisecond) {
		if time.Since(from) > Patience {
			b.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

// Sim makes a call of the simulator interface, which has to succeed.
func (b *Bench) Sim(method, path string, body any) string {
	b.Helper()
	text, err := json.Marshal(body)
	b.must(err)
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1/sim/v1/"+path, strings.NewReader(string(text))))
	if w.Code != http.StatusOK && w.Code != http.StatusAccepted {
		b.Fatalf("%s %s %s: %d %s", method, path, text, w.Code, w.Body)
	}
	return w.Body.String()
}

// Post makes a POST of the simulator interface.
func (b *Bench) Post(path string, body Obj) { b.Helper(); b.Sim("POST", path, body) }

// Plug plugs a car at an EVSE; it wants energy.
func (b *Bench) Plug(evse int) {
	b.Helper()
	body := Obj{"ev": Obj{"maxCurrentA": 6, "phases": 1}} // a small one: the simulated meter writes a file for each watt-hour
	if evse == 2 {
		body["side"] = "ev"
	}
	b.Post(fmt.Sprintf("evses/%d/plug", evse), body)
}

// Unplug pulls the car's end.
func (b *Bench) Unplug(evse int) {
	b.Helper()
	b.Post(fmt.Sprintf("evses/%d/unplug", evse), Obj{"side": "ev"})
}

// Swipe presents a card at the reader of an EVSE.
func (b *Bench) Swipe(evse int, token string) {
	b.Helper()
	b.Post("swipe", Obj{"idToken": token, "evses": []int{evse}})
}

// WantRelay waits until the contactor of an EVSE is closed, or open.
func (b *Bench) WantRelay(evse int, closed bool) {
	b.Helper()
	b.Until(fmt.Sprintf("contactor of EVSE %d closed: %v", evse, closed), func() bool {
		var s struct{ EVSEs []struct{ Relay bool } }
		b.must(json.Unmarshal([]byte(b.Sim("GET", "state", Obj{})), &s))
		return s.EVSEs[evse-1].Relay == closed
	})
}
