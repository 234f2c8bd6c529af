package csms

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// Options is what a CSMS is told at birth. All of it may be left out.
type Options struct {
	Versions  []msg2.Version                    // spoken, best first; nil: 2.1, 2.0.1, 1.6
	Passwords map[string]string                 // by station, for HTTP Basic authentication; nil: nobody is asked
	Tokens    map[term.IdToken]msg2.IdTokenInfo // drivers; others are Unknown. Central and NoAuthorization are always accepted
	Heartbeat time.Duration                     // interval of an accepted BootNotification; 0: 300 s
	Now       func() time.Time                  // wall time told to stations; nil: time.Now
	Trace     func(station string, sent bool, frame []byte)
	Observe   func(Request) // every valid request that was taken; called without a lock, in order per station
}

// Bounds of what stations can make a CSMS keep.
const (
	MaxStations  = 1024
	MaxScheduled = 1024 // answers planned by Next, for each action
	MaxPlugs     = 256  // connectors of a station whose status is kept
)

// Request is a valid request of a station.
type Request struct {
	Station string
	Version msg2.Version
	Action  string
	ID      string // of the message
	Payload string
	Message msg2.Message
	Repeat  bool // a transaction event that came before; not known yet to hooks

	Message16   msg16.Message // in the place of Message where Version is 1.6
	Transaction int           // of a StartTransaction: the id that it gets; not known yet to hooks
}

// Answer is what is done about a request. The zero Answer means: as usual.
type Answer struct {
	Message   msg2.Message  // the response
	Message16 msg16.Message // the response to a request of 1.6
	Raw       []byte        // payload of the response as it is, right or wrong
	Error     *CallError    // a CALLERROR; a transaction event is not entered into the books then
	Drop      bool          // the request is taken, its answer is lost
	Ignore    bool          // the request never arrived
	Close     bool          // the connection breaks afterwards
	Delay     time.Duration // before the answer; over sockets only, and the connection is deaf meanwhile
}

// CallError is a CALLERROR, of either side.
type CallError struct {
	Code        rpc.ErrorCode
	Description string
}

func (e *CallError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Description) }

// CSMS is a charging station management system. Its methods may be called from any goroutine.
type CSMS struct {
	o      Options
	ledger *Ledger

	mu       sync.Mutex // everything below
	stations map[string]*station
	tokens   map[string]msg2.IdTokenInfo // by term.IdToken.Key
	hooks    map[string]func(Request) Answer
	next     map[string][]Answer
	calls    int
}

// station is what is known of one station, over all its connections.
type station struct {
	name     string
	status   msg2.RegistrationStatus // "" before the first BootNotification
	asked    map[string]bool         // actions that may come although the status is Pending
	received map[string]int          // by action
	turn     chan struct{}           // capacity 1: a CALL of ours is under way
	version  msg2.Version
	open     bool
	conn     *conn // nil without sockets
	pending  *Pending
	plugs    map[plug]msg2.ConnectorStatus
}

type plug struct{ evse, connector int }

// New returns a CSMS that knows no station.
func New(o Options) *CSMS {
	if len(o.Versions) == 0 {
		o.Versions = []msg2.Version{msg2.V21, msg2.V201, rpc.V16}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Trace == nil {
		o.Trace = func(string, bool, []byte) {}
	}
	if o.Observe == nil {
		o.Observe = func(Request) {}
	}
	o.Heartbeat = cmp.Or(o.Heartbeat, defaultHeartbeat)
	c := &CSMS{o: o, ledger: newLedger(), stations: map[string]*station{}, tokens: map[string]msg2.IdTokenInfo{},
		hooks: map[string]func(Request) Answer{}, next: map[string][]Answer{}}
	for t, info := range o.Tokens {
		c.tokens[t.Key()] = info
	}
	return c
}

const defaultHeartbeat = 300 * time.Second

// Ledger returns the books.
func (c *CSMS) Ledger() *Ledger { return c.ledger }

// SetToken makes a driver known, or changes what is known.
func (c *CSMS) SetToken(t term.IdToken, info msg2.IdTokenInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[t.Key()] = info
}

// On asks f about every request of an action; a nil f ends that. f is called without a lock.
func (c *CSMS) On(action string, f func(Request) Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f == nil {
		delete(c.hooks, action)
		return
	}
	c.hooks[action] = f
}

// Next plans what is done about the next requests of an action, one answer each; they go before what On says. The action
// "" stands for any, and its answers go before all.
func (c *CSMS) Next(action string, answers ...Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(MaxScheduled-len(c.next[action]), 0)
	if len(answers) > room {
		panic(fmt.Sprintf("csms: more than %d answers planned", MaxScheduled))
	}
	c.next[action] = append(c.next[action], answers...)
}

// Received counts the valid requests of an action that a station has sent.
func (c *CSMS) Received(name, action string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stations[name]; s != nil {
		return s.received[action]
	}
	return 0
}

// Status returns what a station said last about a connector, "" for nothing.
func (c *CSMS) Status(name string, evse, connector int) msg2.ConnectorStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stations[name]; s != nil {
		return s.plugs[plug{evse, connector}]
	}
	return ""
}

// Stations returns the names of all stations that ever connected, sorted.
func (c *CSMS) Stations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.stations))
}

// Connected reports whether a station is connected, and in which version it speaks.
func (c *CSMS) Connected(name string) (msg2.Version, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[name]
	if s == nil || !s.open {
		return 0, false
	}
	return s.version, true
}

// Errors of calls that never reach a station.
var (
	ErrNotConnected = errors.New("station is not connected")
	ErrBusy         = errors.New("a call to the station is under way")
	ErrFull         = errors.New("too many stations")
)

// Open connects a station without a socket; a connection it had is gone, and with it a call that was under way.
func (c *CSMS) Open(name string, v msg2.Version) error { return c.open(name, v, nil) }

func (c *CSMS) open(name string, v msg2.Version, with *conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stations[name]
	if s == nil {
		if len(c.stations) >= MaxStations {
			return ErrFull
		}
		s = &station{name: name, asked: map[string]bool{}, received: map[string]int{}, turn: make(chan struct{}, 1),
			plugs: map[plug]msg2.ConnectorStatus{}}
		c.stations[name] = s
	}
	s.shut()
	s.open, s.version, s.conn = true, v, with
	return nil
}

// Close cuts a station's connection without a word.
func (c *CSMS) Close(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stations[name]; s != nil {
		s.shut()
	}
}

// closeIf cuts a station's connection if it is this one.
func (c *CSMS) closeIf(name string, which *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stations[name]; s != nil && s.conn == which {
		s.shut()
	}
}

// shut ends a connection; the CSMS is locked.
func (s *station) shut() {
	if s.conn != nil {
		s.conn.cancel()
	}
	s.open, s.conn = false, nil
	if s.pending != nil {
		s.pending.finish(Result{Err: ErrNotConnected})
		s.pending = nil
	}
}

// planned takes the answer that was planned for a request, or asks the hook.
func (c *CSMS) planned(r Request) Answer {
	c.mu.Lock()
	for _, action := range []string{"", r.Action} {
		if q := c.next[action]; len(q) > 0 {
			c.next[action] = q[1:]
			c.mu.Unlock()
			return q[0]
		}
	}
	hook := c.hooks[r.Action]
	c.mu.Unlock()
	if hook == nil {
		return Answer{}
	}
	return hook(r)
}
