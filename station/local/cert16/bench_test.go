package cert16_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/sim"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/storage/faultfs"
)

// patience is how long a case waits for what has to come, in virtual time.
const patience = 40 * time.Second

// bench is a charge point, its Central System, and the simulator interface.
type bench struct {
	*testing.T
	*system
	station *virtual.Station
	api     *sim.Server
	options virtual.Options
	end     func()
}

// EVSE 1 has a socket with a lock, EVSE 2 a cable of its own: connectors 1 and 2 of 1.6.
func options(dir string) virtual.Options {
	return virtual.Options{
		Station: station.Config{Name: "CP1", Bays: true, Identity: station.Identity{Vendor: "evsed", Model: "simulator", SerialNumber: "S1", FirmwareVersion: "0.1"},
			EVSEs: []station.EVSE{
				{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}},
				{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}}},
		Profiles: map[int]station.NetworkProfile{1: {URL: "ws://central.test/ocpp", Versions: []string{subprotocol}, MessageTimeout: 30 * time.Second}},
		Priority: []int{1}, Dir: dir, Seed: 16,
		Settings: []virtual.Setting{
			setting("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "5"), setting("OCPPCommCtrlr", "RetryBackOffRandomRange", "1"),
			setting("OCPPCommCtrlr", "WebSocketPingInterval", "30"),
		},
	}
}

// setting is one value of the device model, where the standard has no key of 1.6 for it.
func setting(component, variable, value string) virtual.Setting {
	return virtual.Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
}

// play plays a case against a charge point that has just been unpacked; prepare may change it, and what the Central System
// says, before the power comes on.
func play(t *testing.T, prepare func(*bench), run func(*bench)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, system: newSystem(t), options: options(dir)}
		b.options.Storage.Files = faultfs.New() // a device without a disk below it takes no time
		if prepare != nil {
			prepare(b)
		}
		b.build()
		t.Cleanup(b.check)
		run(b)
	})
}

// ready plays a case against a charge point that has booted and said that its connectors are available.
func ready(t *testing.T, run func(*bench)) {
	t.Helper()
	play(t, nil, func(b *bench) {
		b.booted()
		run(b)
	})
}

// booted reads what a charge point says first.
func (b *bench) booted() {
	b.Helper()
	b.want("BootNotification", nil)
	for c := range 3 {
		b.status(c, "Available")
	}
}

func (b *bench) build() {
	b.Helper()
	clock := virtual.NewClock()
	events := sim.NewLog(clock.Wall)
	o := &b.options
	o.Clock, o.Dial, o.Watch = clock, b.at.Dial, events
	o.Observe = func(ev halsim.Event) { sim.Observe(events, access{b}, ev) }
	b.must(func() (err error) { b.station, err = virtual.New(*o); return err }())
	b.must(func() (err error) { b.api, err = sim.Listen(b.simulator(events)); return err }())
	ctx, cancel := context.WithCancel(context.Background())
	served, ended := make(chan struct{}), make(chan error, 1)
	go func() { defer close(served); b.serve(ctx) }()
	go func() { ended <- b.station.Run(ctx) }()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		_ = b.at.Close()
		<-served
		_ = b.api.Serve(ctx)    // which has ended: the address is given back
		time.Sleep(time.Minute) // what servers still wait for
	}
}

// access is the station as the interface wants it.
type access struct{ b *bench }

func (x access) Post(ev station.Event) bool { return x.b.station != nil && x.b.station.Post(ev) }

func (x access) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	resp, err := x.b.station.Ask(ctx, r)
	if errors.Is(err, virtual.ErrNoPower) {
		err = sim.ErrOff
	}
	return resp, err
}

func (b *bench) simulator(events *sim.Log) sim.Options {
	return sim.Options{Listen: "127.0.0.1:0", Version: "0", Identity: b.options.Station.Name, Firmware: "0.1", Log: events,
		World: func() sim.World { return b.station.World() }, Station: access{b}, Power: b.station, Clock: b.station, Service: b.station.Service,
		Network: func(n sim.Network) error { return b.station.SetNetwork(n.Up, n.Latency, n.Loss) },
		StageList: func(version int, entries []sim.ListEntry) (station.SendLocalList, error) {
			staged := make([]virtual.ListEntry, len(entries))
			for i, e := range entries {
				staged[i] = virtual.ListEntry(e)
			}
			return b.station.StageList(version, staged)
		},
		FactoryReset: b.station.FactoryReset, PlanUpload: b.station.PlanUpload, PlanFirmware: func(p sim.FirmwarePlan) error {
			b.station.PlanFirmware(virtual.FirmwarePlan{Download: p.Download, Signature: p.Signature, Install: p.Install, Unfit: p.Unfit, Step: p.Step, Live: !p.Reboot})
			return nil
		},
		Facts: func() sim.Facts {
			st := b.station.Status()
			return sim.Facts{Powered: st.Powered, NetworkUp: st.Network, Protocol: st.Protocol, URL: st.URL, Pending: st.Pending, Uptime: st.Uptime, Clock: b.station.Clock().Wall()}
		},
	}
}

// check ends the case: what was wrong on the way, and statuses that nobody expected.
func (b *bench) check() {
	if b.end != nil {
		b.end()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.trouble {
		b.Error(s)
	}
	for i, h := range b.all {
		if h.Action == "StatusNotification" && !h.read && !b.again(i) {
			b.Errorf("unexpected: %s", h)
		}
	}
	if b.Failed() {
		for _, h := range b.all {
			b.Log(h)
		}
	}
}

func (h *heard) String() string {
	text, _ := json.Marshal(h.Body)
	return fmt.Sprintf("%s %s %s", h.At.UTC().Format("15:04:05.000"), h.Action, text)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// after lets virtual time pass.
func (b *bench) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// sim makes a call of the simulator interface, which has to succeed.
func (b *bench) sim(method, path string, body any) string {
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

func (b *bench) post(path string, body obj) { b.Helper(); b.sim("POST", path, body) }

// plug plugs a car at a connector; it wants energy.
func (b *bench) plug(c int) {
	b.Helper()
	b.plugCar(c, obj{"maxCurrentA": 6, "phases": 1}) // a small one: the simulated meter writes a file for each watt-hour
}

func (b *bench) plugCar(c int, car obj) {
	b.Helper()
	body := obj{"ev": car}
	if c == 2 {
		body["side"] = "ev"
	}
	b.post(fmt.Sprintf("evses/%d/plug", c), body)
}

// unplug pulls the car's end.
func (b *bench) unplug(c int) {
	b.Helper()
	b.post(fmt.Sprintf("evses/%d/unplug", c), obj{"side": "ev"})
}

// swipe presents a card at the reader of a connector.
func (b *bench) swipe(c int, tag string) {
	b.Helper()
	b.post("swipe", obj{"idToken": tag, "evses": []int{c}})
}

// evse is a part of GET /state.
type evse struct {
	Available   bool
	Reserved    any
	Transaction *string
	LimitA      float64
	EnergyWh    float64
	CurrentA    []float64
	Relay       bool
	Connectors  []struct {
		Status          string
		Plugged, Locked bool
	}
}

// at of a connector: what the simulator shows.
func (b *bench) look(c int) evse {
	b.Helper()
	var s struct{ EVSEs []evse }
	b.must(json.Unmarshal([]byte(b.sim("GET", "state", obj{})), &s))
	return s.EVSEs[c-1]
}

func (b *bench) wantRelay(c int, closed bool) {
	b.Helper()
	b.until(fmt.Sprintf("contactor of connector %d closed: %v", c, closed), func() bool { return b.look(c).Relay == closed })
}

func (b *bench) wantLocked(c int, locked bool) {
	b.Helper()
	b.until(fmt.Sprintf("connector %d locked: %v", c, locked), func() bool { return b.look(c).Connectors[0].Locked == locked })
}

// until waits until something holds.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	for from := time.Now(); !holds(); b.after(100 * time.Millisecond) {
		if time.Since(from) > patience {
			b.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// stream tells apart what is read in order: the statuses and the values of each connector, and the messages of each action.
func stream(h *heard) string {
	if h.Action == "StatusNotification" || h.Action == "MeterValues" {
		return h.Action + " " + fmt.Sprint(h.Body["connectorId"])
	}
	return h.Action
}

// want waits for a message of an action that has these members, and returns it. Messages of that action before it are passed
// over, except statuses: the next one of that connector has to be it. A member's name may be a path: idTagInfo.status,
// meterValue.0.timestamp. nil as a value: it is left out.
func (b *bench) want(action string, members obj) obj {
	b.Helper()
	return b.wantWithin(patience, action, members).Body
}

func (b *bench) wantWithin(d time.Duration, action string, members obj) *heard {
	b.Helper()
	for from := time.Now(); ; b.after(50 * time.Millisecond) {
		if h := b.next(action, members); h != nil {
			return h
		}
		if time.Since(from) > d {
			b.Fatalf("no %s %v within %v", action, members, d)
		}
	}
}

// another reports whether a message is of another connector than the one that is asked about: two connectors at one instant
// are told in any order.
func another(action string, body, members obj) bool {
	asked, ok := members["connectorId"]
	return (action == "StatusNotification" || action == "MeterValues" && ok) && fmt.Sprint(body["connectorId"]) != fmt.Sprint(asked)
}

// next marks the first message that is meant as read, with those before it in its stream.
func (b *bench) next(action string, members obj) *heard {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.all {
		if h.read || h.Action != action {
			continue
		}
		if another(action, h.Body, members) {
			continue
		}
		why := differs(h.Body, members)
		if why != "" && b.again(i) {
			h.read = true
			continue
		}
		if why == "" {
			for _, old := range b.all[:i+1] {
				old.read = old.read || stream(old) == stream(h)
			}
			return h
		}
		if action == "StatusNotification" {
			h.read = true
			b.Fatalf("%s: %s", h, why)
		}
	}
	return nil
}

// again reports whether a message is the first status of a connector on its connection, and the same as before: after an
// outage a charge point may say again what did not change (4.9). b.mu is held.
func (b *bench) again(i int) bool {
	h := b.all[i]
	if h.Action != "StatusNotification" {
		return false
	}
	for _, old := range slices.Backward(b.all[:i]) {
		if stream(old) == stream(h) {
			return old.conn < h.conn && old.Body["status"] == h.Body["status"] && old.Body["errorCode"] == h.Body["errorCode"]
		}
	}
	return false
}

// status reads the next status of a connector.
func (b *bench) status(c int, status string) obj {
	b.Helper()
	return b.want("StatusNotification", obj{"connectorId": c, "status": status})
}

// statuses reads the next statuses of a connector.
func (b *bench) statuses(c int, all ...string) {
	b.Helper()
	for _, s := range all {
		b.status(c, s)
	}
}

// none lets a while pass in which no such message may come.
func (b *bench) none(d time.Duration, action string, members obj) {
	b.Helper()
	b.after(d)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.all {
		if !h.read && h.Action == action && differs(h.Body, members) == "" && !b.again(i) {
			b.Fatalf("unexpected: %s", h)
		}
	}
}

// differs says where a payload is not as wanted.
func differs(body obj, members obj) string {
	for name, want := range members {
		got := member(body, name)
		if want == nil && got != nil || want != nil && fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Sprintf("%s is %v, want %v", name, got, want)
		}
	}
	return ""
}

// member follows a path; nil where it ends.
func member(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case obj:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// call makes a CALL and wants an answer.
func (b *bench) call(action string, payload obj) obj {
	b.Helper()
	r := b.ask(action, payload)
	if r.code != "" {
		b.Fatalf("%s %v: %s", action, payload, r.code)
	}
	m, known := msg16.NewResponse(action)
	if !known {
		b.Fatalf("no action %s", action)
	}
	text, err := json.Marshal(r.body)
	b.must(err)
	b.decode(action+".conf", m, text)
	return r.body
}

// ask makes a CALL.
func (b *bench) ask(action string, payload obj) result {
	b.Helper()
	if payload == nil {
		payload = obj{}
	}
	c := b.send(action, payload)
	select {
	case r := <-c:
		synctest.Wait()
		return r
	case <-time.After(patience):
		b.Fatalf("%s %v: no answer within %v", action, payload, patience)
	}
	return result{}
}

// accepted makes a CALL whose answer has a status.
func (b *bench) answers(status, action string, payload obj) obj {
	b.Helper()
	body := b.call(action, payload)
	if got := member(body, "status"); got != status {
		b.Fatalf("%s %v: %v, want %s", action, payload, body, status)
	}
	return body
}

// configure changes keys: name, value, name, value.
func (b *bench) configure(pairs ...string) {
	b.Helper()
	for p := range slices.Chunk(pairs, 2) {
		b.answers("Accepted", "ChangeConfiguration", obj{"key": p[0], "value": p[1]})
	}
}

// key reads a configuration key.
func (b *bench) key(name string) string {
	b.Helper()
	body := b.call("GetConfiguration", obj{"key": []string{name}})
	value, _ := member(body, "configurationKey.0.value").(string)
	return value
}

// has counts the messages of an action so far.
func (b *bench) has(action string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.all {
		if h.Action == action {
			n++
		}
	}
	return n
}
