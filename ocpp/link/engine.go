package link

import (
	"errors"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// MaxIDPrefix bounds the prefix of message ids in bytes: with a decimal counter the 36 characters of a message id are
// never passed (part 4, 4.1.4).
const MaxIDPrefix = 16

// EngineOptions is what an Engine is made of.
type EngineOptions struct {
	Config EngineConfig
	Outbox Outbox // nil: there are no kept reports
	Decode func(id station.ReportID, value []byte) (station.Report, error)
	Stage  ocpp.Stage  // nil: no list can be taken
	Table  *ocpp.Table // the dialect's side table; nil: an empty one

	// IDPrefix begins every message id. It is another one after every boot, because no id may ever be used twice
	// (part 4, 4.1.4).
	IDPrefix string
}

// Engine owns what is queued for the CSMS and, while a connection is open, the calls under way on it. It is not safe
// for concurrent use. Every input returns the same Output, valid until the next input. Time must not run backwards.
type Engine struct {
	cfg    EngineConfig
	decode func(station.ReportID, []byte) (station.Report, error)
	stage  ocpp.Stage
	table  *ocpp.Table
	prefix string
	serial uint64 // of message ids

	gate      station.Registration
	gateSince time.Time

	open     bool
	closing  bool // Close was asked for; nothing more is sent
	d        ocpp.Dialect
	alive    bool // a CALL was answered on this connection
	silences int  // CALLs in a row without an answer

	now     fifo
	latest  slots
	backlog backlog
	passed  [lanes]int // how often in a row a lane that was ready has been overtaken

	flight flight
	in     inbound
	long   *long  // nil: no message that is too long to keep is being read
	kept   budget // of requests of the CSMS that are kept
	lists  budget // of pages of local lists
	bad    badTeller

	out   Output
	stats Stats
}

// NewEngine returns an engine without a connection. It panics if the id prefix is too long, which is a bug of the caller.
func NewEngine(o EngineOptions) *Engine {
	if len(o.IDPrefix) > MaxIDPrefix {
		panic("link: message id prefix too long")
	}
	e := &Engine{cfg: o.Config.filled(), decode: o.Decode, stage: o.Stage, table: o.Table, prefix: o.IDPrefix}
	if e.table == nil {
		e.table = ocpp.NewTable()
	}
	if e.stage == nil {
		e.stage = noStage{}
	}
	e.backlog.outbox = o.Outbox
	e.in.next = firstRequest
	return e
}

// Opened tells that a connection is open and speaks d. Slot and security profile are those of its network profile.
func (e *Engine) Opened(now time.Time, d ocpp.Dialect, slot, securityProfile int) *Output {
	e.begin()
	if e.open {
		e.drop(now, "opened again")
	}
	e.open, e.closing, e.alive, e.silences, e.d = true, false, false, 0, d
	if p := e.backlog.prelude; p != nil && p.generation != generationOf(d.Version()) {
		e.backlog.again()
	}
	e.backlog.opened()
	e.reopened(now)
	e.event(station.LinkUp{Slot: slot, SecurityProfile: securityProfile})
	return e.end(now)
}

// Closed tells that the connection is gone. Now reports are answered with Unanswered; all others wait for the next one.
func (e *Engine) Closed(now time.Time, why string) *Output {
	e.begin()
	if e.open {
		e.drop(now, why)
	}
	return e.end(now)
}

func (e *Engine) drop(now time.Time, why string) {
	e.missed(now)
	e.open, e.d = false, nil
	e.event(station.LinkDown{Why: why}) // first: what follows happened offline
	if j := e.flight.take(); j != nil {
		e.interrupted(now, j)
	}
	for j := e.now.shift(); j != nil; j = e.now.shift() {
		e.reply(j, station.Unanswered{})
	}
	e.backlog.closed()
	e.dropLong()
	e.in.reset()
}

// Send takes a report of class Now or Latest. A kept one is only a hint that the outbox has grown: what is sent of the
// outbox comes from the outbox.
func (e *Engine) Send(now time.Time, r station.Report) *Output {
	e.begin()
	switch r.Class {
	case station.Kept:
		e.backlog.woken()
	case station.Latest:
		e.sendLatest(r)
	default:
		e.sendNow(now, r)
	}
	return e.end(now)
}

// Woken tells that something new in the outbox is durable.
func (e *Engine) Woken(now time.Time) *Output {
	e.begin()
	e.backlog.woken()
	return e.end(now)
}

// Gate tells what the CSMS made of the last BootNotification. It stays over connections.
func (e *Engine) Gate(now time.Time, status station.Registration) *Output {
	e.begin()
	if status != e.gate {
		e.gate, e.gateSince = status, now
	}
	if status == station.RegistrationRejected { // B03.FR.02
		for _, j := range e.now.remove(func(j *job) bool { return !j.boot() }) {
			e.reply(j, station.Unanswered{})
		}
	}
	return e.end(now)
}

// Configure replaces the configuration. A call under way keeps the timeout with which it was sent.
func (e *Engine) Configure(now time.Time, c EngineConfig) *Output {
	e.begin()
	e.cfg = c.filled()
	return e.end(now)
}

// Tick tells that time has passed.
func (e *Engine) Tick(now time.Time) *Output {
	e.begin()
	e.expireFlight(now)
	e.expireHeld(now)
	e.expireInbound(now)
	return e.end(now)
}

// Open tells whether there is a connection.
func (e *Engine) Open() bool { return e.open }

// Alive tells whether a CALL was answered on this connection: only that is being connected.
func (e *Engine) Alive() bool { return e.open && e.alive }

// Pending counts the Now and Latest reports that wait or are under way. The outbox is counted by its owner.
func (e *Engine) Pending() int {
	n := e.now.len() + e.latest.len()
	if e.flight.job != nil && e.flight.job.lane != laneKept {
		n++
	}
	return n
}

// Idle tells that nothing waits and nothing is under way in either direction, and that the outbox was empty when it was
// last read.
func (e *Engine) Idle() bool {
	return e.Pending() == 0 && e.flight.job == nil && len(e.in.calls) == 0 && e.backlog.empty()
}

// Stats returns the counters.
func (e *Engine) Stats() Stats { return e.stats }

func (e *Engine) begin() {
	e.out.Frames, e.out.Events = e.out.Frames[:0], e.out.Events[:0]
	e.out.Close, e.out.Stranger = nil, false
}

// end sends what may be sent and says when to call again.
func (e *Engine) end(now time.Time) *Output {
	e.pump(now)
	e.out.Deadline = e.deadline(now)
	return &e.out
}

func (e *Engine) event(ev station.Event) { e.out.Events = append(e.out.Events, ev) }

func (e *Engine) frame(f []byte) { e.out.Frames = append(e.out.Frames, f) }

// hangUp asks for the end of the connection.
func (e *Engine) hangUp(code int, reason string) {
	if !e.closing {
		e.closing, e.out.Close = true, &Close{Code: code, Reason: reason}
	}
}

// messageID returns an id that was never used before.
func (e *Engine) messageID() string {
	e.serial++
	return e.cfg.Quirks.messageID(e.prefix, e.serial)
}

func (e *Engine) deadline(now time.Time) time.Time {
	var d earliest
	if e.open && !e.closing {
		d.add(e.flight.due)
		d.add(e.in.deadline())
		d.add(e.heldDeadline())
		if e.flight.job == nil && e.gate == station.RegistrationAccepted {
			d.add(e.backlog.due())
		}
	}
	return d.t
}

// noStage refuses every list where there is no place for one.
type noStage struct{}

var errNoStage = errors.New("no place for a list")

func (noStage) Begin() (station.StageID, error)              { return 0, errNoStage }
func (noStage) Add(term.IdToken, term.TokenInfo, bool) error { return errNoStage }
func (noStage) Abort()                                       {}

// earliest is the smallest of the times added to it; zero times do not count.
type earliest struct{ t time.Time }

func (e *earliest) add(t time.Time) {
	if !t.IsZero() && (e.t.IsZero() || t.Before(e.t)) {
		e.t = t
	}
}

// describe makes s fit for an error description: short, whole characters, and no window of a large frame.
func describe(s string) string {
	if len(s) > rpc.MaxReason {
		s = s[:rpc.MaxReason]
	}
	return strings.Clone(strings.ToValidUTF8(s, "?"))
}
