package storage_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// line is the link to the CSMS: one message at a time, kept ones from the store.
type line struct {
	up, wanted bool
	gate       station.Registration
	mailbox    []station.Report
	cursor     string
	flying     bool
	number     int
}

func (l *line) lost() {
	l.up, l.flying, l.mailbox, l.cursor = false, false, nil, ""
	l.number++
}

// redial opens the connection if it is wanted.
func (l *line) redial(w *world) {
	if l.wanted {
		w.later(500*time.Millisecond, func() {
			if l.wanted && !l.up {
				l.up = true
				w.handle(station.LinkUp{Slot: 1, SecurityProfile: 1})
			}
		})
	}
}

func (l *line) hang(w *world) {
	waiting := l.mailbox
	l.lost()
	if w.runner == nil {
		return
	}
	w.handle(station.LinkDown{Why: "test"})
	for _, r := range waiting {
		if r.Class == station.Now {
			w.handle(station.ReplyReceived{ID: r.ID, Class: r.Class, Of: r.Body, Reply: station.Unanswered{}})
		}
	}
}

// Send and the next methods implement run.Link.
func (w *world) Send(r station.Report) bool {
	if !w.line.up && r.Class == station.Now {
		return false
	}
	w.line.mailbox = append(w.line.mailbox, r)
	return true
}

func (w *world) Wake()                          {}
func (w *world) Respond(r station.Response)     { w.said[r.ID] = r }
func (w *world) SetGate(s station.Registration) { w.line.gate = s }
func (w *world) Reconnect() {
	w.later(0, func() { w.line.hang(w); w.line.redial(w) })
}

// pump sends the next message.
func (l *line) pump(w *world) {
	if !l.up || l.flying || w.runner == nil || w.disk.off() {
		return
	}
	r, ok := l.choose(w)
	if !ok {
		return
	}
	l.flying = true
	n := l.number
	w.later(20*time.Millisecond, func() {
		if l.number != n {
			return
		}
		reply := w.csms.hear(r)
		w.later(20*time.Millisecond, func() {
			if l.number != n {
				return
			}
			l.flying = false
			w.handle(station.ReplyReceived{ID: r.ID, Class: r.Class, Of: r.Body, Reply: reply})
		})
	})
}

func (l *line) choose(w *world) (station.Report, bool) {
	for i, r := range l.mailbox {
		if _, boot := r.Body.(station.BootNotification); boot || l.gate == station.RegistrationAccepted {
			l.mailbox = slices.Delete(l.mailbox, i, i+1)
			return r, true
		}
	}
	if l.gate != station.RegistrationAccepted {
		return station.Report{}, false
	}
	head, err := w.store.Head(l.cursor, 1)
	if err != nil || len(head) == 0 {
		return station.Report{}, false
	}
	id, err := station.ParseReportID(head[0].Key)
	if err != nil {
		w.fail("outbox: %v", err)
		return station.Report{}, false
	}
	r, err := station.DecodeReport(id, head[0].Value)
	if err != nil {
		w.fail("outbox: %v", err)
		return station.Report{}, false
	}
	l.cursor = head[0].Key
	return r, true
}

// csms answers the station and keeps its books.
type csms struct {
	w       *world
	heard   map[string]string                    // message by key
	events  map[term.TransactionID]map[int]event // what it was told of each transaction
	kinds   map[string]int
	repeats int
	differ  int // repeats with other content

	latest   map[string]station.ReportBody // by slot
	security []station.SecurityEvent

	reservations reservations
}

type event struct {
	*station.TransactionEvent
	raw string
}

func (c *csms) init(w *world) {
	*c = csms{w: w, heard: map[string]string{}, events: map[term.TransactionID]map[int]event{}, kinds: map[string]int{}, latest: map[string]station.ReportBody{}}
}

// problem is the newest word of a problem of the station.
func (c *csms) problem() (p station.NotifyEvent, ok bool) {
	for _, slot := range slices.Sorted(maps.Keys(c.latest)) {
		if ev, is := c.latest[slot].(station.NotifyEvent); is && ev.Component.EVSE == 0 && ev.EventID >= p.EventID {
			p, ok = ev, true
		}
	}
	return p, ok
}

func (c *csms) hear(r station.Report) station.Reply {
	c.kinds[fmt.Sprintf("%T", r.Body)]++
	c.reservations.hear(r.Body)
	if r.Class == station.Kept {
		c.enter(r)
	}
	if r.Class == station.Latest {
		c.latest[r.Slot] = r.Body
	}
	switch body := r.Body.(type) {
	case station.SecurityEvent:
		c.security = append(c.security, body)
	case station.BootNotification:
		return station.BootReply{Status: station.RegistrationAccepted, Now: c.w.wall(), Interval: 300 * time.Second}
	case station.Heartbeat:
		return station.HeartbeatReply{Now: c.w.wall()}
	case station.Authorize:
		return station.TokenReply{Has: true, Info: term.TokenInfo{Status: term.TokenAccepted}}
	case *station.TransactionEvent:
		if !body.Token.IsZero() {
			return station.TokenReply{Has: true, Info: term.TokenInfo{Status: term.TokenAccepted}}
		}
		return station.TokenReply{}
	}
	return station.Acknowledged{}
}

// enter writes a kept message into the books: heard again, it must be the same.
func (c *csms) enter(r station.Report) {
	raw := string(station.EncodeReport(r))
	if old, again := c.heard[r.ID.Key()]; again {
		if c.repeats++; old != raw {
			c.contradicts("message %d is told again with other content:\n%q\n%q", r.ID, old, raw)
		}
	}
	c.heard[r.ID.Key()] = raw
	if c.w.keeper.promised[r.ID.Key()] == raw {
		delete(c.w.keeper.promised, r.ID.Key())
	}
	ev, ok := r.Body.(*station.TransactionEvent)
	if !ok {
		return
	}
	tx := c.events[ev.Transaction]
	if tx == nil {
		tx = map[int]event{}
		c.events[ev.Transaction] = tx
	}
	if old, again := tx[ev.SeqNo]; again && old.raw != raw {
		c.contradicts("%s: event %d is told again with other content:\n%q\n%q", ev.Transaction, ev.SeqNo, old.raw, raw)
	}
	tx[ev.SeqNo] = event{ev, raw}
	c.values(ev)
}

// values holds each register value against what the meters told.
func (c *csms) values(ev *station.TransactionEvent) {
	for _, v := range ev.Values {
		for _, sv := range v.Sampled {
			if sv.Measurand == term.EnergyActiveImportRegister && (ev.Ref.EVSE == 0 || !c.w.post(ev.Ref.EVSE).told[unit.Energy(sv.Value)]) {
				c.w.fail("%s: event %d tells %d mWh, which the meter of EVSE %d never showed", ev.Transaction, ev.SeqNo, sv.Value, ev.Ref.EVSE)
			}
		}
	}
}

// contradicts takes a repeat with other content. Only a device that lies, or that lost what it had, may be the cause: what
// was told before is gone then, and its number is used once more.
func (c *csms) contradicts(format string, args ...any) {
	if c.differ++; !c.w.deceived {
		c.w.fail(format, args...)
	}
}

// audit checks the books when every car is gone: nothing that was promised is missing, each transaction has one start,
// one end and no gap, and every watt-hour is billed.
func (c *csms) audit() {
	w := c.w
	if w.deceived {
		return // what was lost cannot be billed
	}
	for _, key := range slices.Sorted(maps.Keys(w.keeper.promised)) {
		w.fail("message %s was durable and is lost: %q, told was %q", key, w.keeper.promised[key], c.heard[key])
	}
	if n := w.store.OutboxLen(); n > 0 {
		w.fail("%d messages still wait", n)
	}
	c.reservations.audit(w)
	billed := unit.Energy(0)
	for _, id := range slices.Sorted(maps.Keys(c.events)) {
		billed += c.bill(id, c.events[id])
	}
	flowed := unit.Energy(0)
	for _, p := range w.posts {
		p.integrate()
		flowed += p.energy
	}
	if billed != flowed {
		w.fail("%d mWh flowed, the CSMS knows of %d", flowed, billed)
	}
}

func (c *csms) bill(id term.TransactionID, events map[int]event) unit.Energy {
	var registers []unit.Energy
	for seq := range len(events) {
		ev, ok := events[seq]
		want := station.PhaseUpdated
		switch seq {
		case 0:
			want = station.PhaseStarted
		case len(events) - 1:
			want = station.PhaseEnded
		}
		if !ok || ev.Phase != want {
			c.w.fail("%s: event %d of %d is missing, or not of phase %d", id, seq, len(events), want)
			return 0
		}
		for _, v := range ev.Values {
			for _, sv := range v.Sampled {
				if sv.Measurand == term.EnergyActiveImportRegister {
					registers = append(registers, unit.Energy(sv.Value))
				}
			}
		}
	}
	if len(registers) == 0 {
		c.w.fail("%s: no register value", id)
		return 0
	}
	return slices.Max(registers) - slices.Min(registers)
}
