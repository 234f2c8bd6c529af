package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/faultfs"
)

// epoch is the monotonic zero of a story, and begin the true time then.
var (
	epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

// sim is one station with everything around it.
type sim struct {
	plan  *plan
	rng   *rand.Rand
	dir   string // of the databases, which bbolt maps
	now   time.Time
	trace *trace
	queue queue
	count counts
	err   *breach
	calm  bool // everything heals: nobody comes, nothing breaks
	liars liars

	world   *halsim.World
	worldAt time.Time // up to which nothing happens in it; zero: not known
	files   *faultfs.FS
	csms    *csms
	wire    wire
	check   *checker
	drivers []*driver

	powered  bool
	flashErr error // of the device, in every call
	lives    int
	ids      int
	life
}

// liars stand in for parts of a station that is broken on purpose: what a checker is worth shows only there. A nil one is honest.
type liars struct {
	device func(term.Ref, *hal.Devices)
	permit func(term.Permit) term.Permit
	frame  func([]byte) []byte   // of the station
	outbox func(link.Entry) bool // false hides a message
}

// life is what one process of the station is made of.
type life struct {
	alive    bool
	dead     bool // the power went in the middle of something
	store    *storage.Store
	core     *station.Station
	runner   *run.Runner
	engine   *link.Engine
	guard    *guard.Guard
	pipe     *guard.Pipe
	permits  map[term.Ref]term.Permit // as the runner said them last
	notices  []iec61851.Notice
	inbox    []station.Event
	rate     []time.Duration // of the meters, by EVSE
	turn     []time.Time     // when they are read next; zero: they are not
	guardAt  time.Time
	linkAt   time.Time
	watched  time.Time // the world is watched closely until then
	appended uint64    // batches that the store has taken
	durable  uint64
	told     string // state of the store as the core knows it
	found    int    // findings that were told
	slow     time.Duration
	leaving  bool
	begun    time.Time
}

// breach is a broken invariant.
type breach struct {
	Name string // I1 to I14; I0 is what should never happen at all
	Text string
	At   time.Duration
}

func (b *breach) Error() string { return fmt.Sprintf("%s at %v: %s", b.Name, b.At, b.Text) }

// counts is what happened.
type counts struct {
	steps, sessions, transactions, events, repeats, samples       int
	powerCuts, writeCuts, kills, guardRestarts, boots, networkCut int
	faults, checks, requests, heals, deadLetters, thinned         int
	resumed, profiles, inventories, composites, reservations      int
	virtual                                                       time.Duration
}

// newSim builds the station of a seed; it is not powered yet. file, if any, gets the trace.
func newSim(p *plan, dir string, file io.Writer) (*sim, error) {
	s := &sim{plan: p, rng: rand.New(rand.NewPCG(p.seed, 0x73696d)), dir: dir, now: epoch, trace: newTrace(file), files: faultfs.New()}
	s.csms = newCSMS(s)
	s.check = newChecker(s)
	cfg := halsim.Config{Clock: func() time.Time { return s.now }, Seed: p.seed, Observe: s.happened, Tick: p.tick}
	for _, e := range p.evses {
		w := halsim.EVSE{ID: e.ID, Phases: uint8(e.Phases), MaxCurrent: e.MaxCurrent}
		for _, c := range e.Connectors {
			w.Connectors = append(w.Connectors, halsim.Connector{ID: c.ID, Socket: !c.Tethered, Lock: !c.Tethered})
		}
		cfg.EVSEs = append(cfg.EVSEs, w)
	}
	var err error
	if s.world, err = halsim.New(cfg, nil); err != nil {
		return nil, err
	}
	s.trace.say(0, "seed %d: %v", p.seed, p)
	return s, nil
}

// since is the time since the begin of the story.
func (s *sim) since() time.Duration { return s.now.Sub(epoch) }

// wall is the true time.
func (s *sim) wall() time.Time { return begin.Add(s.since()) }

// broken notes that an invariant does not hold; the first one ends the story.
func (s *sim) broken(name, format string, args ...any) {
	if s.err == nil {
		s.err = &breach{name, fmt.Sprintf(format, args...), s.since()}
		s.trace.say(s.since(), "BROKEN %s: %s", name, s.err.Text)
	}
}

// start powers the station and lets everybody come.
func (s *sim) start() {
	s.powered = true
	s.boot()
	s.settle()
	s.arrivals()
	s.troubles()
	s.mind(kindSmart, s.manage)
	s.mind(kindReserve, s.reserve)
}

// end gives back what the story holds.
func (s *sim) end() {
	if s.store != nil {
		s.store.Abandon()
	}
	s.store, s.alive = nil, false
}

// play lets time pass until the given instant, or until something breaks.
func (s *sim) play(until time.Time) {
	for s.err == nil {
		at, what := s.next(until)
		if at.After(s.now) {
			s.now = at
		}
		if what == nothing {
			return
		}
		s.count.steps++
		s.act(what)
	}
}

// due is what comes next.
type due uint8

const (
	nothing due = iota
	dueWorld
	dueGuard
	dueMeter
	duePlan
	dueCore
	dueLink
	dueStore
)

// next finds what happens next, up to until. Of the same instant the first kind of the list comes first.
func (s *sim) next(until time.Time) (time.Time, due) {
	at, what := until, nothing
	consider := func(t time.Time, w due) {
		if !t.IsZero() && (t.Before(at) || what == nothing && !t.After(at)) {
			at, what = t, w
		}
	}
	if s.worldAt.IsZero() {
		s.worldAt = s.world.Next(horizon)
	}
	consider(s.worldAt, dueWorld)
	if s.alive {
		consider(s.guardAt, dueGuard)
		for _, t := range s.turn {
			consider(t, dueMeter)
		}
	}
	consider(s.queue.due(), duePlan)
	if s.alive {
		consider(s.runner.Deadline(), dueCore)
		consider(s.linkAt, dueLink)
		consider(s.store.Deadline(), dueStore)
	}
	return at, what
}

// horizon is how far the world is asked to look ahead.
const horizon = 6 * time.Hour

func (s *sim) act(what due) {
	defer s.recovered()
	switch what {
	case dueWorld:
		s.worldAt = s.world.Next(horizon)
	case dueGuard:
		s.cycle()
	case dueMeter:
		s.meters()
	case duePlan:
		if p := s.queue.pop(); p.life == 0 || p.life == s.lives && s.alive {
			p.do()
		}
	case dueCore:
		s.runner.Handle(s.now, nil)
	case dueLink:
		s.linked(s.engine.Tick(s.now))
	case dueStore:
		s.tick()
	}
	s.settle()
}

// recovered takes a panic for what it is: the product ends its process and starts again where the journal has given up, and
// anything else is a bug.
func (s *sim) recovered() {
	r := recover()
	if r == nil {
		return
	}
	if text, ok := r.(string); ok && s.alive && strings.HasPrefix(text, "run: the journal has") {
		s.trace.say(s.since(), "gave up: %s", text)
		s.kill(time.Second)
		return
	}
	if os.Getenv("EVSED_PANIC") != "" {
		panic(r)
	}
	s.broken("I0", "panic: %v", r)
}

// settle lets what has just happened have its effect: events for the core first, then the end of a life.
func (s *sim) settle() {
	for s.err == nil {
		switch {
		case s.alive && (s.dead || s.files.Off()):
			s.count.writeCuts++
			s.cutPower()
		case s.alive && len(s.inbox) > 0:
			ev := s.inbox[0]
			copy(s.inbox, s.inbox[1:])
			s.inbox = s.inbox[:len(s.inbox)-1]
			s.handle(ev)
		default:
			s.check.step()
			return
		}
	}
}

// handle takes an event to the core.
func (s *sim) handle(ev station.Event) {
	s.traceEvent(ev)
	s.runner.Handle(s.now, ev)
}

// post hands an event to the core, if there is one.
func (s *sim) post(ev station.Event) {
	if s.alive {
		s.inbox = append(s.inbox, ev)
	}
}

func (s *sim) traceEvent(ev station.Event) {
	switch ev := ev.(type) {
	case station.ReplyReceived:
		s.trace.begin(s.since(), "reply")
		s.trace.num(int64(ev.ID))
		s.trace.end()
	case station.RequestReceived:
		s.trace.say(s.since(), "request %T", ev.Request)
	default:
		s.trace.say(s.since(), "event %T%+v", ev, ev)
	}
}

// in plans something for this life of the station.
func (s *sim) in(d time.Duration, do func()) { s.queue.push(s.now.Add(d), s.lives, do) }

// later plans something whatever becomes of the station.
func (s *sim) later(d time.Duration, do func()) { s.queue.push(s.now.Add(d), 0, do) }

// between returns a time in [a, b).
func (s *sim) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(s.rng.Int64N(int64(b-a)))
}

// chance is true once in n times.
func (s *sim) chance(n int) bool { return s.rng.IntN(n) == 0 }

// pick returns one of the given.
func pick[T any](s *sim, of ...T) T { return of[s.rng.IntN(len(of))] }

// happened is told by the world, which must not be asked anything meanwhile.
func (s *sim) happened(e halsim.Event) {
	s.trace.begin(e.At.Sub(epoch), "world")
	s.trace.num(int64(e.Kind))
	s.trace.ref(int64(e.Ref.EVSE), int64(e.Ref.Connector))
	s.trace.num(int64(e.Pilot))
	s.trace.num(int64(e.Fault))
	s.trace.flag(e.On)
	s.trace.end()
	s.check.world(e)
	s.watch()
}

// watchFor is how long the world is watched closely after something has happened in it.
const watchFor = 3 * time.Second

// watch looks at the world closely for a while.
func (s *sim) watch() {
	s.worldAt = time.Time{}
	if !s.alive {
		return
	}
	s.watched = s.now.Add(watchFor)
	s.guardSoon(s.jitter())
	for i := range s.turn {
		if soon := s.now.Add(s.rate[i]); s.rate[i] > 0 && soon.Before(s.turn[i]) {
			s.turn[i] = soon
		}
	}
}

func (s *sim) jitter() time.Duration {
	if s.plan.jitter == 0 {
		return 0
	}
	return time.Duration(s.rng.Int64N(int64(s.plan.jitter)))
}

func (s *sim) guardSoon(d time.Duration) {
	if at := s.now.Add(d); at.Before(s.guardAt) {
		s.guardAt = at
	}
}

var errDead = errors.New("the station has no power")
