package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// statusOf derives a connector's status from the state as it is now (G01). Pure: the same view gives the same word.
func (s *Station) statusOf(e *evse, c *connector) ConnectorStatus {
	switch {
	case e.cfg.Refused != "":
		return StatusUnavailable
	case c.faults.stopping() || e.stopping() || s.faults.stopping():
		return StatusFaulted
	case s.inoperative || e.inoperative || c.inoperative || !e.reset.IsZero(): // G03.FR.06, G04.FR.07, even with a car plugged in
		return StatusUnavailable
	case e.reserved: // with a stranger's car too (G01.FR.09, H01.FR.20, H01.FR.23, H01.FR.24)
		return StatusReserved
	case s.inUse(e, c):
		return StatusOccupied
	case s.storage != "" || s.closing():
		return StatusUnavailable // no new session can be promised
	}
	return StatusAvailable
}

// inUse reports whether the connector is occupied: a cable is in the socket, a car on the line, or a transaction on it.
func (s *Station) inUse(e *evse, c *connector) bool {
	if c.car || c.present && !c.cfg.Tethered {
		return true
	}
	return e.tx != nil && e.tx.Ref.Connector == c.ref.Connector && e.facts.Connected
}

// tellStatuses reports the station, and each connector, whose view differs from what the CSMS was told (G01.FR.03-07), while
// online. What happens offline is told on the way back (B04).
func (s *Station) tellStatuses() {
	s.tellStatus(term.Ref{}, &s.status, s.stationView())
	for i := range s.evses {
		e := &s.evses[i]
		for j := range e.conns {
			c := &e.conns[j]
			s.show(e, c)
			s.settleView(e, c)
			if c.pilot == term.StateUnknown && s.now.Sub(s.started) < pilotPatience {
				continue // right after a start nobody knows yet what is plugged in
			}
			s.tellStatus(c.ref, &c.status, s.connectorView(e, c))
		}
	}
}

// telling is what the CSMS knows of a connector, or of the station.
type telling struct {
	told  ConnectorView // last; zero: nothing that counts
	seen  ConnectorView // as of the last step
	since time.Time     // since when seen holds, monotonic
	again statusAgain
}

// tellStatus tells a view that is news, once it has held for MinimumStatusDuration. What nobody knows yet does not wait.
func (s *Station) tellStatus(ref term.Ref, t *telling, v ConnectorView) {
	if s.due(t.again.at) {
		t.told, t.again.at = ConnectorView{}, time.Time{}
	}
	if v != t.seen {
		t.seen, t.since = v, s.now
	}
	if v == t.told || !s.online() || t.told.Status != "" && s.now.Before(t.since.Add(s.settings.statusDuration)) {
		return
	}
	was := t.told
	if !t.again.at.IsZero() { // the CSMS has not taken it
		was = ConnectorView{}
	}
	t.told, t.again.at = v, time.Time{}
	s.report(Latest, "status/"+ref.String(), StatusNotification{At: s.wall(), Ref: ref, ConnectorView: v, Was: was})
}

// triggerView tells a view because the CSMS asked for it (F06).
func (s *Station) triggerView(ref term.Ref, t *telling, v ConnectorView) {
	t.told, t.seen, t.since = v, v, s.now
	s.report(Now, "", StatusNotification{At: s.wall(), Ref: ref, ConnectorView: v})
	s.early()
}

// statusDeadline is when a view is told that is held back: by MinimumStatusDuration, or because the CSMS refused it.
func (s *Station) statusDeadline(t *telling) time.Time {
	d := t.again.at
	if hold := t.since.Add(s.settings.statusDuration); t.seen != t.told && s.online() && s.now.Before(hold) {
		d = earliest(d, hold)
	}
	return d
}

// statusAgain is a status that the CSMS answered with an error: it is told again, after a wait that doubles.
type statusAgain struct {
	at    time.Time // zero: none is owed
	tries int       // errors in a row
}

// maxStatusDoublings bounds the wait for the next try: a CSMS that never takes a status hears it about once an hour.
const maxStatusDoublings = 6

// statusAnswered notes what the CSMS made of a status: one that it refused it does not know (G01).
func (s *Station) statusAnswered(body StatusNotification, r Reply) {
	t := &s.status
	if body.Ref.EVSE != 0 {
		_, c := s.connector(body.Ref)
		if c == nil {
			return
		}
		t = &c.status
	}
	switch r.(type) {
	case Refused:
		if t.told.Status == body.Status { // else a newer word has been told
			t.again.at = s.now.Add(bootRetry << min(t.again.tries, maxStatusDoublings))
			t.again.tries++
		}
	case Acknowledged:
		if t.told == body.ConnectorView {
			t.again = statusAgain{}
		}
	}
}

// pilotPatience is how long after a start a status may wait for the first word from the guard.
const pilotPatience = 2 * time.Second

// pilotDeadline is when the statuses are told without the guard's word.
func (s *Station) pilotDeadline() time.Time {
	if d := s.started.Add(pilotPatience); s.now.Before(d) {
		return d
	}
	return time.Time{}
}

// show tells the light of a connector.
func (s *Station) show(e *evse, c *connector) {
	if in := s.indication(e, c); in != c.shown {
		c.shown = in
		s.command(Indicate{Ref: c.ref, Show: in})
	}
}

func (s *Station) indication(e *evse, c *connector) hal.Indication {
	switch st := s.statusOf(e, c); {
	case st == StatusFaulted:
		return hal.IndicateFaulted
	case st == StatusUnavailable:
		return hal.IndicateUnavailable
	case e.tx != nil && e.tx.Ending != nil && e.is(c):
		return hal.IndicateFinishing
	case e.state == term.ChargingCharging && e.is(c):
		return hal.IndicateCharging
	case e.grant != nil && e.is(c) && (e.state == term.ChargingSuspendedEV || e.state == term.ChargingSuspendedEVSE):
		return hal.IndicateSuspended
	case s.asksFor(e):
		return hal.IndicateAuthorizing
	case st == StatusReserved:
		return hal.IndicateReserved
	case st == StatusOccupied:
		return hal.IndicateConnected
	}
	return hal.IndicateAvailable
}

// is reports whether c is the connector in use.
func (e *evse) is(c *connector) bool { return e.active >= 0 && &e.conns[e.active] == c }

// asksFor reports whether a token is being asked about, or waits for a car, that was shown at a reader of this EVSE.
func (s *Station) asksFor(e *evse) bool {
	for _, q := range s.asking {
		if q.ask.at(e.cfg.ID) {
			return true
		}
	}
	for _, w := range s.queue {
		if len(w.evses) == 0 || slices.Contains(w.evses, e.cfg.ID) {
			return true
		}
	}
	return false
}
