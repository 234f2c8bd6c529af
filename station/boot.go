package station

import (
	"strconv"
	"time"

	"github.com/evsed/evsed/station/model"
)

// boot is the registration at the CSMS (B01-B04) and the heartbeat (G02).
type boot struct {
	reason    BootReason
	status    Registration
	linked    bool      // a connection is open
	heard     bool      // the CSMS has answered a call over this connection
	pending   bool      // a BootNotification waits for its answer
	next      time.Time // BootNotification not before, and then at once; zero: none planned
	heartbeat time.Time
	beating   bool      // a Heartbeat waits for its answer
	offline   time.Time // since when the station has been offline; zero while online
	boots     int
	synced    time.Time // when the CSMS last told the time
	accepted  time.Time // when the CSMS last accepted the station
}

// bootRetry is the wait before the next BootNotification when the CSMS named none (B02.FR.07, B03.FR.05).
const bootRetry = 60 * time.Second

// minBootRetry keeps a CSMS that asks for a tiny interval from turning the station into a flood.
const minBootRetry = time.Second

// dailyHeartbeat is the longest time without a Heartbeat while the clock comes from the CSMS (G02.FR.07).
const dailyHeartbeat = 24 * time.Hour

// maxHeartbeat bounds the interval that a CSMS may ask for, in seconds: a year.
const maxHeartbeat = 365 * 24 * 3600

// The quirks of a CSMS that are the core's: what it forgets with a connection is told again on the next.
const (
	bootOnReconnect   = "BootOnReconnect"
	statusOnReconnect = "StatusOnReconnect"
)

const (
	metaBootReason = "bootReason"
	metaBoots      = "boots"
	metaEvents     = "events"
	metaResets     = "resets"
	metaProblems   = "problems"
)

func (s *Station) startBoot() {
	b := &s.boot
	if b.reason == "" {
		b.reason = s.cfg.Boot
	}
	if b.reason == "" {
		b.reason = BootPowerUp
	}
	b.boots++
	b.offline = s.now
	s.record(BucketMeta, metaBoots, strconv.AppendInt(nil, int64(b.boots), 10))
	s.record(BucketMeta, metaBootReason, nil)
	s.reserveEvents()
	s.startSecurity()
	s.securityEvent(StartupOfTheDevice, string(b.reason))
}

// online reports whether the CSMS is there: it has accepted the station and has answered over this connection.
// A socket that is merely open is not online.
func (s *Station) online() bool {
	return s.boot.linked && s.boot.heard && s.boot.status == RegistrationAccepted
}

func (s *Station) linkUp(ev LinkUp) {
	b := &s.boot
	b.linked, b.heard, b.pending, b.beating = true, false, false, false
	s.slot, s.profile, s.dialled = ev.Slot, ev.SecurityProfile, nil
	s.certificatesServed(ev)
	s.trustedAt(ev.Valid)
	if p, ok := s.profiles[ev.Slot]; ok {
		s.dialled = &workedNetwork{ev.Slot, p}
	}
	switch {
	case b.status == RegistrationAccepted && s.model.Has(model.CSMSQuirks, bootOnReconnect):
		s.notifyBoot(BootUnknown, false)
	case b.status == RegistrationAccepted:
		s.beat() // the first answer tells that somebody listens, and what time it is
	case s.due(b.next) || b.next.IsZero():
		s.notifyBoot(b.reason, false)
	}
}

func (s *Station) linkDown() {
	b := &s.boot
	wasOnline := s.online()
	b.linked, b.heard, b.pending, b.beating = false, false, false, false
	b.heartbeat = time.Time{}
	if wasOnline || b.offline.IsZero() {
		b.offline = s.now
	}
	s.forgetReports()
	s.questionsUnanswered()
	s.trialUnlinked()
}

func (s *Station) notifyBoot(reason BootReason, early bool) {
	b := &s.boot
	b.pending, b.next = true, time.Time{}
	id := s.cfg.Identity // the device model knows better what a fitter may change
	id.Vendor, id.Model = s.model.Text(model.StationVendorName), s.model.Text(model.StationModel)
	s.report(Now, "", BootNotification{Reason: reason, Identity: id})
	if early {
		s.early()
	}
}

// bootReply carries out what the CSMS said to a BootNotification.
func (s *Station) bootReply(r BootReply) {
	b := &s.boot
	b.pending = false
	s.timeFromCSMS(r.Now)
	first := b.status != RegistrationAccepted
	b.status = r.Status
	s.command(Gate{Status: r.Status})
	if r.Status != RegistrationAccepted {
		wait := r.Interval
		if wait <= 0 {
			wait = bootRetry // B02.FR.07, B03.FR.05
		}
		b.next = s.now.Add(max(wait, minBootRetry)) // B02.FR.08, B03.FR.06
		return
	}
	if first { // B01.FR.05: also what a trigger had told before
		s.forgetTold()
	}
	b.accepted = s.now
	if r.Interval > 0 { // B01.FR.04, G02.FR.01
		s.put(model.HeartbeatInterval, strconv.Itoa(int(min(max(r.Interval/time.Second, 1), maxHeartbeat))))
	}
	s.heard()
	if first {
		s.settleUnregistered()
	}
}

// registerAnew boots toward a CSMS that has forgotten the station and answers with SecurityError (B01.FR.10): until it
// accepts again the gate is shut, so that the backlog does not run into refusals.
func (s *Station) registerAnew() {
	b := &s.boot
	if b.status != RegistrationAccepted {
		return
	}
	b.status, b.heard, b.heartbeat = RegistrationNone, false, time.Time{}
	b.next = later(b.accepted.Add(bootRetry), s.now)
	if b.offline.IsZero() {
		b.offline = s.now
	}
	s.command(Gate{Status: RegistrationNone})
}

// heard notes that the CSMS answered: from now on the station is online, and the heartbeat starts anew (G02.FR.05).
func (s *Station) heard() {
	b := &s.boot
	if !b.linked || b.status != RegistrationAccepted {
		return
	}
	if !b.heard {
		b.heard = true
		s.cameOnline()
	}
	s.planHeartbeat()
}

// planHeartbeat starts the heartbeat's interval anew, but for the one that fetches the time once a day however much else
// is said (G02.FR.05, G02.FR.07).
func (s *Station) planHeartbeat() {
	b := &s.boot
	b.heartbeat = s.now.Add(s.model.Duration(model.HeartbeatInterval))
	if s.model.Has(model.TimeSource, "Heartbeat") && !b.synced.IsZero() {
		b.heartbeat = earliest(b.heartbeat, later(b.synced.Add(dailyHeartbeat), s.now.Add(minBootRetry)))
	}
}

// planAgain plans the next heartbeat from what has just been learned, while online.
func (s *Station) planAgain() {
	if s.online() {
		s.planHeartbeat()
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// heartbeatUnanswered tries again where nothing else has shown yet that the CSMS is there.
func (s *Station) heartbeatUnanswered() {
	if b := &s.boot; b.linked && !b.heard && b.status == RegistrationAccepted {
		b.heartbeat = s.now.Add(bootRetry)
	}
}

// cameOnline tells the statuses again: all of them after a boot or a long absence, the changed ones otherwise (B01.FR.05, B04).
func (s *Station) cameOnline() {
	b := &s.boot
	before := s.worked
	s.rememberNetwork()
	s.levelReached(before)
	long := b.offline.IsZero() || s.now.Sub(b.offline) > s.model.Duration(model.OfflineThreshold)
	b.offline = time.Time{}
	if long || s.model.Has(model.CSMSQuirks, statusOnReconnect) {
		s.forgetTold()
	}
}

// forgetTold has every status and every problem told again.
func (s *Station) forgetTold() {
	s.status.told = ConnectorView{}
	for i := range s.evses {
		for j := range s.evses[i].conns {
			s.evses[i].conns[j].status.told = ConnectorView{}
		}
	}
	s.forgetProblems()
}

func (s *Station) bootTimers() {
	b := &s.boot
	if s.due(b.next) && b.linked && !b.pending {
		s.notifyBoot(b.reason, false)
	}
	if s.due(b.heartbeat) {
		s.beat()
		b.synced = later(b.synced, s.now.Add(bootRetry-dailyHeartbeat)) // asked: again in a minute at the earliest
		s.planHeartbeat()
	}
}

// beat sends a Heartbeat unless one is under way: a silent CSMS must not make a heap of them.
func (s *Station) beat() {
	if !s.boot.beating {
		s.boot.beating = true
		s.report(Now, "", Heartbeat{})
	}
}

func (s *Station) bootDeadline() time.Time {
	d := s.boot.heartbeat
	if s.boot.linked && !s.boot.pending {
		d = earliest(d, s.boot.next)
	}
	return d
}

// bootUnanswered plans the next BootNotification after one that got no answer or an error.
func (s *Station) bootUnanswered() {
	b := &s.boot
	b.pending = false
	if b.linked && b.status != RegistrationAccepted { // a new connection begins with one anyway
		b.next = s.now.Add(bootRetry)
	}
}

// mayStartSessions reports whether new sessions may begin as far as the registration goes (B02.FR.03, B03.FR.01).
func (s *Station) mayStartSessions() bool {
	return s.boot.status == RegistrationAccepted || s.settings.txBeforeAccepted
}
