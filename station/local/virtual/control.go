package virtual

import (
	"context"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// Restart ends the life orderly and begins another, as a reboot does.
func (s *Station) Restart(why station.BootReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = why
	if s.life != nil {
		s.life.cut()
	}
}

// FactoryReset drops all persistent state of the station and boots with the seed again. The world begins anew with it:
// it lies in the same state, and a test bench wants an empty one.
func (s *Station) FactoryReset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset = true
	if s.life != nil {
		s.life.cut()
	}
	return nil
}

// SetNetwork cuts or restores the way to the CSMS, and sets how slow it is in each direction and how many of a hundred
// packets get lost.
func (s *Station) SetNetwork(up bool, latency time.Duration, loss float64) error {
	if latency < 0 || !(loss >= 0 && loss < 100) {
		return fmt.Errorf("latency %v, loss %g: want 0 or more, and less than 100 percent", latency, loss)
	}
	s.wire.set(latency, loss)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network = up
	if s.life != nil {
		s.life.link.SetNetwork(up)
	}
	return nil
}

// SetRate changes the speed of the station's time.
func (s *Station) SetRate(rate float64) error {
	if !(rate > 0 && rate <= MaxRate) {
		return fmt.Errorf("rate %g: want more than 0 and at most %d", rate, MaxRate)
	}
	if s.o.Guard != nil && rate != 1 {
		return fmt.Errorf("rate %g: %w: %w", rate, errRealTime, halsim.ErrImpossible)
	}
	s.clock.SetRate(rate)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replan()
	if s.life != nil { // those that sleep at the old speed wake up
		s.life.link.Wake()
		s.life.post(nil)
		s.life.meters.Wake()
	}
	return nil
}

// SetOffset moves the station's wall clock by d against the real one.
func (s *Station) SetOffset(d time.Duration) error {
	s.clock.SetOffset(d)
	s.Post(station.ClockSet{Wall: s.clock.Wall(), Source: "Manual"})
	return nil
}

func (s *Station) alive() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life
}

// Post hands an event to the core; nil only wakes it. It never blocks: false says that no station is running, or that
// its inbox is full.
func (s *Station) Post(ev station.Event) bool {
	l := s.alive()
	return l != nil && l.post(ev)
}

// Ask makes a local request and waits for its answer, for ctx, or for the end of the life.
func (s *Station) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	l := s.alive()
	if l == nil {
		return station.Response{}, ErrNoPower
	}
	ctx, cancel := l.with(ctx)
	defer cancel()
	resp, err := l.loop.Ask(ctx, r)
	if err != nil && l.ctx.Err() != nil {
		return resp, ErrNoPower
	}
	return resp, err
}

// Status is the station as a whole.
type Status struct {
	Powered  bool // by the mains, not by a buffer
	Network  bool
	Boots    int
	Uptime   time.Duration
	Pending  int // messages queued for the CSMS or awaiting its answer
	Link     link.Stats
	Protocol string // agreed subprotocol; "" without a connection
	URL      string // of the connection or of the last attempt
	Firmware string // version that runs
}

// Status returns the station as a whole.
func (s *Station) Status() Status {
	s.mu.Lock()
	st := Status{Powered: s.mains.on && !s.mains.buffer, Network: s.network, Boots: s.boots, Firmware: s.firmware.running().Version}
	l := s.life
	if l != nil {
		st.Uptime = s.clock.Now().Sub(s.since)
	}
	s.mu.Unlock()
	if l != nil {
		st.Pending = l.pending()
		st.Link = l.link.Stats()
		ls := l.link.Status()
		st.Protocol, st.URL = ls.Subprotocol, ls.URL
	}
	return st
}

// Service acknowledges latched faults, as a fitter does. The zero Ref means all connectors.
func (s *Station) Service(ref term.Ref) {
	if l := s.alive(); l != nil {
		l.guard.Service(ref)
	}
}

// DeadLetters lists the messages that the CSMS refused to the last attempt.
func (s *Station) DeadLetters() ([]storage.Entry, error) {
	l := s.alive()
	if l == nil {
		return nil, ErrNoPower
	}
	return l.store.DeadLetters()
}

// ListEntry is one entry for the local authorization list.
type ListEntry struct {
	Token term.IdToken
	Info  term.TokenInfo
}

// StageList writes a whole local list durably and returns the request that puts it in force.
func (s *Station) StageList(version int, entries []ListEntry) (station.SendLocalList, error) {
	r := station.SendLocalList{Version: version, Full: true, Staged: len(entries)}
	l := s.alive()
	if l == nil {
		return r, ErrNoPower
	}
	if len(entries) == 0 {
		return r, nil
	}
	id, err := l.lists.Begin()
	if err != nil {
		return r, err
	}
	r.Stage = id
	for _, e := range entries {
		if err := l.lists.Add(e.Token, e.Info, false); err != nil {
			l.lists.Abort()
			return r, err
		}
	}
	return l.lists.Complete(r)
}
