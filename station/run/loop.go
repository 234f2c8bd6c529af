package run

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// GuardLink is the station's side of the guard's link, with what the loop waits on.
type GuardLink interface {
	Guard
	Wake() <-chan struct{}
	Take([]iec61851.Notice) []iec61851.Notice
}

// Writer is the journal with what the loop waits on; *storage.Writer is one.
type Writer interface {
	Journal
	Durable() <-chan uint64
	States() <-chan storage.State
	Tick(now time.Time)
	Deadline() time.Time
}

// MaxEvents bounds the events that wait for the loop. A full inbox stops its senders; the guard is not among them.
const MaxEvents = 64

// maxAsks bounds the local requests that wait for their answer.
const maxAsks = 32

// The guard hears from the loop that it moves: while energy may flow so often that its patience is five times as long, and
// otherwise often enough for the board's watchdog, which it feeds only then. One that a session armed must not reset a board
// that is merely idle.
const (
	heartbeatEvery = 2 * time.Second
	idleBeatEvery  = 20 * time.Second // each beat is a wake-up of an idle station
	beatsOfADog    = 3                // in the time of a watchdog: one that is late must not reset a board
)

// Loop is the goroutine that owns the Runner.
type Loop struct {
	Events   chan station.Event                 // from link, reader and the like
	Explain  func(term.Ref, hal.Ailment) string // says which device of a connector ails, and from what; nil: the ailment's own words do
	Watchdog time.Duration                      // after which the board's watchdog resets it, if it is not fed; 0: not before two idle beats

	runner  *Runner
	clock   Clock
	guard   GuardLink
	writer  Writer
	meters  chan reading
	asks    chan ask
	answers map[station.RequestID]chan<- station.Response
	lastAsk uint64
	wake    sync.Mutex // held by who looks whether something waits until the clock knows
	turns   atomic.Uint64
	waiting atomic.Int64
	notices []iec61851.Notice
	beat    time.Time
	ticked  time.Time
}

type reading struct {
	evse    term.EVSEID
	reading hal.MeterReading
}

type ask struct {
	request station.Request
	answer  chan<- station.Response
}

// Clock is the station's monotonic time in the hands of one goroutine: a fixed epoch plus the time since the start. Real
// says how long to sleep for a span of it, which differs in a simulation that runs faster; the caller's next turn comes
// after that sleep at the latest.
type Clock interface {
	Now() time.Time
	Real(time.Duration) time.Duration
}

// NewLoop returns a loop. Attach a runner before Run.
func NewLoop(c Clock, g GuardLink, w Writer) *Loop {
	return &Loop{Events: make(chan station.Event, MaxEvents), clock: c, guard: g, writer: w,
		meters: make(chan reading, MaxEvents), asks: make(chan ask), answers: map[station.RequestID]chan<- station.Response{}}
}

// Attach gives the loop its runner.
func (l *Loop) Attach(r *Runner) { l.runner = r }

// Turns counts the loop's turns: who watches it sees that it moves.
func (l *Loop) Turns() uint64 { return l.turns.Load() }

// Waiting counts the reports that wait for the journal, as of the last turn.
func (l *Loop) Waiting() int { return int(l.waiting.Load()) }

// Run owns the runner until ctx ends. wall is the best that is known of the time.
func (l *Loop) Run(ctx context.Context, wall time.Time) {
	l.runner.Start(l.clock.Now(), wall)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.sleep(timer)
		select {
		case <-ctx.Done():
			return
		case ev := <-l.Events:
			l.runner.Handle(l.clock.Now(), ev)
		case m := <-l.meters:
			l.readings(m)
		case a := <-l.asks:
			l.ask(a)
		case <-l.guard.Wake():
			l.takeNotices()
		case <-l.writer.Durable():
			l.runner.Retry() // there is room again
			l.runner.settle(l.clock.Now())
			l.runner.ports.Link.Wake()
		case st := <-l.writer.States():
			l.runner.Retry()
			l.runner.Handle(l.clock.Now(), station.StorageChanged{Code: st.Code})
			l.takeFindings()
		case <-timer.C:
			l.timers()
		}
		l.waiting.Store(int64(l.runner.Waiting()))
		l.turns.Add(1)
	}
}

// longest is how long the loop and the pollers sleep when nothing is owed.
const longest = 24 * time.Hour

// sleep arms the timer for the next thing that is owed.
func (l *Loop) sleep(timer *time.Timer) {
	now := l.clock.Now()
	next := now.Add(longest)
	for _, d := range [...]time.Time{l.runner.Deadline(), l.tickDue()} {
		if !d.IsZero() && d.Before(next) {
			next = d
		}
	}
	every := idleBeatEvery
	if l.runner.Energised() {
		every = heartbeatEvery
	}
	if l.Watchdog > 0 {
		every = min(every, l.Watchdog/beatsOfADog)
	}
	if latest := now.Add(every); l.beat.IsZero() || l.beat.After(latest) {
		l.beat = latest
	}
	if l.beat.Before(next) {
		next = l.beat
	}
	timer.Reset(max(l.promise(next.Sub(now)), 0))
}

// promise says that the loop's next turn is due after d, or at once if something waits already.
func (l *Loop) promise(d time.Duration) time.Duration {
	l.wake.Lock()
	defer l.wake.Unlock()
	if l.waits() {
		d = 0
	}
	return l.clock.Real(d)
}

// waits reports whether something that is bound to a time waits for the loop.
func (l *Loop) waits() bool { return len(l.Events)+len(l.meters)+len(l.guard.Wake()) > 0 }

// Woken tells the loop's clock that a turn is due. Who gives the loop something to do calls it afterwards.
func (l *Loop) Woken() {
	l.wake.Lock()
	defer l.wake.Unlock()
	if l.waits() {
		woken(l.clock)
	}
}

// tickEvery bounds how often the writer is told the time: one that hangs in a call to its device is not pressed.
const tickEvery = 100 * time.Millisecond

// tickDue is when the writer wants to be told the time; zero for never.
func (l *Loop) tickDue() time.Time {
	d := l.writer.Deadline()
	if soonest := l.ticked.Add(tickEvery); !d.IsZero() && d.Before(soonest) {
		return soonest
	}
	return d
}

func (l *Loop) timers() {
	now := l.clock.Now()
	if !l.beat.IsZero() && !now.Before(l.beat) {
		l.guard.Heartbeat()
		l.beat = time.Time{} // sleep sets the next one
	}
	if d := l.tickDue(); !d.IsZero() && !now.Before(d) {
		l.ticked = now
		l.writer.Tick(now)
		l.runner.Retry()
	}
	if d := l.runner.Deadline(); !d.IsZero() && !now.Before(d) {
		l.runner.Handle(now, nil)
	}
}

// finder is a Writer that notices damage while it works: it returns what is new.
type finder interface{ Findings() []storage.Finding }

func (l *Loop) takeFindings() {
	f, ok := l.writer.(finder)
	if !ok {
		return
	}
	for _, found := range f.Findings() {
		l.runner.Handle(l.clock.Now(), station.StorageFound{Code: found.Code, Text: found.String()})
	}
}

func (l *Loop) takeNotices() {
	l.notices = l.guard.Take(l.notices[:0])
	for _, n := range l.notices {
		ev := EventOf(n)
		if f, ok := ev.(station.FaultChanged); ok && n.Ailment != hal.AilNone && l.Explain != nil {
			f.Info = l.Explain(n.Ref, n.Ailment)
			ev = f
		}
		l.runner.Handle(l.clock.Now(), ev)
	}
}

// readings takes a reading and those that wait behind it: a loop that is late must not make them older still.
func (l *Loop) readings(m reading) {
	l.runner.Meter(l.clock.Now(), m.evse, m.reading)
	for range len(l.meters) {
		m = <-l.meters
		l.runner.Meter(l.clock.Now(), m.evse, m.reading)
	}
}

// Reading takes a meter's reading; it is what a poller calls.
func (l *Loop) Reading(ctx context.Context, evse term.EVSEID, r hal.MeterReading) {
	select {
	case l.meters <- reading{evse, r}:
		l.Woken()
	case <-ctx.Done():
	}
}

// Post hands an event to the loop.
func (l *Loop) Post(ctx context.Context, ev station.Event) error {
	select {
	case l.Events <- ev:
		l.Woken()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ask makes a local request and waits for its answer.
func (l *Loop) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	ch := make(chan station.Response, 1)
	select {
	case l.asks <- ask{r, ch}:
	case <-ctx.Done():
		return station.Response{}, ctx.Err()
	}
	select {
	case resp := <-ch:
		return resp, nil
	case <-ctx.Done():
		return station.Response{}, ctx.Err()
	}
}

func (l *Loop) ask(a ask) {
	if len(l.answers) >= maxAsks {
		a.answer <- station.Response{Error: &station.RequestError{Code: "InternalError", Description: "too many requests wait for their answer"}}
		return
	}
	l.lastAsk++
	id := station.RequestID(l.lastAsk) &^ station.CSMSRequest
	l.answers[id] = a.answer
	l.runner.Handle(l.clock.Now(), station.RequestReceived{ID: id, Request: a.request})
}

// Answer delivers the response to a local request; it is part of Host.
func (l *Loop) Answer(r station.Response) {
	if ch, ok := l.answers[r.ID]; ok {
		delete(l.answers, r.ID)
		ch <- r
	}
}
