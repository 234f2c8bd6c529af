package station

import (
	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/reserve"
	"github.com/evsed/evsed/station/term"
)

// requestStart (F01, F02).
func (s *Station) requestStart(r RequestStart) StartStatus {
	reject := func(reason, info string) StartStatus { return StartStatus{Status: rejected(reason, info)} }
	if s.boot.status != RegistrationAccepted { // B02.FR.05
		return reject("CSNotAccepted", "")
	}
	p := presented{token: r.Token, info: r.Info, group: r.Group, remote: r.RemoteStartID, hasRemote: true}
	if r.EVSE != 0 {
		if s.evse(r.EVSE) == nil {
			return reject("UnknownEvse", "")
		}
		p.evses, p.connector = []term.EVSEID{r.EVSE}, r.Connector
	}
	profile, why := s.startProfile(&r)
	if why != nil { // K05.FR.05
		return StartStatus{Status: *why}
	}
	p.profile = profile
	e := s.target(p)
	if e == nil && !s.maySwipeAhead(p) { // F01.FR.23, F01.FR.24
		return reject(s.whyNoTarget(r.EVSE, p))
	}
	v := s.auth.DecideRemote(s.wall(), r.Token, r.Group, s.online(), s.settings.auth)
	var started term.TransactionID
	if e != nil && e.tx != nil { // F01.FR.13
		started = e.tx.ID
	}
	switch v.Kind {
	case auth.Refuse:
		return reject("InvalidIdToken", v.Code)
	case auth.Ask:
		s.question(p, false)
	case auth.Accept:
		s.authorize(p, v.Info)
	}
	return StartStatus{Status: accepted(), Transaction: started}
}

// whyNoTarget says why no session can begin, as reasonCode and text.
func (s *Station) whyNoTarget(id term.EVSEID, p presented) (reason, info string) {
	e := s.evse(id)
	if e != nil && s.idle(e) {
		if _, ok := s.mayUse(e, p); !ok { // F01.FR.21, F01.FR.22, F02.FR.23, F02.FR.24
			return "InvalidIdToken", reserve.CodeOtherToken
		}
	}
	switch {
	case s.storage != "": // no session may begin that could not be kept
		return "OutOfStorage", s.storage
	case e == nil:
		return "Unspecified", "no EVSE is free"
	case e.grant != nil || e.tx != nil:
		return "TxInProgress", ""
	case !s.operative(e):
		return "NotEnabled", "the EVSE is unavailable or faulted"
	}
	return "Unspecified", "the EVSE cannot start a session now"
}

// requestStop (F03).
func (s *Station) requestStop(r RequestStop) Status {
	if s.boot.status != RegistrationAccepted { // B02.FR.05
		return rejected("CSNotAccepted", "")
	}
	c := cause{trigger: term.TriggerRemoteStop, reason: term.StopRemote}
	for i := range s.evses {
		e := &s.evses[i]
		if e.tx == nil || e.tx.ID != r.Transaction {
			continue
		}
		if e.tx.Ending == nil {
			s.withdraw(e, c)
		}
		return accepted() // F03.FR.07
	}
	for i, w := range s.queue {
		if w.tx != nil && w.tx.ID == r.Transaction {
			s.dropFloating(i, c)
			return accepted()
		}
	}
	return rejected("TxNotFound", "") // F03.FR.08
}
