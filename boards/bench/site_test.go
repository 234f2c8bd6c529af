package bench_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/faultfs"
)

// site is a whole station on a bench, and its CSMS, in a bubble of virtual time: all that the product is made of between
// a line of its board and a message.
type site struct {
	*testing.T
	*bench.Bench
	board   *boards.Board
	station *virtual.Station
	csms    *csms.CSMS
	fitted  *fit.Fitted

	mu    sync.Mutex // everything below
	heard []problem
	ends  []msg2.TransactionEventRequest
}

// problem is what the CSMS has heard of a fault.
type problem struct {
	evse    int // 0: the station
	code    string
	info    string
	cleared bool
}

// card is the driver's.
var card = []byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6}

const cardText = "04A1B2C3D4E5F6"

// atSite plays f on the board of files, once its station is in touch with its CSMS. edit may change the board; it may be nil.
func atSite(t *testing.T, files []string, edit func(*boards.Board), f func(*site)) {
	t.Helper()
	board, findings, err := boards.Load(files...)
	if err != nil {
		t.Fatal(err, findings)
	}
	if edit != nil {
		edit(board)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &site{T: t, board: board}
		s.open(dir)
		f(s)
	})
}

// open builds everything and waits until the CSMS has let the station in.
func (s *site) open(dir string) {
	s.Helper()
	var err error
	s.Bench, err = bench.New(s.board, bench.Options{Clock: time.Now, Seed: 3})
	s.must(err)
	clock := virtual.NewClock()
	s.fitted, err = fit.Open(s.board, s.Ports(), fit.Options{Now: clock.Now, Guard: s.Kernel()})
	s.must(err)
	evses, err := s.board.Topology()
	s.must(err)
	network := faultnet.NewNetwork()
	s.csms = csms.New(csms.Options{Observe: s.observe, Tokens: map[term.IdToken]msg2.IdTokenInfo{
		{Value: cardText, Type: term.TokenISO14443}: {Status: msg2.AuthorizationStatusAccepted}}})
	o := virtual.Options{Station: station.Config{Name: "cs", Identity: station.Identity{Vendor: "V", Model: "M"}, EVSEs: evses}, Fitting: s.fitted,
		Profiles: map[int]station.NetworkProfile{1: {URL: "ws://csms.test", MessageTimeout: 30 * time.Second}}, Priority: []int{1}, Dir: dir, Clock: clock, Dial: network.Dial}
	o.Settings = []virtual.Setting{{Component: model.Component{Name: "OCPPCommCtrlr"}, Variable: model.Variable{Name: "WebSocketPingInterval"}, Value: "60"}}
	o.Storage.Files = faultfs.New() // a device without a disk below it takes no time
	s.station, err = virtual.New(o)
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	served, ended := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.csms.Serve(ctx, network) }()
	go func() { ended <- s.station.Run(ctx) }()
	s.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Error(err)
		}
		_ = network.Close()
		<-served
		s.fitted.Close()
		time.Sleep(time.Minute) // what servers still wait for
	})
	s.until("the CSMS knows the station", time.Minute, func() bool { _, ok := s.csms.Connected("cs"); return ok })
	s.after(5 * time.Second)
}

// observe keeps problems as the CSMS hears them.
func (s *site) observe(r csms.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := r.Message.(*msg2.TransactionEventRequest); ok && e.EventType == msg2.TransactionEventEnded {
		s.ends = append(s.ends, *e)
	}
	m, ok := r.Message.(*msg2.NotifyEventRequest)
	if !ok {
		return
	}
	for _, d := range m.EventData {
		if d.Variable.Name != "Problem" {
			continue
		}
		p := problem{code: d.TechCode.V, info: d.TechInfo.V, cleared: d.Cleared.V}
		if d.Component.EVSE.Has {
			p.evse = int(d.Component.EVSE.V.ID)
		}
		s.heard = append(s.heard, p)
	}
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// after lets time pass.
func (s *site) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// until waits until something holds, and returns how long that took.
func (s *site) until(what string, limit time.Duration, holds func() bool) time.Duration {
	s.Helper()
	from := time.Now()
	for !holds() {
		if time.Since(from) > limit {
			s.Fatalf("%s: not within %v; the CSMS has heard %+v", what, limit, s.said())
		}
		s.after(time.Millisecond * 5)
	}
	return time.Since(from)
}

func (s *site) said() []problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]problem(nil), s.heard...)
}

// forget lets what was heard so far count no more.
func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = nil
}

// closed reports whether the contactor of EVSE 1 is closed.
func (s *site) closed() bool { return s.State().EVSEs[0].Relay }

// charge plugs a car at EVSE 1, lays the driver's card on the reader of its board, and waits until current flows.
func (s *site) charge() {
	s.Helper()
	amps := 8 * unit.Ampere
	s.must(s.World(func(w *halsim.World) error {
		return w.Plug(1, 1, halsim.PlugOptions{EV: halsim.EVOptions{MaxCurrent: &amps}})
	}))
	s.after(2 * time.Second)
	s.swipe()
	s.until("the car charges", time.Minute, func() bool { return s.State().EVSEs[0].Power > 0 })
	s.after(10 * time.Second)
	s.forget()
}

// swipe lays the card on the reader for a moment; where the board has none that the bench knows, the station hears of it.
func (s *site) swipe() {
	s.Helper()
	bus := s.readerBus()
	if bus == "" {
		s.station.Post(station.TokenRead{Token: term.IdToken{Value: cardText, Type: term.TokenISO14443}, EVSEs: []term.EVSEID{1}})
		return
	}
	s.must(s.Card(bus, card))
	s.after(time.Second)
	s.must(s.Card(bus, nil))
}

// readerBus is the bus of the reader of EVSE 1.
func (s *site) readerBus() string {
	switch e := s.board.EVSE(1); {
	case e.Reader != nil:
		return e.Reader.Bus
	case s.board.Reader != nil:
		return s.board.Reader.Bus
	}
	return ""
}

// once wants the CSMS to have heard of one fault, raised and not cleared, once; or, cleared, of its end once.
func (s *site) once(code string, cleared bool) {
	s.Helper()
	n := 0
	for _, p := range s.said() {
		if p.cleared == cleared {
			n++
		}
		if !p.cleared && p.code != code {
			s.Errorf("the CSMS has heard %v, want %s alone", p, code)
		}
	}
	if n != 1 {
		s.Errorf("fault %s, cleared %v: the CSMS has heard %+v, want it once", code, cleared, s.said())
	}
}

// want wants the CSMS to have heard exactly that.
func (s *site) want(problems ...problem) {
	s.Helper()
	if said := s.said(); !slices.Equal(said, problems) {
		s.Errorf("the CSMS has heard %v, want %v", said, problems)
	}
}

func (p problem) String() string {
	return fmt.Sprintf("evse %d %s cleared=%v %s", p.evse, p.code, p.cleared, p.info)
}
