package main

import (
	"bytes"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// checker knows the truth of the world and of what the CSMS was told, and says when the two, or either and the rules, differ.
type checker struct {
	s       *sim
	places  []*place
	byRef   map[term.Ref]*place
	station iec61851.FaultSet
	faults  int // that are active in the world
	evses   []evseTruth
	changed time.Time // the world, a fault or the availability changed last
	looked  bool      // the statuses were compared since
	rejects map[int]bool
	lie     bool      // the device has lied since the process began
	lied    bool      // and what it holds since then may be anything
	refusal time.Time // a token was refused last
	cards   []card
	good    map[string]bool // tokens that the CSMS ever accepted
}

// place is one connector as it is.
type place struct {
	ref     term.Ref
	socket  bool
	contact bool
	plugged time.Time // the newest car came
	unseen  bool      // while the station had no power
	pilot   term.PilotState
	faults  iec61851.FaultSet
	unready time.Time // closed and the car does not ask for energy since; zero: it does
	fault   time.Time // closed against a fault that has to open it by then; zero: there is none
	what    term.Fault
	rating  unit.Current // of the cable that was plugged; 0: none, or fixed
	before  unit.Current // of the one that was there until changed
	changed time.Time
	permit  term.Permit
	amps    unit.Current // what the pilot offers
	trail   unit.Current // the most of what it offered before it was lowered
	lowered time.Time
}

// evseTruth is what is known of one EVSE.
type evseTruth struct {
	faults iec61851.FaultSet
	cause  time.Time // something happened that may end its energy
	stop   time.Time // somebody stopped it: the contactor has to have opened by then; zero: nobody did
	why    string
	mended time.Time // a contactor was repaired last
	off    [3]bool   // out of service: the station, the EVSE, one of its connectors
}

// card is a token that was shown, or came with a remote start.
type card struct {
	at     time.Time
	token  string
	evses  []term.EVSEID // empty: all
	remote bool
	kept   bool // somebody has reserved for it: that is the CSMS's word where it cannot be asked (H03)
}

func newChecker(s *sim) *checker {
	c := &checker{s: s, byRef: map[term.Ref]*place{}, evses: make([]evseTruth, len(s.plan.evses)+1), rejects: map[int]bool{}, good: map[string]bool{}, changed: epoch}
	for _, e := range s.plan.evses {
		for _, k := range e.Connectors {
			p := &place{ref: term.Ref{EVSE: e.ID, Connector: k.ID}, socket: !k.Tethered, pilot: term.StateA}
			c.places = append(c.places, p)
			c.byRef[p.ref] = p
		}
	}
	return c
}

// openLimit is how long a contactor may stay closed after the car left C and D (I2).
const openLimit = 100 * time.Millisecond

// stopLimit is how long energy may flow after it was withdrawn: the car has 3 s to end its current by itself before it is
// opened under load (IEC 61851-1), and the contact and the meter's reading take their time.
const stopLimit = 4 * time.Second

// world takes a fact of the world.
func (c *checker) world(e halsim.Event) {
	c.unsettled()
	switch e.Kind {
	case halsim.EventRelay:
		c.relay(c.byRef[e.Ref], e)
	case halsim.EventPilot:
		p := c.byRef[e.Ref]
		p.pilot = e.Pilot
		c.ready(p, e.At)
	case halsim.EventFault:
		c.faulted(e)
	case halsim.EventPlugged:
		p := c.byRef[e.Ref]
		p.plugged, p.unseen = e.At, !c.s.powered
	case halsim.EventUnplugged:
		if p := c.byRef[e.Ref]; p.socket {
			p.before, p.rating, p.changed = p.rating, 0, e.At
		}
	}
	c.causeAt(e.Ref.EVSE)
}

// causeAt notes that something happened at an EVSE, or at the station, that may end energy there.
func (c *checker) causeAt(e term.EVSEID) {
	for i := range c.evses {
		if e == 0 || int(e) == i {
			c.evses[i].cause = c.s.now
		}
	}
}

// alone is how long what happened before may be the cause of an opening (I14).
const alone = 20 * time.Second

func (c *checker) relay(p *place, e halsim.Event) {
	c.s.count.checks++
	p.contact = e.On
	t := &c.evses[p.ref.EVSE]
	if !e.On {
		p.unready, p.fault, t.stop = time.Time{}, time.Time{}, time.Time{}
		if late := e.At.Sub(t.cause); late > alone && !c.s.csms.limits.pauses(p.ref.EVSE) && c.s.now.Sub(c.refusal) > day {
			c.s.broken("I14", "the contactor of %v opened, and nothing had happened at its EVSE for %v", p.ref, late)
		}
		return
	}
	c.ready(p, e.At)
	c.guardFault(p, e.At)
	c.mayFlow(p, t)
	for _, o := range c.places {
		if o != p && o.ref.EVSE == p.ref.EVSE && o.contact && !c.stuck(o) {
			c.s.broken("I2", "the contactors of %v and %v are closed at once", p.ref, o.ref)
		}
	}
}

// mayFlow checks what has to be true before energy flows (I1, I8).
func (c *checker) mayFlow(p *place, t *evseTruth) {
	if t.off != [3]bool{} && !c.stuck(p) {
		c.s.broken("I8", "the contactor of %v closed, and it is out of service", p.ref)
	}
	if !c.stuck(p) {
		c.s.csms.reservations.closes(p)
	}
	if c.s.lives > 0 && !c.s.alive {
		c.s.broken("I1", "the contactor of %v closed without a process", p.ref)
	}
	for _, k := range c.cards {
		if !k.at.Before(c.since(p)) && c.covers(k, p.ref.EVSE) && c.acceptable(k) {
			return
		}
	}
	if !c.stuck(p) {
		c.s.broken("I1", "the contactor of %v closed, and nobody whom it might serve has shown a card", p.ref)
	}
}

// since is from when on a card may be the one of this car: it is shown while the car is plugged in, or so long before that the
// station still waits for the car. A session that may go on behind an unplugged cable is as old as it likes, and so is one that
// goes on behind a power cut during which one car took the place of another: no station can tell.
func (c *checker) since(p *place) time.Time {
	if p.unseen || !c.s.plan.on("StopTxOnEVSideDisconnect") {
		return epoch
	}
	wait, _ := time.ParseDuration(c.s.plan.values["EVConnectionTimeOut"] + "s")
	return p.plugged.Add(-wait - answerPatience)
}

// answerPatience is how long the station waits at most for what the CSMS says about a card.
const answerPatience = 150 * time.Second

func (c *checker) covers(k card, e term.EVSEID) bool {
	if len(k.evses) == 0 {
		return true
	}
	for _, id := range k.evses {
		if id == e {
			return true
		}
	}
	return false
}

// acceptable reports whether a token may have been accepted at all.
func (c *checker) acceptable(k card) bool {
	if k.remote && !c.s.plan.on("AuthorizeRemoteStart") {
		return true
	}
	return k.kept || c.good[k.token] || c.s.plan.on("OfflineTxForUnknownIdEnabled")
}

// presented notes a card.
func (c *checker) presented(k card) {
	k.at = c.s.now
	k.kept = c.s.csms.reservations.shown(k)
	if len(k.evses) == 0 {
		c.causeAt(0)
	}
	for _, e := range k.evses {
		c.causeAt(e)
	}
	if len(c.cards) >= 32 {
		copy(c.cards, c.cards[1:])
		c.cards = c.cards[:len(c.cards)-1]
	}
	c.cards = append(c.cards, k)
}

// withdrawn notes that somebody ended the energy of an EVSE, or of all: cards that were shown before count no more, and what
// is closed has to open.
func (c *checker) withdrawn(e term.EVSEID, why string) {
	c.causeAt(e)
	for _, p := range c.places {
		if t := &c.evses[p.ref.EVSE]; p.contact && (e == 0 || e == p.ref.EVSE) && t.stop.IsZero() && !c.stuck(p) {
			t.stop, t.why = c.s.now.Add(stopLimit+c.s.slow), why
		}
	}
}

// ready notes since when a closed contactor supplies nobody who asks.
func (c *checker) ready(p *place, at time.Time) {
	switch {
	case !p.contact || p.pilot.Ready():
		p.unready = time.Time{}
	case p.unready.IsZero():
		p.unready = at
	}
}

// stuck reports whether the contactor cannot be blamed on anybody.
func (c *checker) stuck(p *place) bool {
	t := &c.evses[p.ref.EVSE]
	return (p.faults | t.faults | c.station).Has(term.FaultContactor) || !t.mended.IsZero() && c.s.now.Sub(t.mended) < time.Second
}

func (c *checker) faulted(e halsim.Event) {
	c.s.csms.reservations.spoil(e.Ref.EVSE)
	if c.faults--; e.On {
		c.faults += 2
	}
	set := func(f *iec61851.FaultSet) {
		if *f = f.Without(e.Fault); e.On {
			*f = f.With(e.Fault)
		}
	}
	for _, p := range c.places {
		switch {
		case e.Ref == p.ref:
			set(&p.faults)
		case e.Ref.EVSE != 0 && (e.Ref.Connector != 0 || e.Ref.EVSE != p.ref.EVSE):
			continue
		}
		if e.On {
			c.guardFault(p, e.At)
		} else if p.what == e.Fault {
			p.fault = time.Time{}
		}
	}
	if e.Fault == term.FaultContactor && !e.On {
		c.evses[e.Ref.EVSE].mended = c.s.now
	}
	switch {
	case e.Ref.EVSE == 0:
		set(&c.station)
		for i := range c.evses {
			c.evses[i].cause = c.s.now
		}
	case e.Ref.Connector == 0:
		set(&c.evses[e.Ref.EVSE].faults)
	}
	if e.On {
		for _, p := range c.places {
			c.guardFault(p, e.At)
		}
	}
}

// faultLimits are the times within which a closed contactor opens (I2, I3): what the guard sees at its wires at once, what it
// reads every 250 ms, and what it has to measure twice.
func faultLimit(f term.Fault) time.Duration {
	switch f {
	case term.FaultGround, term.FaultEmergencyStop, term.FaultPilot, term.FaultDiode, term.FaultProximity:
		return openLimit
	case term.FaultHighTemperature, term.FaultCableTemperature, term.FaultPowerSwitch:
		return 400 * time.Millisecond
	case term.FaultOverVoltage, term.FaultUnderVoltage:
		return 1300 * time.Millisecond
	case term.FaultConnectorLock:
		return 2 * time.Second
	}
	return 0
}

// guardFault says until when a contactor that is closed against a fault has to open.
func (c *checker) guardFault(p *place, at time.Time) {
	if !p.contact || !p.fault.IsZero() || c.stuck(p) || !c.s.alive {
		return
	}
	all := p.faults | c.evses[p.ref.EVSE].faults | c.station
	for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
		limit := faultLimit(f)
		if !all.Has(f) || !f.StopsCharging() || limit == 0 || f == term.FaultProximity && !p.socket {
			continue
		}
		if due := at.Add(limit); p.fault.IsZero() || due.Before(p.fault) {
			p.fault, p.what = due, f
		}
	}
}

// step checks what has to hold at every instant.
func (c *checker) step() {
	c.s.count.checks++
	c.s.csms.limits.step()
	c.s.csms.reservations.step()
	grace := c.s.plan.jitter + 5*time.Millisecond
	for _, p := range c.places {
		if !p.contact || c.stuck(p) {
			continue
		}
		if !p.unready.IsZero() && c.s.now.Sub(p.unready) > openLimit+grace {
			c.s.broken("I2", "the contactor of %v is closed in state %v for %v", p.ref, p.pilot, c.s.now.Sub(p.unready))
		}
		if !p.fault.IsZero() && c.s.now.After(p.fault.Add(grace)) {
			c.s.broken("I2", "the contactor of %v is still closed with the fault %v", p.ref, p.what)
		}
		if t := &c.evses[p.ref.EVSE]; !t.stop.IsZero() && c.s.now.After(t.stop) {
			c.s.broken("I1", "energy flows at %v although %s", p.ref, t.why)
		}
	}
	if !c.looked && c.s.now.Sub(c.changed) >= steady && c.heard() {
		c.looked = true
		c.statuses()
	}
}

// steady is how long nothing has happened when the statuses are compared.
const steady = 10 * time.Second

// unsettled notes that the CSMS may not know yet how things are.
func (c *checker) unsettled() { c.changed, c.looked = c.s.now, false }

// heard reports whether the CSMS should know how things are.
func (c *checker) heard() bool {
	s, w := c.s, &c.s.wire
	return s.alive && w.open != 0 && !w.hole && !s.csms.mute && !s.csms.moody && s.csms.registered == msg2.RegistrationStatusAccepted &&
		s.now.Sub(s.begun) > time.Minute && !w.replied.Before(w.since) && s.now.Sub(w.replied) > time.Minute && s.core != nil && s.engine.Idle() && s.told == "" && !s.leaving && s.slow == 0
}

// statuses compares what the CSMS was told with what is (I7).
func (c *checker) statuses() {
	state := c.s.world.State()
	for _, p := range c.places {
		want, sure := c.truth(p, &state)
		if got := c.s.csms.status[p.ref]; sure && got != want {
			c.s.broken("I7", "the CSMS believes %v to be %q, it is %q", p.ref, got, want)
		}
	}
}

// truth is the status that a connector has, as far as it is beyond doubt.
func (c *checker) truth(p *place, w *halsim.State) (st msg2.ConnectorStatus, sure bool) {
	t := &c.evses[p.ref.EVSE]
	if (p.faults | t.faults | c.station) != 0 {
		return "", false
	}
	reserved, certain := c.s.csms.reservations.holds(p.ref.EVSE)
	switch state := w.EVSEs[p.ref.EVSE-1].Connectors[p.ref.Connector-1]; {
	case t.off != [3]bool{} || !certain:
		return "", false
	case reserved:
		st = msg2.ConnectorStatusReserved
	case state.AtEV && state.AtEVSE, p.socket && state.AtEVSE:
		st = msg2.ConnectorStatusOccupied
	default:
		st = msg2.ConnectorStatusAvailable
	}
	if got := c.s.csms.status[p.ref]; got == msg2.ConnectorStatusFaulted || got == msg2.ConnectorStatusUnavailable {
		return st, c.s.calm && len(c.s.csms.books.open) == 0 // a fault may stay until the car has left; a reset waits for its transaction
	}
	return st, true
}

// offered takes a duty that the guard drives (I3).
func (c *checker) offered(ref term.Ref, d unit.Duty) {
	amps, _ := iec61851.CurrentForDuty(d)
	p, e := c.byRef[ref], &c.s.plan.evses[ref.EVSE-1]
	was := p.amps
	if p.amps = amps; amps < was {
		if c.s.now.Sub(p.lowered) > iec61851.FollowTime {
			p.trail = 0
		}
		p.trail, p.lowered = max(p.trail, was), c.s.now
	}
	if amps == 0 {
		return
	}
	if amps > was {
		c.s.csms.limits.raised(p)
	}
	c.s.count.checks++
	switch {
	case amps > e.MaxCurrent:
		c.s.broken("I3", "%v is offered %v, the EVSE carries %v", ref, amps, e.MaxCurrent)
	case p.socket && amps > p.rating && (amps > p.before || c.s.now.Sub(p.changed) > time.Second):
		c.s.broken("I3", "%v is offered %v, its cable carries %v", ref, amps, p.rating)
	case !p.permit.Close || amps > p.permit.Max:
		c.s.broken("I3", "%v is offered %v, permitted are %v", ref, amps, p.permit.Max)
	}
}

func (c *checker) permit(p term.Permit) { c.byRef[p.Ref].permit = p }

// secret looks for what must not leave the station (I9).
func (c *checker) secret(frame []byte) {
	c.s.count.checks++
	if bytes.Contains(frame, []byte(c.s.plan.password)) {
		c.s.broken("I9", "the station tells its password: %.200q", frame)
	}
}

// status takes a StatusNotification.
func (c *checker) status(ref term.Ref, st msg2.ConnectorStatus) {
	if c.byRef[ref] == nil {
		c.s.broken("I7", "a status of %v, which there is not", ref)
	}
}

// verdict takes what the CSMS says about a token.
func (c *checker) verdict(token, verdict string) {
	if verdict == "Accepted" {
		c.good[token] = true
	} else {
		c.refusal = c.s.now
	}
}

func (c *checker) security(m *msg2.SecurityEventNotificationRequest) {
	c.s.csms.books.heard(m.Type + " " + m.Timestamp.UTC().Format(time.RFC3339Nano))
}

// remoteStarted checks that a remote start which was rejected has begun nothing (I6).
func (c *checker) remoteStarted(id int) {
	if c.rejects[id] {
		c.s.broken("I6", "remote start %d was rejected and began a transaction", id)
	}
}

func (c *checker) refused(promise) {}

// ---- What storage says ----

func (c *checker) appended(n uint64, batch []station.Record) { c.s.csms.books.appended(n, batch) }
func (c *checker) durable(n uint64)                          { c.s.csms.books.durable(n) }

func (c *checker) gone() {
	for _, p := range c.places {
		p.amps = 0
	}
	c.causeAt(0)
	c.unsettled()
	c.s.csms.books.gone()
	if c.lie {
		c.lie, c.lied = false, true
		c.s.csms.books.deceived()
		for i := range c.evses {
			c.evses[i].off = [3]bool{}
		}
	}
}

func (c *checker) bootFailed(err error) {
	if c.s.plan.kinds&kindFlash == 0 || c.s.calm {
		c.s.broken("I12", "the station does not start: %v", err)
	}
}

func (c *checker) opened(rep storage.Report) {
	if rep.Damaged() && !c.lied {
		c.s.broken("I4", "what a power cut left was taken for damage: %v", rep.Findings)
	}
}

func (c *checker) found(f storage.Finding) {
	if (f.Code == storage.FoundLost || f.Code == storage.FoundAside) && !c.lied && !c.lie {
		c.s.broken("I4", "damage without a cause: %v", f)
	}
}
