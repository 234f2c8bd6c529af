package main

import (
	"time"

	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// wire is the way between station and CSMS: one connection at a time, in order, and everything that a network does to it.
type wire struct {
	s       *sim
	down    bool // nobody can be reached
	hole    bool // frames vanish
	open    int  // number of the connection; 0: there is none
	opened  int
	since   time.Time // the connection was opened, or something that was wrong with it ended
	replied time.Time // the first answer of the CSMS since then
	version rpc.Version
	fails   int
	there   time.Time // when the newest frame arrives at the CSMS: none overtakes it
	back    time.Time
	dialing bool

	// What part 4 (4.1.1) allows: one CALL under way.
	call   string
	callAt time.Time
}

// pingInterval is how often a dead connection would be noticed; a hole ends it within two of them.
const pingInterval = 30 * time.Second

func (w *wire) delay(last *time.Time) time.Duration {
	d := w.s.plan.latency/4 + time.Duration(w.s.rng.Int64N(int64(w.s.plan.latency)))
	at := w.s.now.Add(d)
	if at.Before(*last) {
		at = *last
	}
	*last = at
	return at.Sub(w.s.now)
}

// wakeWire begins to dial after a boot.
func (c *csms) wakeWire() { c.s.wire.redial(c.s.between(100*time.Millisecond, 2*time.Second)) }

func (w *wire) redial(after time.Duration) {
	if w.dialing {
		return
	}
	w.dialing = true
	w.s.in(after, w.dial)
}

// backOff is the wait before the next attempt: it doubles, as part 4 (5.3) says.
func (w *wire) backOff() time.Duration {
	wait := 10 * time.Second << min(w.fails, 5)
	w.fails++
	return wait + w.s.between(0, 10*time.Second)
}

func (w *wire) dial() {
	w.dialing = false
	if w.open != 0 {
		return
	}
	if w.down {
		w.redial(w.backOff())
		return
	}
	w.opened++
	w.open, w.version = w.opened, pick(w.s, w.s.plan.versions...)
	w.there, w.back, w.call, w.since = w.s.now, w.s.now, "", w.s.now
	w.s.trace.say(w.s.since(), "connected %d %v", w.open, w.version)
	w.s.csms.connected(w.version)
	w.s.linked(w.s.engine.Opened(w.s.now, dialect2.New(w.version), 1, 1))
}

// lost forgets the connection of a process that is gone.
func (w *wire) lost() {
	if w.open != 0 {
		w.s.csms.disconnected()
	}
	w.open, w.dialing, w.fails = 0, false, 0
}

// hangUp ends the connection; the station dials again.
func (w *wire) hangUp(why string) {
	if w.open == 0 {
		return
	}
	w.s.count.networkCut++
	w.s.trace.say(w.s.since(), "disconnected: %s", why)
	w.open = 0
	w.s.csms.disconnected()
	w.s.linked(w.s.engine.Closed(w.s.now, why))
	w.redial(w.backOff())
}

// vanished notices after a while that nothing comes through.
func (w *wire) vanished() {
	conn := w.open
	w.s.in(w.s.between(pingInterval, 2*pingInterval), func() {
		if w.open == conn && w.hole {
			w.hangUp("no pong")
		}
	})
}

// fromStation takes a frame on its way to the CSMS.
func (w *wire) fromStation(frame []byte) {
	s := w.s
	if s.liars.frame != nil {
		frame = s.liars.frame(frame)
	}
	s.trace.begin(s.since(), "sent")
	s.trace.raw(frame)
	s.trace.end()
	s.check.secret(frame)
	f, err := rpc.Parse(frame, w.version, rpc.Limits{})
	if err != nil {
		s.broken("I6", "the station sent what is no frame: %v: %.200q", err, frame)
		return
	}
	if f.Type == rpc.Call {
		if w.call != "" && s.now.Before(w.callAt.Add(messageTimeout)) {
			s.broken("I6", "CALL %s while %s is under way", f.ID, w.call)
		}
		w.call, w.callAt = f.ID, s.now
	}
	if w.troubled() {
		return
	}
	conn := w.open
	s.in(w.delay(&w.there), func() {
		if w.open != conn || w.hole {
			return
		}
		s.csms.receive(&f)
	})
}

// troubled lets a frame of either side be lost now and then.
func (w *wire) troubled() bool {
	s := w.s
	switch {
	case w.open == 0:
		return true
	case w.hole:
		return true
	case s.calm || s.plan.kinds&kindAnswers == 0:
		return false
	case s.chance(3000): // with its connection
		conn := w.open
		s.in(w.delay(&w.there), func() {
			if w.open == conn {
				w.hangUp("broken pipe")
			}
		})
		return true
	case s.chance(3000): // on its own, which only a broken peer does
		return true
	}
	return false
}

// toStation takes a frame to the station, after what a CSMS needs to think; then, if not nil, hears that it has arrived.
func (w *wire) toStation(think time.Duration, frame []byte, then func()) {
	s := w.s
	conn := w.open
	if w.troubled() {
		return
	}
	copies := 1
	if s.plan.kinds&kindAnswers != 0 && !s.calm && s.chance(1000) {
		copies = 2
	}
	for range copies {
		s.in(think+w.delay(&w.back), func() {
			if w.open != conn || w.hole {
				return
			}
			s.trace.begin(s.since(), "received")
			s.trace.raw(frame)
			s.trace.end()
			w.answered(frame)
			if then != nil {
				then()
			}
			s.linked(s.engine.Frame(s.now, frame))
		})
	}
}

// answered notes that the CALL under way has its answer.
func (w *wire) answered(frame []byte) {
	f, err := rpc.Parse(frame, w.version, rpc.Limits{})
	if err == nil && (f.Type == rpc.CallResult || f.Type == rpc.CallError) && f.ID == w.call {
		w.call = ""
	}
}
