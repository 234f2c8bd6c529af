package link

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/evsed/evsed/station"
)

const (
	// MaxUnsent is how many frames may wait for the writer before nothing more is read: a CSMS that asks without
	// reading the answers stops itself.
	MaxUnsent = 32

	// MaxUnsentBytes is how long these may be together, and one longer.
	MaxUnsentBytes = 64 << 10

	// FlushTimeout is how long a wanted close waits for frames that are still to be written.
	FlushTimeout = 5 * time.Second

	// StableAfter is how long a connection on which nothing was asked must have stood to count as one that worked.
	StableAfter = 10 * time.Minute
)

// owner is the state of a running link. One goroutine owns it.
type owner struct {
	o    *Options
	box  *mailbox
	e    *Engine
	plan plan

	network bool
	dialing *dialing
	dialAt  time.Time
	ended   <-chan struct{} // the connection before this one is being closed

	conn     *conn
	profile  Profile // of the connection
	opened   time.Time
	worked   bool
	hangUp   *Close
	hangUpBy time.Time
	unsent   [][]byte
	pace     pace // of what the CSMS sends

	events  []station.Event // for the core; while there are any, nothing is read
	due     time.Time       // of the engine
	timer   *time.Timer
	stats   Stats
	status  Status
	refused map[int]time.Time // slot: when AuthRefused was told

	tls         *security                 // of the connection; nil: in the clear
	clock       Clock                     // by which certificates are judged
	disbelieved *Clock                    // a time that was told and is not believed
	distrusted  map[distrustKey]time.Time // when it was told
	free        bool                      // the CSMS has turned down the generation of the open transactions: offer all
}

func newOwner(l *Link) *owner {
	o := &owner{
		o: &l.o, box: l.box, network: true, refused: map[int]time.Time{},
		clock: l.o.Config.Clock, distrusted: map[distrustKey]time.Time{},
		plan: plan{jitter: l.o.Jitter},
		e: NewEngine(EngineOptions{
			Config: l.o.Config.engine(Profile{}), Outbox: l.o.Outbox, Decode: l.o.Decode, Stage: l.o.Stage,
			Table: l.o.Table, IDPrefix: l.o.IDPrefix,
		}),
	}
	o.plan.configure(l.o.Config)
	o.plan.last = l.o.Last
	return o
}

func (o *owner) run(ctx context.Context) {
	o.timer = time.NewTimer(0)
	defer o.timer.Stop()
	for {
		if len(o.events) < MaxMailbox { // a core that talks without listening fills its mailbox
			o.open(o.box.take())
		}
		o.closeIfDue()
		o.dialIfDue(ctx)
		o.show()
		if !o.wait(ctx) {
			o.stop()
			return
		}
	}
}

// open carries out what callers asked for.
func (o *owner) open(m mail) {
	now := o.o.Now()
	if m.config != nil {
		o.configure(now, *m.config)
	}
	if m.gate != nil {
		o.feed(o.e.Gate(now, *m.gate))
	}
	for _, r := range m.responses { // before the reports: what was triggered follows its answer (F06.FR.04; 1.6, 5.17)
		o.feed(o.e.Respond(now, r))
	}
	for _, r := range m.sends {
		o.feed(o.e.Send(now, r))
	}
	if m.wake {
		o.feed(o.e.Woken(now))
	}
	if m.network != nil && *m.network != o.network {
		o.setNetwork(now, *m.network)
	}
	if m.reconnect && o.conn != nil {
		o.closeSoon(now, Close{Code: codeNormal, Reason: "reconnect"})
	}
}

func (o *owner) configure(now time.Time, c Config) {
	o.plan.configure(c)
	o.feed(o.e.Configure(now, c.engine(o.profile)))
	o.believe(now, c.Clock)
	if o.conn != nil {
		o.conn.pingEvery(c.PingInterval)
	}
}

func (o *owner) setNetwork(now time.Time, up bool) {
	o.network, o.dialAt = up, now
	if up {
		return
	}
	if o.dialing != nil {
		o.dialing.cancel()
		o.dialing.cut = true
	}
	if o.conn != nil {
		o.lost(now, "network down", nil)
		o.dialAt = now
	}
}

// feed carries out what the engine wants.
func (o *owner) feed(out *Output) {
	now := o.o.Now()
	for _, f := range out.Frames {
		o.o.Trace(now, Sent, f)
		o.unsent = append(o.unsent, f)
	}
	o.events = append(o.events, out.Events...)
	o.due = out.Deadline
	if out.Close != nil {
		o.closeSoon(now, *out.Close)
	}
	if o.e.Alive() && !o.worked {
		o.worked, o.free = true, false
		o.stats.Answered++
		o.plan.worked(o.profile)
		delete(o.refused, o.profile.Slot)
	}
	if out.Stranger {
		o.unknownHere(now, o.profile.Slot)
	}
}

func (o *owner) closeSoon(now time.Time, c Close) {
	if o.conn != nil && o.hangUp == nil {
		o.hangUp, o.hangUpBy = &c, now.Add(FlushTimeout)
	}
}

func (o *owner) closeIfDue() {
	now := o.o.Now()
	if o.hangUp == nil || len(o.unsent) > 0 && now.Before(o.hangUpBy) {
		return
	}
	asked := o.hangUp.Code == codeNormal
	o.lost(now, o.hangUp.Reason, o.hangUp)
	if asked {
		o.dialAt = now
	}
}

// lost ends the connection and says when to dial again.
func (o *owner) lost(now time.Time, why string, wish *Close) {
	o.conn.shut(wish)
	o.ended, o.conn, o.tls = o.conn.done, nil, nil
	silent := wish != nil && wish.Code != codeNormal
	o.free = o.free || !o.worked
	if o.worked && !silent || !silent && now.Sub(o.opened) >= StableAfter {
		o.dialAt = now.Add(o.plan.lost())
	} else {
		o.dialAt = now.Add(o.plan.failed())
	}
	clear(o.unsent)
	o.unsent, o.hangUp = o.unsent[:0], nil
	o.status.Open, o.status.Connected, o.status.Subprotocol = false, false, ""
	o.o.Log.Info("link down", "slot", o.profile.Slot, "why", why)
	o.feed(o.e.Closed(now, why))
	o.worked = false
}

// wait lets the next thing happen; false: ctx has ended.
func (o *owner) wait(ctx context.Context) bool {
	var (
		events    chan<- station.Event
		event     station.Event
		in        <-chan message
		out       chan<- []byte
		frame     []byte
		failed    <-chan struct{}
		dialled   <-chan dialed
		strangers <-chan *Distrust
	)
	if len(o.events) > 0 {
		events, event = o.o.Events, o.events[0]
	}
	if o.conn != nil {
		failed, strangers = o.conn.failed, o.conn.strangers
		if o.listening() {
			in = o.conn.in
		}
		if len(o.unsent) > 0 {
			out, frame = o.conn.out, o.unsent[0]
		}
	}
	if o.dialing != nil {
		dialled = o.dialing.result
	}
	if out == nil && events == nil && o.e.unready() {
		runtime.Gosched() // the writer has just been given a frame
		o.e.Ahead()
	}
	o.setTimer()
	select {
	case <-ctx.Done():
		return false
	case <-o.box.signal:
	case events <- event:
		o.events = pop(o.events)
	case m := <-in:
		o.received(m)
	case out <- frame:
		o.unsent = pop(o.unsent)
	case d := <-strangers:
		o.distrusts(o.o.Now(), o.profile.Slot, d)
	case <-failed:
		o.failure()
	case r := <-dialled:
		o.dialled(r)
	case <-o.ended:
		o.ended = nil
	case <-o.timer.C:
		o.tick()
	}
	return true
}

// listening tells whether a message may be taken: not while the core or the CSMS is behind.
func (o *owner) listening() bool {
	return len(o.events) == 0 && !o.behind() && o.hangUp == nil && !o.o.Now().Before(o.readFrom())
}

// behind tells whether the CSMS has left too much unread.
func (o *owner) behind() bool {
	n := 0
	for _, f := range o.unsent {
		n += len(f)
	}
	return len(o.unsent) >= MaxUnsent || n >= MaxUnsentBytes
}

// readFrom is from when on the next message may be taken.
func (o *owner) readFrom() time.Time { return o.pace.free(MessageEvery, MessageBurst) }

func pop[T any](s []T) []T {
	var zero T
	copy(s, s[1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}

func (o *owner) received(m message) {
	now := o.o.Now()
	answers := o.e.Stats().Answers
	var out *Output
	var more bool
	switch m.part {
	case whole:
		o.o.Trace(now, Received, m.data)
		out = o.e.Frame(now, m.data)
	case beginning:
		o.o.Trace(now, Received, m.data[:min(tracedOfLong, len(m.data))])
		out, more = o.e.Long(now, m.data)
	default:
		out, more = o.e.More(now, m.data, m.part == end)
	}
	if o.e.Stats().Answers == answers {
		o.pace.spend(now, messageCost(m))
	}
	o.feed(out)
	o.conn.next <- more
}

// failure ends a connection that broke, after what had arrived before.
func (o *owner) failure() {
	if o.listening() {
		select {
		case m := <-o.conn.in:
			o.received(m)
			return
		default:
		}
	}
	now := o.o.Now()
	var refused *RefusedError
	if errors.As(o.conn.why, &refused) { // as a handshake that was refused, whatever was answered before
		o.worked, o.opened = false, now
	}
	var unprocessed *unprocessedError
	if errors.As(o.conn.why, &unprocessed) {
		o.e.Unprocessed()
	}
	why := o.conn.why
	o.lost(now, why.Error(), o.conn.wish)
	o.turnedAway(now, o.profile.Slot, refused)
	o.distrusts(now, o.profile.Slot, why)
}

// tick lets time pass for the engine, unless the answer it waits for may be what cannot be read yet.
func (o *owner) tick() {
	if len(o.events) > 0 {
		return
	}
	if o.conn != nil && o.listening() {
		select {
		case m := <-o.conn.in:
			o.received(m)
			return
		default:
		}
	}
	if now := o.o.Now(); !o.due.IsZero() && !now.Before(o.due) {
		o.feed(o.e.Tick(now))
	}
}

func (o *owner) setTimer() {
	var d earliest
	if len(o.events) == 0 {
		d.add(o.due)
	}
	if _, ok := o.plan.profile(); ok && o.mayDial() {
		d.add(o.dialAt)
	}
	if o.hangUp != nil {
		d.add(o.hangUpBy)
	}
	if from := o.readFrom(); o.conn != nil && from.After(o.o.Now()) {
		d.add(from)
	}
	if d.t.IsZero() {
		o.timer.Stop()
		return
	}
	o.timer.Reset(max(o.o.Real(d.t.Sub(o.o.Now())), 1)) // at least something: a fast clock rounds down
}

func (o *owner) show() {
	s := o.e.Stats()
	s.Dials, s.Opened, s.Answered = o.stats.Dials, o.stats.Opened, o.stats.Answered
	o.status.Connected = o.e.Alive()
	o.box.show(view{
		pending: o.e.Pending(),
		idle:    o.e.Idle() && len(o.unsent) == 0 && len(o.events) == 0,
		stats:   s,
		status:  o.status,
	})
}

// stop ends everything at once and waits for it.
func (o *owner) stop() {
	if o.dialing != nil {
		o.dialing.cancel()
		if r := <-o.dialing.result; r.conn != nil {
			r.conn.shut(nil)
			<-r.conn.done
		}
	}
	if o.conn != nil {
		o.conn.shut(nil)
		<-o.conn.done
	}
	if o.ended != nil {
		<-o.ended
	}
}
