package virtual

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/faultfs"
)

// The tour drives whole stations through seeded days: cars, cards, network cuts and power cuts at random journal writes,
// all of it in one goroutine and in virtual time, so that a seed is a story that can be told again. What it checks at
// every step and at the end is what the station promises: see (*tour).safe and (*tour).settle.
//
// EVSED_SOAK=1 plays EVSED_TOURS (default 100000) seeds from SEED on.

const toursShort, tours, tours16 = 20, 60, 24

func TestTour(t *testing.T) { tourAll(t, tours, 0, 0) }

// In 1.6 the bills are the CSMS's own: each begin got one number, and everything about it came under that.
func TestTour16(t *testing.T) { tourAll(t, tours16, rpc.V16, 0) }

// tourAll plays n seeds in a version, 0 for whatever of 2.x the seed picks; over is the version of SOAP, 0 for a WebSocket.
// EVSED_OCPP=1.6 has TestTour speak 1.6.
func tourAll(t *testing.T, n int, v rpc.Version, over soap.Version) {
	if v == 0 && os.Getenv("EVSED_OCPP") == rpc.V16.String() {
		v = rpc.V16
	}
	first := uint64(1)
	if testing.Short() {
		n = toursShort
	}
	if os.Getenv("EVSED_SOAK") != "" {
		n = 100_000
	}
	if v, err := strconv.Atoi(os.Getenv("EVSED_TOURS")); err == nil {
		n = v
	}
	if v, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		first = v
	}
	seeds := make(chan uint64)
	var mu sync.Mutex
	var sum tally
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range seeds {
				got, err := playTour(t.TempDir(), seed, v, over)
				mu.Lock()
				sum.add(got)
				mu.Unlock()
				if err != nil {
					t.Errorf("SEED=%d EVSED_TOURS=1: %v", seed, err)
				}
			}
		})
	}
	for i := range n {
		if t.Failed() {
			break
		}
		seeds <- first + uint64(i)
	}
	close(seeds)
	wg.Wait()
	t.Logf("%v", sum)
	if n > 20 && (sum.transactions == 0 || sum.powerCuts == 0 || sum.networkCuts == 0 || sum.repeats == 0 || sum.resumed == 0 && v != rpc.V16 && v != everyVersion || sum.energy == 0 || sum.signed == 0 && over == 0 && v != everyVersion) {
		t.Errorf("the tour does not get around: %v", sum)
	}
}

// tally counts what happened.
type tally struct {
	sessions, transactions, events, powerCuts, networkCuts, repeats, resumed, signed int
	energy                                                                           unit.Energy
	virtual                                                                          time.Duration
}

func (a *tally) add(b tally) {
	a.sessions += b.sessions
	a.transactions += b.transactions
	a.events += b.events
	a.powerCuts += b.powerCuts
	a.networkCuts += b.networkCuts
	a.repeats += b.repeats
	a.resumed += b.resumed
	a.signed += b.signed
	a.energy += b.energy
	a.virtual += b.virtual
}

func (a tally) String() string {
	return fmt.Sprintf("%d sessions, %.0f h: %d transactions, %v, %d events, %d repeats, %d power cuts, %d network cuts, %d resumed, %d signed",
		a.sessions, a.virtual.Hours(), a.transactions, a.energy, a.events, a.repeats, a.powerCuts, a.networkCuts, a.resumed, a.signed)
}

// tour is one seeded day.
type tour struct {
	rng   *rand.Rand
	dir   string
	now   time.Time
	wall  time.Duration // wall time minus now
	world *halsim.World
	files *faultfs.FS
	csms  *csms.CSMS
	post  post
	tally tally
	err   error

	evses    []station.EVSE
	settings []Setting
	version  rpc.Version
	turns    bool // the version is another one with every connection
	cutsLeft int

	// one life
	store  *storage.Store
	pipe   *guard.Pipe
	guard  *guard.Guard
	runner *run.Runner
	engine *link.Engine
	table  *ocpp.Table
	boots  int

	inbox     []station.Event
	later     []timed
	signs     tourSigns
	every     map[term.EVSEID]time.Duration
	guardNext time.Time
	tickNext  time.Time
	linkNext  time.Time
	network   bool
	connected bool
	redial    time.Time
	unsafe    map[term.Ref]time.Time // since when a contactor is closed without a reason
	dead      bool                   // the power is gone in the middle of something
	reboot    bool
}

// timed is something that happens later; of one life if life is set.
type timed struct {
	at   time.Time
	life int
	do   func()
}

const name = "cp001"

var tokens = []string{"ALICE", "ALFRED", "BOB", "BLOCKED", "NOBODY"}

func playTour(dir string, seed uint64, v rpc.Version, over soap.Version) (tally, error) {
	p := &tour{version: v, post: post{version: over}, rng: rand.New(rand.NewPCG(seed, 0x65767365)), dir: dir, now: epoch, network: true, files: faultfs.New(),
		wall: time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC).Sub(epoch), every: map[term.EVSEID]time.Duration{}, unsafe: map[term.Ref]time.Time{}}
	p.prepare(seed)
	if err := p.begin(); err != nil {
		return p.tally, fmt.Errorf("first boot: %w", err)
	}
	p.planCut()
	for range 8 + p.rng.IntN(24) {
		p.act()
		p.play(p.pause())
		if p.err != nil {
			return p.tally, fmt.Errorf("%v: %w", p.now.Sub(epoch), p.err)
		}
	}
	p.settle()
	p.tally.sessions, p.tally.virtual = 1, p.now.Sub(epoch)
	p.store.Abandon()
	return p.tally, p.err
}

// prepare chooses the day's station, its settings and its CSMS.
func (p *tour) prepare(seed uint64) {
	p.evses = []station.EVSE{
		{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}},
		{ID: 2, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}, {ID: 2, Type: "sType2"}}},
	}
	p.letMetersSign(seed)
	pick := func(words ...string) string { return words[p.rng.IntN(len(words))] }
	set := func(component, variable, value string) {
		p.settings = append(p.settings, Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value})
	}
	set("TxCtrlr", "TxStartPoint", pick("PowerPathClosed", "EVConnected", "Authorized", "EVConnected,Authorized", "EnergyTransfer"))
	set("TxCtrlr", "TxStopPoint", pick("PowerPathClosed", "EVConnected", "Authorized", "EVConnected,Authorized", "PowerPathClosed"))
	set("TxCtrlr", "TxBeforeAcceptedEnabled", pick("true", "true", "false"))
	set("TxCtrlr", "ResumptionTimeout", pick("0", "900", "900"))
	set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", pick("true", "false"))
	set("AuthCtrlr", "LocalPreAuthorize", pick("true", "false"))
	set("SampledDataCtrlr", "TxUpdatedInterval", pick("0", "30", "60", "300"))
	set("SampledDataCtrlr", "TxEndedInterval", pick("0", "120"))
	set("AlignedDataCtrlr", "Interval", pick("0", "300", "900"))
	p.cutsLeft = p.rng.IntN(4)
	if p.version == everyVersion {
		p.turns, p.version = true, 0
	}
	if either := []rpc.Version{rpc.V21, rpc.V201}[p.rng.IntN(2)]; p.version == 0 {
		p.version = either
	}
	p.csms = csms.New(csms.Options{Now: func() time.Time { return p.now.Add(p.wall) }, Observe: p.observe, Tokens: map[term.IdToken]msg2.IdTokenInfo{
		token("ALICE"):  {Status: "Accepted", GroupIdToken: msg2.Some(msg2.IdToken{IdToken: "A-TEAM", Type: "Central"})},
		token("ALFRED"): {Status: "Accepted", GroupIdToken: msg2.Some(msg2.IdToken{IdToken: "A-TEAM", Type: "Central"})},
		token("BOB"):    {Status: "Accepted"}, token("BLOCKED"): {Status: "Blocked"}}})
	var err error
	wc := (&Station{o: Options{Station: station.Config{EVSEs: p.evses}, Seed: seed}, clock: NewClock()}).worldConfig()
	wc.Wall = func() time.Time { return p.now.Add(p.wall) }
	wc.Clock, wc.Keep = func() time.Time { return p.now }, nil
	if p.world, err = halsim.New(wc, nil); err != nil {
		p.err = err
	}
}

// observe counts what the CSMS hears.
func (p *tour) observe(r csms.Request) {
	p.signs.observe(r)
	if ev, ok := r.Message.(*msg2.TransactionEventRequest); ok && ev.TriggerReason == "TxResumed" {
		p.tally.resumed++
	}
}

func token(v string) term.IdToken { return term.IdToken{Value: v, Type: term.TokenISO14443} }

// planCut lets the power go at a random write of the journal, three times a day at the most.
func (p *tour) planCut() {
	if p.cutsLeft > 0 {
		p.cutsLeft--
		p.files.Plan(p.files.Calls()+1+p.rng.IntN(60), faultfs.Cut, errors.New("power cut"))
	}
}

// begin boots the station.
func (p *tour) begin() error {
	if !p.files.Off() && p.boots > 0 {
		p.planCut()
	}
	if err := p.world.SetPower(true); err != nil {
		return err
	}
	p.boots++
	p.dead, p.reboot, p.connected = false, false, false
	p.inbox, p.later = nil, slices.DeleteFunc(p.later, func(t timed) bool { return t.life != 0 })
	clear(p.every)
	if err := p.beginGuard(); err != nil {
		return err
	}
	store, rep, err := storage.Open(p.dir, storage.Options{Files: p.files, MaxOutboxEntries: 2000})
	if err != nil {
		if p.files.Off() {
			p.dead = true
			return nil
		}
		return err
	}
	if rep.Damaged() {
		return fmt.Errorf("a power cut damaged the store: %v", rep.Findings)
	}
	p.store = store
	if err := p.beginCore(); err != nil {
		return err
	}
	p.redial = p.now.Add(time.Second)
	p.carry()
	return nil
}

func (p *tour) beginGuard() error {
	l := &life{fitting: simulation{p.world, Connectors(station.Config{EVSEs: p.evses})}, s: &Station{o: Options{Station: station.Config{EVSEs: p.evses}}, clock: NewClock()}}
	if err := l.buildGuard(); err != nil {
		return err
	}
	// The guard of the product looks every 5 ms; here a coarser look is enough, deadlines of its machine come in between.
	cfg := guard.Config{PollIdle: 500 * time.Millisecond, PollPlugged: 100 * time.Millisecond, Watchdog: p.world.Watchdog(), Clock: func() time.Time { return p.now }}
	for _, e := range p.evses {
		for _, k := range e.Connectors {
			ref := term.Ref{EVSE: e.ID, Connector: k.ID}
			dev, err := p.world.Devices(ref)
			if err != nil {
				return err
			}
			cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: dev, Config: iec61851.Config{Ref: ref, MaxCurrent: e.MaxCurrent,
				Phases: uint8(e.Phases), Tethered: k.Tethered, HasLock: !k.Tethered, HasFeedback: true, Ventilation: true}})
		}
	}
	p.pipe = l.guard.(within).Pipe
	g, err := guard.New(cfg, p.pipe)
	p.guard, p.guardNext = g, p.now
	return err
}

func (p *tour) beginCore() error {
	cfg := station.Config{Name: name, Identity: station.Identity{Vendor: "Tour", Model: "T1"}, EVSEs: p.evses}
	ids := 0
	boot := p.boots
	cfg.NewID = func() string { ids++; return fmt.Sprintf("tx-%03d-%04d", boot, ids) }
	cfg.Queued = func(tx term.TransactionID) bool { return p.store.Queued(string(tx)) }
	if last := p.store.OutboxLast(); last != "" {
		id, err := station.ParseReportID(last)
		if err != nil {
			return err
		}
		cfg.LastReport = id
	}
	core, err := station.New(cfg)
	if err != nil {
		return err
	}
	n := 0
	p.table = ocpp.NewTable()
	err = p.store.Load(func(r station.Record) error {
		n++
		if r.Bucket == station.BucketDialect {
			p.table.Restore(r)
			return nil
		}
		return core.Restore(r)
	})
	if err != nil {
		return err
	}
	if n == 0 {
		l := &life{table: p.table, s: &Station{o: Options{Settings: p.settings, Profiles: map[int]station.NetworkProfile{1: {URL: "ws://127.0.0.1:1", MessageTimeout: 20 * time.Second}}}}, core: core, store: p.store}
		l.s.o.Log = slog.New(slog.DiscardHandler)
		if err := l.seed(cfg, nil); err != nil && !p.files.Off() {
			return err
		}
	}
	p.engine = link.NewEngine(link.EngineOptions{Config: link.EngineConfig{MessageTimeout: 20 * time.Second, MessageAttempts: 3, AttemptInterval: 10 * time.Second},
		Outbox: outbox{p.store}, Decode: station.DecodeReport, Table: p.table, IDPrefix: fmt.Sprintf("b%d-", p.boots)})
	p.runner = run.New(core, run.Ports{Guard: p.pipe, Journal: p, Link: tourLink{p}, Board: p, Host: p})
	p.runner.Start(p.now, p.now.Add(p.wall))
	return nil
}

// ---- Time ----

// play lets d pass.
func (p *tour) play(d time.Duration) {
	until := p.now.Add(d)
	for p.err == nil {
		if p.dead || p.reboot {
			p.restart()
			continue
		}
		next, what := p.next(until)
		if next.After(p.now) {
			p.now = next
		}
		if what == nil {
			return
		}
		what()
		p.carry()
		p.safe()
	}
}

// next finds what happens next, up to until.
func (p *tour) next(until time.Time) (time.Time, func()) {
	at, do := until, func() {}
	do = nil
	consider := func(t time.Time, f func()) {
		if !t.IsZero() && (t.Before(at) || do == nil && !t.After(at)) {
			at, do = t, f
		}
	}
	for i := range p.later {
		consider(p.later[i].at, func() { p.pop(i) })
	}
	consider(p.runner.Deadline(), func() { p.runner.Handle(p.now, nil) })
	consider(p.guardNext, p.cycle)
	consider(p.tickNext, func() { p.tickNext = p.store.Tick(p.now) })
	consider(p.linkNext, func() { p.engineDid(p.engine.Tick(p.now)) })
	if !p.connected {
		consider(p.redial, p.dial)
	}
	return at, do
}

func (p *tour) pop(i int) {
	t := p.later[i]
	p.later = slices.Delete(p.later, i, i+1)
	t.do()
}

func (p *tour) cycle() {
	if p.runner.Energised() {
		p.pipe.Heartbeat()
	}
	p.guardNext = p.now.Add(p.guard.Cycle(p.now))
	for _, n := range p.pipe.Take(nil) {
		p.trace("notice %+v", run.EventOf(n))
		p.runner.Handle(p.now, run.EventOf(n))
	}
}

// carry brings what came up to the core.
func (p *tour) carry() {
	for !p.dead && p.err == nil {
		if sw, ok := p.world.TakeSwipe(); ok {
			p.inbox = append(p.inbox, station.TokenRead{Token: sw.Token, EVSEs: sw.EVSEs})
		}
		if len(p.inbox) == 0 {
			break
		}
		ev := p.inbox[0]
		p.trace("event %T %+v", ev, ev)
		p.inbox = slices.Delete(p.inbox, 0, 1)
		p.runner.Handle(p.now, ev)
		p.engineDid(p.engine.Woken(p.now))
	}
	if !p.dead {
		p.tickNext = p.store.Deadline()
		p.guardNext = earlier(p.guardNext, p.now.Add(100*time.Millisecond))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// restart is what a power cut or a reset leaves, and the boot after it.
func (p *tour) restart() {
	p.connected = false
	p.csms.Close(name)
	if p.reboot && !p.dead {
		if err := p.store.Close(); err != nil && !p.files.Off() {
			p.err = err
			return
		}
	} else if p.store != nil {
		p.store.Abandon()
	}
	if p.files.Off() || p.dead {
		p.trace("power cut")
		p.tally.powerCuts++
		if err := p.world.SetPower(false); err != nil {
			p.err = err
			return
		}
		p.now = p.now.Add(time.Duration(1+p.rng.IntN(300)) * time.Second)
		keep := p.rng.IntN(101)
		p.files = p.files.Reboot(func() bool { return p.rng.IntN(100) < keep })
	}
	if err := p.begin(); err != nil {
		p.err = fmt.Errorf("boot %d: %w", p.boots, err)
	}
}
