package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// snapshot is the answer to GET /state. What only a running station can know is null while there is none.
type snapshot struct {
	Station stationState `json:"station"`
	EVSEs   []evseState  `json:"evses"`
}

type stationState struct {
	ID            string         `json:"id"`
	Connected     bool           `json:"connected"`
	Registration  *string        `json:"registration"`
	OCPP          *string        `json:"ocpp"`
	CSMSURL       *string        `json:"csmsUrl"`
	Pending       int            `json:"pendingMessages"`
	OfflineSinceS *int64         `json:"offlineSinceS"`
	Clock         time.Time      `json:"clock"`
	UptimeS       int64          `json:"uptimeS"`
	Boots         int            `json:"boots"`
	Powered       bool           `json:"powered"`
	NetworkUp     bool           `json:"networkUp"`
	Firmware      string         `json:"firmwareVersion"`
	Display       []displayState `json:"display"`
	Faults        []string       `json:"faults"`
}

// displayState is a message on the display; this build shows none.
type displayState struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

type evseState struct {
	ID          term.EVSEID      `json:"id"`
	Available   bool             `json:"available"`
	Reserved    *int             `json:"reserved"` // by the reservation of this number
	Transaction *string          `json:"transaction"`
	IDToken     *string          `json:"idToken"`
	Limit       number           `json:"limitA"`
	LimitBy     string           `json:"limitBy,omitempty"`
	Refusal     *string          `json:"refusal"` // code of the last card that was refused here
	Energy      number           `json:"energyWh"`
	Power       number           `json:"powerW"`
	Current     [3]number        `json:"currentA"`
	Voltage     [3]number        `json:"voltageV"`
	Relay       bool             `json:"relay"`
	Pilot       pilotState       `json:"pilot"`
	Bay         bool             `json:"bay"`
	Connectors  []connectorState `json:"connectors"`
	EV          *evState         `json:"ev"`
}

type pilotState struct {
	State string `json:"state"`
	Duty  number `json:"dutyPercent"`
}

type connectorState struct {
	ID      term.ConnectorID `json:"id"`
	Status  *string          `json:"status"`
	Plugged bool             `json:"plugged"`
	Locked  bool             `json:"locked"`
	Faults  []string         `json:"faults"`
	Light   *lightState      `json:"light"` // null: it has none
}

// lightState is what somebody sees who looks at the light.
type lightState struct {
	Shows  string  `json:"shows"`
	Color  string  `json:"color"` // of the signal, while it blinks one
	Level  number  `json:"levelPercent"`
	Signal *string `json:"signal"`
	Left   int     `json:"blinksLeft"`
}

type evState struct {
	Ready bool   `json:"ready"`
	SoC   number `json:"socPercent"`
}

// state is the snapshot. The station is asked first: its answer stands behind everything that it heard before, so
// that a count of pending messages which is read afterwards is not too low.
func (c *call) state(v *strict.Value) (any, error) {
	c.Object(v)
	if err := c.bad(); err != nil {
		return nil, err
	}
	d := c.believed()
	w, f := c.o.World().State(), c.o.Facts()
	s := snapshot{Station: c.stationState(d, w, f), EVSEs: make([]evseState, 0, len(w.EVSEs))}
	for i := range w.EVSEs {
		s.EVSEs = append(s.EVSEs, evseAt(&w.EVSEs[i], d))
	}
	return s, nil
}

// believed is what the station makes of its world: nil if none is running. One that does not answer in time said last
// what it says now.
func (c *call) believed() *station.DiagnosticState {
	d, err := ask[station.DiagnosticState](c, station.GetDiagnosticState{})
	if err == nil {
		c.answers.Store(&d)
		c.boots.Store(int64(d.Boots))
		return &d
	}
	if statusOf(err) != http.StatusServiceUnavailable {
		c.answers.Store(nil)
	}
	return c.answers.Load()
}

func (c *call) stationState(d *station.DiagnosticState, w halsim.State, f Facts) stationState {
	s := stationState{
		ID: c.o.Identity, CSMSURL: word(f.URL), Pending: f.Pending, Clock: f.Clock.UTC(),
		UptimeS: int64(f.Uptime / time.Second), Boots: int(c.boots.Load()), Powered: f.Powered, NetworkUp: f.NetworkUp, Firmware: cmp.Or(f.Firmware, c.o.Firmware),
		Display: []displayState{}, Faults: names(w.Faults, nil),
	}
	if d == nil {
		return s
	}
	s.Connected, s.Registration, s.OCPP = d.Connected, word(string(d.Registration)), word(f.Protocol)
	s.Clock, s.Boots = d.Clock.UTC(), d.Boots
	s.Faults = names(w.Faults, d.Faults)
	if !d.Connected {
		offline := int64(d.Offline / time.Second)
		s.OfflineSinceS = &offline
	}
	return s
}

// evseAt joins what an EVSE is with what the station makes of it.
func evseAt(e *halsim.EVSEState, d *station.DiagnosticState) evseState {
	s := evseState{
		ID: e.ID, Energy: milli(e.Energy), Power: milli(e.Power), Relay: e.Relay, Bay: e.Bay,
		Pilot: pilotState{State: e.Pilot.String(), Duty: number(e.Duty) * 10}, Connectors: []connectorState{},
	}
	for i := range 3 {
		s.Current[i], s.Voltage[i] = milli(e.Current[i]), milli(e.Voltage[i])
	}
	if e.EV != nil {
		s.EV = &evState{Ready: e.EV.Ready, SoC: milli(e.EV.SoC)}
	}
	var b *station.EVSEState
	if d != nil {
		if i := slices.IndexFunc(d.EVSEs, func(b station.EVSEState) bool { return b.ID == e.ID }); i >= 0 {
			b = &d.EVSEs[i]
			s.Available, s.Limit = b.Operative, milli(b.Limit)
			if b.Reserved {
				s.Reserved = &b.Reservation
			}
			s.LimitBy = b.LimitBy
			s.Refusal = word(b.Refusal)
			s.Transaction, s.IDToken = word(string(b.Transaction)), word(b.Token.Value)
		}
	}
	for _, k := range e.Connectors {
		s.Connectors = append(s.Connectors, connectorAt(k, e.Faults, b))
	}
	return s
}

func connectorAt(k halsim.ConnectorState, here iec61851.FaultSet, b *station.EVSEState) connectorState {
	s := connectorState{ID: k.ID, Plugged: k.Plugged, Locked: k.Locked, Light: lightAt(k.Light)}
	var known []term.Fault
	if b != nil {
		if i := slices.IndexFunc(b.Connectors, func(c station.ConnectorState) bool { return c.ID == k.ID }); i >= 0 {
			s.Status, known = word(string(b.Connectors[i].Status)), b.Connectors[i].Faults
		}
	}
	s.Faults = names(k.Faults|here, known)
	return s
}

func lightAt(l *halsim.LightState) *lightState {
	if l == nil {
		return nil
	}
	s := lightState{Shows: l.Shows.String(), Color: l.Color, Level: milli(l.Level), Left: l.Left}
	if l.Signal != 0 {
		s.Signal = word(l.Signal.String())
	}
	return &s
}

// names lists faults, of the world and known to the station, each once and in their order.
func names(set iec61851.FaultSet, known []term.Fault) []string {
	for _, f := range known {
		set = set.With(f)
	}
	list := []string{}
	for f := range faultsIn(set) {
		list = append(list, f.String())
	}
	return list
}

// word is nil for "".
func word(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// health answers as soon as the interface serves.
func (c *call) health(v *strict.Value) (any, error) {
	c.Object(v)
	return data{"ok": true}, c.bad()
}

// info says what answers, and what it simulates beside the basics.
func (c *call) info(v *strict.Value) (any, error) {
	c.Object(v)
	return struct {
		Version   int      `json:"apiVersion"`
		Station   string   `json:"station"`
		Build     string   `json:"version"`
		Simulates []string `json:"simulates"`
	}{1, "evsed", c.o.Version, []string{"parkingBay", "signedMeterValues"}}, c.bad()
}

// events is the long poll of the event log.
func (c *call) events(v *strict.Value) (any, error) {
	c.Object(v)
	if err := c.bad(); err != nil {
		return nil, err
	}
	since, err := c.number("since")
	if err != nil {
		return nil, err
	}
	ms, err := c.number("waitMs")
	if err != nil {
		return nil, err
	}
	if ms > uint64(maxPoll/time.Millisecond) {
		return nil, fmt.Errorf("%w: query: waitMs: %d: want at most %d", errRequest, ms, maxPoll/time.Millisecond)
	}
	return c.o.Log.wait(c.ctx, since, time.Duration(ms)*time.Millisecond), nil
}
