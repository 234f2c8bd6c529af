package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station"
)

// Direction is the way of a frame.
type Direction uint8

// Directions, seen from the station.
const (
	Sent Direction = iota
	Received
)

func (d Direction) String() string {
	if d == Sent {
		return "sent"
	}
	return "received"
}

// Options is what a Link is made of. Dialects and Events are required.
type Options struct {
	Config   Config
	Dialects []ocpp.Dialect // best first
	Outbox   Outbox         // nil: there are no kept reports. Read by the link's goroutine
	Decode   func(id station.ReportID, value []byte) (station.Report, error)
	Stage    ocpp.Stage
	Table    *ocpp.Table

	// Events is the core's inbox. Nothing is dropped: while the core does not read, the link does not either.
	Events chan<- station.Event

	// IDPrefix begins every message id: another one after every boot, at most MaxIDPrefix bytes.
	IDPrefix string

	// Last is the profile of the last successful connection before the restart, as it was then (B10.FR.07); nil: none.
	Last *Profile

	Now    func() time.Time                              // the station's monotonic clock; nil: time.Now
	Real   func(span time.Duration) time.Duration        // how long a span of that clock takes; nil: as long as it says
	Jitter func(longest time.Duration) time.Duration     // a random wait; nil: uniform
	Dial   DialFunc                                      // nil: TCP. Where latency and loss are simulated
	Trace  func(at time.Time, d Direction, frame []byte) // every frame of OCPP; must be quick and not keep the frame
	Log    *slog.Logger                                  // nil: none
}

func (o *Options) fill() error {
	switch {
	case len(o.Dialects) == 0:
		return errors.New("link without a dialect")
	case o.Events == nil:
		return errors.New("link without a channel for events")
	case len(o.IDPrefix) > MaxIDPrefix:
		return fmt.Errorf("message id prefix %q longer than %d bytes", o.IDPrefix, MaxIDPrefix)
	case o.Outbox != nil && o.Decode == nil:
		return errors.New("link with an outbox that it cannot decode")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = func(span time.Duration) time.Duration { return span }
	}
	if o.Jitter == nil {
		o.Jitter = func(longest time.Duration) time.Duration { return rand.N(longest + 1) }
	}
	if o.Dial == nil {
		o.Dial = dialTCP
	}
	if o.Trace == nil {
		o.Trace = func(time.Time, Direction, []byte) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Status is what there is of a connection.
type Status struct {
	Open        bool   // the WebSocket stands
	Connected   bool   // and a CALL was answered on it
	URL         string // connection URL, of the open connection or of the last attempt
	Subprotocol string // "" unless open
	Slot        int
}

// Link connects the station to its CSMS. All methods but Run may be called by any goroutine at any time and return at
// once.
type Link struct {
	o   Options
	box *mailbox
}

// New returns a link that dials when it is run.
func New(o Options) (*Link, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Link{o: o, box: newMailbox()}, nil
}

// Run connects, and connects again, until ctx ends. It returns when all goroutines of the link have ended.
func (l *Link) Run(ctx context.Context) error {
	newOwner(l).run(ctx)
	return nil
}

// Send hands over a report of class Now or Latest; one of class Kept is a Wake. False: the link is too far behind, the
// report is not taken and there will be no reply.
func (l *Link) Send(r station.Report) bool {
	return l.box.put(func(m *mail) bool {
		if r.Class == station.Kept {
			m.wake = true
			return true
		}
		if len(m.sends) >= MaxMailbox {
			return false
		}
		m.sends = append(m.sends, r)
		return true
	})
}

// Wake tells that something new in the outbox is durable.
func (l *Link) Wake() { l.box.put(func(m *mail) bool { m.wake = true; return true }) }

// Respond hands over the response to a request of the CSMS.
func (l *Link) Respond(r station.Response) {
	l.box.put(func(m *mail) bool {
		if len(m.responses) >= MaxMailbox { // more than requests can wait
			return false
		}
		m.responses = append(m.responses, r)
		return true
	})
}

// SetGate tells what the CSMS made of the last BootNotification.
func (l *Link) SetGate(s station.Registration) {
	l.box.put(func(m *mail) bool { m.gate = &s; return true })
}

// Configure replaces the configuration: timings at once, profiles with the next attempt to connect.
func (l *Link) Configure(c Config) { l.box.put(func(m *mail) bool { m.config = &c; return true }) }

// Reconnect closes the connection, after what was to be sent, and dials again with the current profile.
func (l *Link) Reconnect() { l.box.put(func(m *mail) bool { m.reconnect = true; return true }) }

// SetNetwork simulates the network: down cuts the connection without a word and stops dialling, up dials at once.
func (l *Link) SetNetwork(up bool) { l.box.put(func(m *mail) bool { m.network = &up; return true }) }

// Pending counts the Now and Latest reports that were handed over and have no outcome yet.
func (l *Link) Pending() int { return l.box.look().pending }

// Idle tells that nothing waits or is under way in either direction and that the outbox was empty when last read.
func (l *Link) Idle() bool { return l.box.look().idle }

// Stats returns the counters.
func (l *Link) Stats() Stats { return l.box.look().stats }

// Status returns what there is of a connection.
func (l *Link) Status() Status { return l.box.look().status }
