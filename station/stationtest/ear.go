package stationtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// Heard is one thing that passed between the station and its CSMS. Exactly one of Report and Response is set.
type Heard struct {
	At       time.Duration   // since the world began
	Report   *station.Report // it left the station: sent again is heard again
	Request  station.Request // what Response answers
	Response *station.Response
}

// Ear drives a Bench by the lines of a scenario and hears what the station tells its CSMS, as a wire would carry it.
// What it hands to its function is good until the function returns.
type Ear struct {
	bench   *Bench
	hear    func(Heard) error
	asked   map[station.RequestID]station.Request // by the CSMS, not answered yet
	flights int                                   // newest flight that was heard
	gen     int
	printed int // bytes of the trace that were read
}

// NewEar returns an Ear on a new world.
func NewEar(o Options, hear func(Heard) error) *Ear {
	return &Ear{bench: New(o), hear: hear, asked: map[station.RequestID]station.Request{}}
}

// Bench returns the world.
func (e *Ear) Bench() *Bench { return e.bench }

// Now is the time since the world began.
func (e *Ear) Now() time.Duration { return e.bench.t }

// Do carries out one line, see Bench.Do.
func (e *Ear) Do(text string) error {
	l := parseLine(text)
	switch {
	case l.verb == "advance":
		d, err := time.ParseDuration(l.word(0))
		if err != nil {
			return err
		}
		return e.Advance(d)
	case l.verb == "set", l.verb == "get", l.verb == "request" && !l.has("local"):
		r, err := e.request(l)
		if err != nil {
			return err
		}
		return e.Ask(r)
	case verbs[l.verb] == nil:
		return fmt.Errorf("unknown command %q", l.verb)
	case e.bench.Station == nil && !slices.Contains([]string{"boot", "csms", "plug", "unplug", "poweroff"}, l.verb):
		return errNoPower
	}
	if err := verbs[l.verb](e.bench, l); err != nil {
		return err
	}
	return e.settle()
}

var errNoPower = errors.New("the station has no power")

// request reads what a line lets the CSMS ask.
func (e *Ear) request(l line) (station.Request, error) {
	switch {
	case e.bench.Station == nil:
		return nil, errNoPower
	case l.verb == "set":
		items, err := l.setItems()
		return station.SetVariables{Items: items}, err
	case l.verb == "get":
		var items []model.GetItem
		for _, w := range l.words {
			c, v, err := parseName(w)
			if err != nil {
				return nil, err
			}
			items = append(items, model.GetItem{Component: c, Variable: v})
		}
		return station.GetVariables{Items: items}, nil
	case requests[l.word(0)] == nil:
		return nil, fmt.Errorf("request %q: unknown", l.word(0))
	}
	parse := requests[l.word(0)]
	l.words = l.words[1:]
	return parse(e.bench, l)
}

// Ask lets the CSMS send a request.
func (e *Ear) Ask(r station.Request) error {
	b := e.bench
	if b.Station == nil {
		return errNoPower
	}
	b.requests++
	ev := station.RequestReceived{ID: station.RequestID(b.requests) | station.CSMSRequest, Request: r}
	e.asked[ev.ID] = r
	b.check.event(b, ev)
	o := b.Station.Step(b.mono(), ev)
	for i := range o.Responses {
		if err := e.answered(o.Responses[i]); err != nil {
			return err
		}
	}
	b.carry(o)
	return e.settle()
}

func (e *Ear) answered(r station.Response) error {
	req, ok := e.asked[r.ID]
	if !ok {
		return nil
	}
	delete(e.asked, r.ID)
	return e.hear(Heard{At: e.bench.t, Request: req, Response: &r})
}

// settle listens, and lets what is due at this very instant happen.
func (e *Ear) settle() error {
	if err := e.listen(); err != nil {
		return err
	}
	return e.Advance(0)
}

// Advance lets time pass as the Bench does, and listens after each thing that happens.
func (e *Ear) Advance(d time.Duration) error {
	b := e.bench
	end := b.t + d
	for n := 0; ; n++ {
		at, run := b.next()
		if run == nil || at > end {
			break
		}
		if at > b.t {
			b.t, n = at, 0
		}
		if n > maxSteps {
			return fmt.Errorf("%s: no progress", b.stamp())
		}
		run()
		if err := e.listen(); err != nil {
			return err
		}
	}
	b.t = end
	return b.check.err
}

// listen hears what happened since it listened last: at most one report can have left.
func (e *Ear) listen() error {
	b := e.bench
	if e.gen != b.gen || b.Station == nil { // what was under way died with the power
		e.gen, e.flights = b.gen, 0
		clear(e.asked)
	}
	if err := e.late(); err != nil {
		return err
	}
	n := b.link.timeout
	switch {
	case n == e.flights:
		return b.check.err
	case n != e.flights+1 || b.link.flying == nil:
		return fmt.Errorf("reports %d to %d were not heard", e.flights+1, n)
	}
	e.flights = n
	return e.hear(Heard{At: b.t, Report: b.link.flying})
}

// late hears a response that came behind its step. Only the answer to UnlockConnector waits, for the lock; it is a bare
// status, and so its line in the trace is all of it.
func (e *Ear) late() error {
	b := e.bench
	trace := b.out.String()[min(e.printed, b.out.Len()):]
	e.printed = b.out.Len()
	for _, id := range slices.Sorted(maps.Keys(e.asked)) {
		if b.check.asked[id] {
			continue
		}
		if _, ok := e.asked[id].(station.UnlockConnector); !ok || strings.Count(trace, "> response ") != 1 {
			return fmt.Errorf("the response to request %d was not heard", id&^station.CSMSRequest)
		}
		_, word, _ := strings.Cut(trace, "> response ")
		word, _, _ = strings.Cut(word, "\n")
		if err := e.answered(station.Response{ID: id, Body: station.Status{Status: word}}); err != nil {
			return err
		}
	}
	return nil
}

// Begin opens a stage: with Add and Abort, an Ear is the place where a dialect puts a local list item by item.
func (e *Ear) Begin() (station.StageID, error) {
	b := e.bench
	b.stageNext++
	b.stages[b.stageNext] = stage{}
	return b.stageNext, nil
}

// removed marks an item that takes an entry out of the list in force.
const removed term.TokenStatus = "-"

// Add stages one item.
func (e *Ear) Add(t term.IdToken, info term.TokenInfo, remove bool) error {
	if remove {
		info = term.TokenInfo{Status: removed}
	}
	e.bench.stages[e.bench.stageNext][t.Key()] = info
	return nil
}

// Abort gives a stage up.
func (e *Ear) Abort() { delete(e.bench.stages, e.bench.stageNext) }

// Staged turns what was staged into the list as it will be, and returns the request completed.
func (e *Ear) Staged(r station.SendLocalList) station.SendLocalList {
	b := e.bench
	items, list := b.stages[r.Stage], stage{}
	if !r.Full {
		maps.Copy(list, b.stages[b.Station.LocalList()])
	}
	for key, info := range items {
		if list[key] = info; info.Status == removed {
			delete(list, key)
		}
	}
	r.Duplicates = len(items) < r.Staged
	if r.Stage != 0 {
		b.stages[r.Stage] = list
	}
	r.Total = len(list)
	return r
}
