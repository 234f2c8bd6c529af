package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// question is an Authorize that waits for its answer.
type question struct {
	report ReportID
	ask    presented
	stop   bool // asked to learn the group of a token that may stop a session
	until  time.Time
}

// presented is a token that somebody showed, or that came with a remote start.
type presented struct {
	token     term.IdToken
	info      []term.AdditionalInfo
	group     term.IdToken
	evses     []term.EVSEID    // where it was shown; empty: everywhere
	connector term.ConnectorID // of the one EVSE that it is for; 0: any
	remote    int
	hasRemote bool
	known     term.IdToken      // group that the CSMS, the list or the cache named
	unsure    bool              // the group is not known yet
	promised  bool              // accepted on the word of its reservation alone: for that it is good
	profile   *schedule.Profile // that came with the remote start

	mayNotStop string // why it ends no session where it was shown; "" where there is none, or that is not known
}

// questionPatience bounds a question beside the link's own message timeout.
const questionPatience = 120 * time.Second

// maxQuestions bounds the tokens that are being asked about at once: one reader an EVSE is the most that stations have.
const maxQuestions = 32

func (s *Station) authConfig() auth.Config {
	m := s.model
	return auth.Config{
		Enabled: m.Bool(model.AuthEnabled), AuthorizeRemoteStart: m.Bool(model.AuthorizeRemoteStart),
		LocalPreAuthorize: m.Bool(model.LocalPreAuthorize), LocalAuthorizeOffline: m.Bool(model.LocalAuthorizeOffline),
		OfflineTxForUnknownId:      m.Bool(model.OfflineTxForUnknownIdEnabled),
		DisableRemoteAuthorization: m.Bool(model.DisableRemoteAuthorization), MasterPassGroup: m.Text(model.MasterPassGroupId),
		CacheEnabled: m.Bool(model.AuthCacheEnabled), CacheLifeTime: m.Duration(model.AuthCacheLifeTime),
		CachePolicy: auth.Policy(m.Text(model.AuthCachePolicy)), CacheDisablePostAuthorize: m.Bool(model.AuthCacheDisablePostAuthorize),
		ListEnabled: m.Bool(model.LocalAuthListEnabled), ListDisablePostAuthorize: m.Bool(model.LocalAuthListDisablePostAuthorize),
		ListSupportsExpiry: m.Bool(model.LocalAuthListSupportsExpiryDateTime),
	}
}

// tokenRead handles a card at a reader: it stops a session that it may stop, and starts one otherwise.
func (s *Station) tokenRead(ev TokenRead) {
	p := presented{token: ev.Token, info: ev.Info, evses: ev.EVSEs}
	s.readBefore(p)
	if s.askedAlready(p.token) || s.unlockFor(p) {
		return
	}
	ask := false
	for _, h := range s.sessionsAt(p) {
		v := s.auth.MayStop(s.wall(), p.token, startedBy(h.grant), s.online(), s.settings.auth)
		switch {
		case v.Kind == auth.Accept && v.Master:
			s.masterPass(p)
			return
		case v.Kind == auth.Accept:
			s.stopSession(h, p)
			return
		case v.Kind == auth.Ask:
			ask = true
		default:
			p.mayNotStop = v.Code
		}
	}
	p.unsure = true
	if ask && s.target(p) == nil && !s.maySwipeAhead(p) {
		s.question(p, true)
		return
	}
	s.startBy(p)
}

// readBefore has the meters read that may soon begin or end a transaction, so that what is told then is of now (E01.FR.09, E06.FR.11).
func (s *Station) readBefore(p presented) {
	for i := range s.evses {
		if e := &s.evses[i]; p.at(e.cfg.ID) && s.now.Sub(e.reading.At) > freshReading {
			s.command(PollMeter{EVSE: e.cfg.ID})
		}
	}
}

// session is an authorization in force: at an EVSE, or waiting for a car.
type session struct {
	grant *transaction.Grant
	evse  *evse
	wait  int // index into queue when evse is nil
}

// sessionsAt lists the sessions that a token shown there may concern.
func (s *Station) sessionsAt(p presented) []session {
	var hs []session
	for i := range s.evses {
		e := &s.evses[i]
		if e.grant != nil && p.at(e.cfg.ID) {
			hs = append(hs, session{grant: e.grant, evse: e})
		}
	}
	for i, w := range s.queue {
		if w.near(p) {
			hs = append(hs, session{grant: w.grant, wait: i})
		}
	}
	return hs
}

// near reports whether a waiting session may get an EVSE where p was shown.
func (w waiting) near(p presented) bool {
	return len(w.evses) == 0 || len(p.evses) == 0 || slices.ContainsFunc(w.evses, p.at)
}

func (p presented) at(e term.EVSEID) bool { return len(p.evses) == 0 || slices.Contains(p.evses, e) }

func startedBy(g *transaction.Grant) auth.Started {
	return auth.Started{Token: g.Token, Group: g.Group}
}

// stopSession ends the authorization of a session because a driver asked for it (E07.FR.01, E08).
func (s *Station) stopSession(h session, p presented) {
	c := cause{trigger: term.TriggerStopAuthorized, reason: term.StopLocal, token: p.token, info: p.info}
	if h.evse != nil {
		s.signalAccepted(h.evse.only())
		s.withdraw(h.evse, c)
		return
	}
	s.signalAccepted(p.evses)
	s.dropFloating(h.wait, c)
}

// masterPass stops every session (C16.FR.02).
func (s *Station) masterPass(p presented) {
	if len(s.sessionsAt(presented{})) == 0 {
		s.signalRefused(p.evses, auth.CodeMasterPass)
		return
	}
	s.signalAccepted(p.evses)
	s.stopAll(cause{trigger: term.TriggerStopAuthorized, reason: term.StopMasterPass, token: p.token, info: p.info})
}

func (s *Station) stopAll(c cause) {
	for i := range s.evses {
		if e := &s.evses[i]; e.grant != nil {
			s.withdraw(e, c)
		}
	}
	for len(s.queue) > 0 {
		s.dropFloating(0, c)
	}
}

func (s *Station) stopPressed(ev StopPressed) {
	c := cause{trigger: term.TriggerStopAuthorized, reason: term.StopLocal}
	if ev.EVSE == 0 {
		s.stopAll(c)
		return
	}
	if e := s.evse(ev.EVSE); e != nil && e.grant != nil {
		s.withdraw(e, c)
	}
}

// unlockFor gives the cable back to the driver whose session the CSMS had ended (E05.FR.11).
func (s *Station) unlockFor(p presented) bool {
	for i := range s.evses {
		e := &s.evses[i]
		if e.keepLocked && p.at(e.cfg.ID) && (e.tx == nil || !e.facts.Connected) && p.token.Equal(e.ownerToken) { // E09.FR.03
			e.keepLocked = false
			s.signalAccepted(e.only())
			s.release(e)
			return true
		}
	}
	return false
}

// startBy decides about a token that shall start a session.
func (s *Station) startBy(p presented) {
	if !s.mayStartSessions() || s.target(p) == nil && !s.maySwipeAhead(p) {
		s.signalRefused(p.evses, s.whyNoSession(p))
		return
	}
	v := s.auth.Decide(s.wall(), p.token, s.online(), s.settings.auth)
	switch v.Kind {
	case auth.Accept:
		s.authorize(p, v.Info)
	case auth.Ask:
		s.question(p, false)
	case auth.Refuse:
		if v.Master {
			s.masterPass(p)
			return
		}
		s.authorizeReserved(p, v)
	}
}

// question asks the CSMS about a token (C01.FR.02).
func (s *Station) question(p presented, stop bool) {
	if len(s.asking) >= maxQuestions {
		s.signalRefused(p.evses, CodeTooMany)
		return
	}
	id := s.report(Now, "", Authorize{Token: p.token, Info: p.info})
	s.asking = append(s.asking, question{report: id, ask: p, stop: stop, until: s.now.Add(questionPatience)})
}

func (s *Station) askedAlready(t term.IdToken) bool {
	return slices.ContainsFunc(s.asking, func(q question) bool { return q.ask.token.Equal(t) })
}

// answered takes what the CSMS said about a token; has is false if it said nothing.
func (s *Station) answered(id ReportID, info term.TokenInfo, has bool) {
	i := slices.IndexFunc(s.asking, func(q question) bool { return q.report == id })
	if i < 0 {
		return
	}
	q := s.asking[i]
	s.asking = slices.Delete(s.asking, i, i+1)
	if has {
		s.contradicted(q.ask.token, info)
		s.learn(q.ask.token, info)
	}
	switch {
	case q.stop:
		s.stopAnswered(q, info, has)
	case has:
		if v := auth.Answered(info, s.settings.auth); v.Kind == auth.Accept {
			s.authorize(q.ask, v.Info)
		} else if v.Master {
			s.masterPass(q.ask)
		} else {
			s.signalRefused(q.ask.evses, v.Code)
		}
	default: // nobody answered: decide as if offline
		if v := s.auth.Decide(s.wall(), q.ask.token, false, s.settings.auth); v.Kind == auth.Accept {
			s.authorize(q.ask, v.Info)
		} else {
			s.authorizeReserved(q.ask, v)
		}
	}
}

// stopAnswered stops the session whose group the token turned out to have (C09.FR.03, C16.FR.02).
func (s *Station) stopAnswered(q question, info term.TokenInfo, has bool) {
	if !has {
		s.signalRefused(q.ask.evses, auth.CodeUnknownOffline)
		return
	}
	why := auth.CodeOtherToken
	for _, h := range s.sessionsAt(q.ask) {
		v := auth.StopAnswered(info, startedBy(h.grant), s.settings.auth)
		if v.Kind != auth.Accept {
			why = v.Code
			continue
		}
		if v.Master {
			s.masterPass(q.ask)
			return
		}
		s.stopSession(h, q.ask)
		return
	}
	if info.Status == term.TokenAccepted { // it stops nothing, but neither may it begin something
		q.ask.known, q.ask.unsure, q.ask.mayNotStop = info.Group, false, why
		why = s.whyNoSession(q.ask)
	}
	s.signalRefused(q.ask.evses, why)
}

// learn updates the authorization cache (C10.FR.04, C10.FR.05).
func (s *Station) learn(t term.IdToken, info term.TokenInfo) {
	s.cacheChanges(s.auth.Cache.Learn(nil, s.wall(), t, info, s.settings.auth))
}

// sweepCache removes what has outlived its time (C10.FR.10), once somebody has told the time.
func (s *Station) sweepCache() {
	if s.clock.known {
		s.cacheChanges(s.auth.Cache.Sweep(nil, s.wall(), s.settings.auth))
	}
}

func (s *Station) cacheChanges(cs []auth.Change) {
	for _, c := range cs {
		s.record(BucketAuthCache, c.Key, c.Value)
	}
}

// authorize puts an accepted token to use: at the EVSE that it is meant for, or waiting for a car.
func (s *Station) authorize(p presented, info term.TokenInfo) {
	g := &transaction.Grant{Token: p.token, Info: p.info, Group: info.Group, Remote: p.remote, HasRemote: p.hasRemote, EVSEs: info.EVSEs, Connector: p.connector}
	if g.Group.IsZero() {
		g.Group = p.group
	}
	shown := p.evses
	if !p.narrow(info.EVSEs) { // C01.FR.21
		s.signalRefused(shown, auth.CodeWrongEVSE)
		return
	}
	p.known, p.unsure = info.Group, false
	if e := s.target(p); e != nil {
		if r, _ := s.mayUse(e, p); r != nil || !p.promised {
			e.starting = p.profile
			s.useReservation(g, r)
			s.signalAccepted(e.only())
			s.grant(e, g)
			return
		}
	} else if s.maySwipeAhead(p) {
		if r, _ := s.roomToWait(p); r != nil || !p.promised {
			s.signalAccepted(p.evses)
			s.enqueue(p, g, s.useReservation(g, r))
			return
		}
	}
	s.signalRefused(shown, s.whyNoSession(p))
}

// narrow leaves of the EVSEs where a token was shown those where it is valid; false if none is left.
func (p *presented) narrow(valid []term.EVSEID) bool {
	if len(valid) == 0 {
		return true
	}
	if len(p.evses) == 0 {
		p.evses = valid
		return true
	}
	var both []term.EVSEID
	for _, id := range p.evses {
		if slices.Contains(valid, id) {
			both = append(both, id)
		}
	}
	p.evses = both
	return len(both) > 0
}

// grant gives an EVSE an authorization.
func (s *Station) grant(e *evse, g *transaction.Grant) {
	e.grant, e.granted, e.keepLocked, e.evLeft = g, s.now, false, false
	if e.tx == nil {
		e.spent = 0 // a driver who comes again begins a new session, even if the car never left
	} else {
		e.tx.Grant, e.tx.Reason, e.tx.StoppedBy, e.tx.Owner = g, "", term.IdToken{}, g.Token
		s.adoptProfile(e)
	}
	trigger := term.TriggerAuthorized // E02.FR.20
	if g.HasRemote {
		trigger = term.TriggerRemoteStart // F01.FR.19
	}
	s.progress(e, trigger)
}

// target chooses the EVSE that a token shown now is meant for: one with a car that waits for authorization, the one
// plugged in last first; else the only EVSE that it can be.
func (s *Station) target(p presented) *evse {
	var best *evse
	var only *evse
	n := 0
	for i := range s.evses {
		e := &s.evses[i]
		if !p.at(e.cfg.ID) {
			continue
		}
		n++
		only = e
		if !s.open(e, p) || !e.facts.Connected || !s.operativeAt(e, &e.conns[e.active]) && e.tx == nil {
			continue
		}
		if best == nil || e.plugged.After(best.plugged) {
			best = e
		}
	}
	if e := s.reservedTarget(p); e != nil && (best == nil || e.facts.Connected) {
		return e
	}
	if best == nil && n == 1 && s.open(only, p) && s.operative(only) {
		return only
	}
	return best
}

// open reports whether a token may authorize the session of an EVSE. One that was authorized before and is no more goes
// on with the token that it began with alone (C01.FR.23), and never by remote start (F01.FR.24).
func (s *Station) open(e *evse, p presented) bool {
	if !s.free(e) || e.keepLocked || !s.serves(e, p.connector) { // a cable that waits for its owner starts nothing
		return false
	}
	if _, ok := s.mayUse(e, p); !ok {
		return false
	}
	return e.tx == nil || e.tx.Owner.IsZero() || !p.hasRemote && p.token.Equal(e.tx.Owner)
}

// serves reports whether an EVSE can begin a session at a connector, 0 for any: it works, and no car is at another one.
func (s *Station) serves(e *evse, id term.ConnectorID) bool {
	if id == 0 {
		return true
	}
	_, c := s.connector(term.Ref{EVSE: e.cfg.ID, Connector: id})
	return c != nil && s.operativeAt(e, c) && (!e.facts.Connected || e.is(c))
}

// free reports whether an EVSE has no authorization yet and may get one.
func (s *Station) free(e *evse) bool {
	return e.grant == nil && (e.tx == nil || e.tx.Ending == nil) && e.resume.IsZero()
}

// maySwipeAhead reports whether a token may wait for a car: some EVSE where it was shown is free beyond those that
// other waiting tokens will take.
func (s *Station) maySwipeAhead(p presented) bool {
	n := 0
	for i := range s.evses {
		e := &s.evses[i]
		if p.at(e.cfg.ID) && s.free(e) && !e.facts.Connected && s.operative(e) && s.serves(e, p.connector) {
			if _, ok := s.mayUse(e, p); ok {
				n++
			}
		}
	}
	for _, w := range s.queue {
		if w.near(p) {
			n--
		}
	}
	if n <= 0 {
		return false
	}
	_, room := s.roomToWait(p)
	return room
}

func (s *Station) questionTimers() {
	for i := 0; i < len(s.asking); {
		if s.due(s.asking[i].until) {
			s.answered(s.asking[i].report, term.TokenInfo{}, false)
			continue
		}
		i++
	}
}

func (s *Station) questionDeadline() time.Time {
	var d time.Time
	for _, q := range s.asking {
		d = earliest(d, q.until)
	}
	return d
}

// questionsUnanswered decides every open question as if offline: the connection is gone.
func (s *Station) questionsUnanswered() {
	for len(s.asking) > 0 {
		s.answered(s.asking[0].report, term.TokenInfo{}, false)
	}
}

// tokenTold takes what the CSMS said about a token in the answer to a TransactionEvent (E05, C15).
func (s *Station) tokenTold(ev *TransactionEvent, info term.TokenInfo) {
	token := ev.Token
	if token.IsZero() {
		token = ev.StoppedBy
	}
	if token.IsZero() {
		return
	}
	s.contradicted(token, info)
	s.learn(token, info)
	for i := range s.evses {
		e := &s.evses[i]
		if e.tx == nil || e.tx.ID != ev.Transaction || e.grant == nil || !e.grant.Token.Equal(token) {
			continue
		}
		if info.Status == term.TokenAccepted {
			s.confirm(e, info)
		} else {
			s.signalRefused(e.only(), auth.Answered(info, s.settings.auth).Code)
			s.invalidated(e)
		}
		return
	}
	for i, w := range s.queue {
		if w.tx != nil && w.tx.ID == ev.Transaction {
			if info.Status != term.TokenAccepted {
				s.signalRefused(w.evses, auth.Answered(info, s.settings.auth).Code)
			}
			s.floatingTold(i, info)
			return
		}
	}
}

// floatingTold takes what the CSMS said about the token of a session that waits for its car.
func (s *Station) floatingTold(i int, info term.TokenInfo) {
	w := &s.queue[i]
	switch {
	case info.Status == term.TokenAccepted:
		w.grant.Refused = false
		if !info.Group.IsZero() {
			w.grant.Group = info.Group
		}
		if len(info.EVSEs) > 0 {
			w.grant.EVSEs = info.EVSEs
		}
	case s.settings.stopOnInvalid: // E05.FR.09, .10: without a car nothing is left of the session
		s.dropFloating(i, cause{trigger: term.TriggerDeauthorized, reason: term.StopDeAuthorized})
		return
	default:
		w.grant.Refused = true // E05.FR.02, .03 from its first watt-hour
	}
	s.saveTransaction(w.tx)
}

// confirm keeps what an acceptance added: the group, and the EVSEs where the token is valid.
func (s *Station) confirm(e *evse, info term.TokenInfo) {
	g := e.grant
	if !info.Group.IsZero() {
		g.Group = info.Group
	}
	if len(info.EVSEs) > 0 && !slices.Contains(info.EVSEs, e.cfg.ID) { // C01.FR.21
		s.signalRefused(e.only(), auth.CodeWrongEVSE)
		s.invalidated(e)
		return
	}
	if g.Refused {
		g.Refused, g.Suspended, g.BudgetEnd = false, false, unit.Energy(0)
		s.progress(e, "")
	}
	if e.tx != nil {
		s.saveTransaction(e.tx)
	}
}

// invalidated handles a token that the CSMS refused after the session began (E05.FR.02, .03, .09, .10).
func (s *Station) invalidated(e *evse) {
	if s.settings.stopOnInvalid {
		s.withdraw(e, cause{trigger: term.TriggerDeauthorized, reason: term.StopDeAuthorized})
		return
	}
	e.grant.Refused = true
	s.energyBudget(e)
	s.progress(e, "")
	if e.tx != nil {
		s.saveTransaction(e.tx)
	}
}
