package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// goalStep bounds one Step: 1 ms on a core twenty times as slow as this one.
const goalStep = 50 * time.Microsecond

const (
	sessions    = 60        // played one after the other
	charging    = time.Hour // of one session
	meterEvery  = time.Second
	stepCurrent = 16 * unit.Ampere
)

// stage plays sessions to a station: an obedient guard, a meter and a CSMS that says yes.
type stage struct {
	s       *station.Station
	now     time.Time
	took    []time.Duration
	energy  unit.Energy
	granted bool // the last permit lets power flow
	events  int  // transaction events told
	ids     int
}

// stepSection measures Step over whole sessions.
func stepSection(o options) (*section, error) {
	g, err := newStage()
	if err != nil {
		return nil, err
	}
	if err := g.session(); err != nil { // warm
		return nil, err
	}
	g.took, g.events = g.took[:0], 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range sessions {
		if err := g.session(); err != nil {
			return nil, err
		}
	}
	runtime.ReadMemStats(&after)
	s := &section{
		title: "The core: Step",
		about: fmt.Sprintf("%d sessions of %v on a station with two EVSEs: plug, card, charge, card, unplug; a meter reading every %v, sampled\n"+
			"values as configured by default, every report answered.", sessions, charging, meterEvery),
		head: []string{"steps", "transaction events", "median", "p99", "p99.9", "max", "mean", "allocs/step"},
	}
	var sum time.Duration
	for _, d := range g.took {
		sum += d
	}
	n := len(g.took)
	p999 := permille(g.took, 999)
	s.row(fmt.Sprint(n), fmt.Sprint(g.events), short(median(g.took)), short(percentile(g.took, 99)), short(p999), short(permille(g.took, 1000)),
		short(sum/time.Duration(n)), fmt.Sprintf("%.1f", float64(after.Mallocs-before.Mallocs)/float64(n)))
	s.goal(p999 <= goalStep, "Step, 999 of 1000", "<= "+short(goalStep), "%s", short(p999))
	return s, nil
}

func newStage() (*stage, error) {
	g := &stage{now: time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)}
	var evses []station.EVSE
	for id := term.EVSEID(1); id <= 2; id++ {
		evses = append(evses, station.EVSE{ID: id, Phases: 3, MaxCurrent: 2 * stepCurrent,
			Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}})
	}
	s, err := station.New(station.Config{
		Identity: station.Identity{Vendor: "evsed", Model: "bench"}, Name: "bench", EVSEs: evses,
		NewID: func() string { g.ids++; return fmt.Sprintf("%s-%d", callID[:8], g.ids) },
	})
	if err != nil {
		return nil, err
	}
	g.s = s
	g.carry(s.Start(g.now, time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)))
	g.step(station.LinkUp{Slot: 1})
	for _, e := range evses {
		g.step(station.PilotChanged{Ref: term.Ref{EVSE: e.ID, Connector: 1}, State: term.StateA})
	}
	return g, nil
}

// session plays one charge on EVSE 1.
func (g *stage) session() error {
	ref := term.Ref{EVSE: 1, Connector: 1}
	card := station.TokenRead{Token: term.IdToken{Value: "04A1B2C3D4E5F6", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{1}}
	g.step(station.PilotChanged{Ref: ref, State: term.StateB})
	g.step(card)
	if !g.granted {
		return errors.New("no permit after plug and card")
	}
	g.step(station.OfferChanged{Ref: ref, Current: stepCurrent})
	g.step(station.PilotChanged{Ref: ref, State: term.StateC})
	g.step(station.PowerChanged{Ref: ref, Closed: true})
	for end := g.now.Add(charging); g.now.Before(end); {
		g.now = g.now.Add(meterEvery)
		g.energy += 3 * 1022 // 16 A, 230 V, three phases, one second, in mWh
		g.step(g.reading(1))
	}
	g.step(card)
	if g.granted {
		return errors.New("still a permit after the card")
	}
	g.step(station.PilotChanged{Ref: ref, State: term.StateB})
	g.step(station.PowerChanged{Ref: ref})
	g.step(station.OfferChanged{Ref: ref})
	g.step(station.PilotChanged{Ref: ref, State: term.StateA})
	g.now = g.now.Add(time.Minute)
	g.step(nil)
	return nil
}

func (g *stage) reading(e term.EVSEID) station.MeterRead {
	r := hal.MeterReading{At: g.now, Phases: 3, Import: g.energy, Power: 11_040_000, Frequency: 50_000}
	for p := range r.Voltage {
		r.Voltage[p], r.Current[p] = 230*unit.Volt, stepCurrent
	}
	return station.MeterRead{EVSE: e, Reading: r}
}

func (g *stage) step(ev station.Event) {
	start := time.Now()
	out := g.s.Step(g.now, ev)
	g.took = append(g.took, time.Since(start))
	g.carry(out)
}

// carry answers what the station said. An Output is good until the next Step: what follows from it is put together first.
func (g *stage) carry(o station.Output) {
	var follow []station.Event
	for _, p := range append(o.Cut, o.Permits...) {
		if p.Ref.EVSE == 1 {
			g.granted = p.Close
		}
	}
	for _, r := range o.Reports {
		follow = append(follow, station.ReplyReceived{ID: r.ID, Class: r.Class, Of: r.Body, Reply: g.answer(r.Body)})
	}
	for _, c := range o.Commands {
		if poll, ok := c.(station.PollMeter); ok {
			follow = append(follow, g.reading(poll.EVSE))
		}
	}
	for _, ev := range follow {
		g.step(ev)
	}
}

func (g *stage) answer(b station.ReportBody) station.Reply {
	wall := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC).Add(time.Duration(g.now.Unix()) * time.Second)
	switch b.(type) {
	case station.BootNotification:
		return station.BootReply{Status: station.RegistrationAccepted, Now: wall, Interval: time.Hour}
	case station.Heartbeat:
		return station.HeartbeatReply{Now: wall}
	case station.Authorize:
		return station.TokenReply{Has: true, Info: term.TokenInfo{Status: "Accepted"}}
	case *station.TransactionEvent:
		g.events++
		return station.TokenReply{}
	}
	return station.Acknowledged{}
}

// permille returns the value below which p of 1000 lie.
func permille(d []time.Duration, p int) time.Duration { return quantile(d, p, 1000) }
