package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/station/term"
)

// unlocking is an UnlockConnector that waits for the lock.
type unlocking struct {
	id    RequestID
	ref   term.Ref
	until time.Time
}

// unlockPatience is how long the lock may take; lock motors need well under two seconds.
const unlockPatience = 5 * time.Second

// maxUnlocks bounds the unlock requests under way.
const maxUnlocks = 16

// unlockConnector (F05).
func (s *Station) unlockConnector(id RequestID, r UnlockConnector) {
	e, c := s.connector(r.Ref)
	switch {
	case c == nil: // F05.FR.03
		s.answer(id, Status{Status: "UnknownConnector"})
		return
	case e.grant != nil && e.is(c) && !r.Finish: // F05.FR.02
		s.answer(id, Status{Status: "OngoingAuthorizedTransaction"})
		return
	case c.cfg.Tethered:
		s.answer(id, Status{Status: "UnlockFailed", Reason: "FixedCable"})
		return
	case len(s.unlocks) >= maxUnlocks:
		s.answer(id, Status{Status: "UnlockFailed", Reason: "InternalError", Info: "too many unlock requests under way"})
		return
	}
	if e.is(c) {
		e.keepLocked = false
		if r.Finish {
			s.finishFor(e)
		}
	}
	s.unlocks = append(s.unlocks, unlocking{id: id, ref: c.ref, until: s.now.Add(unlockPatience)})
	// The motor is told even if the plug seems free (F05.FR.06): a fresh permit without lock makes the guard open it.
	c.issued = false
	if e.tx != nil && e.is(c) {
		s.tellUnlock(e)
	}
	if !c.locked {
		s.finishUnlock(c.ref, "Unlocked")
	}
}

// finishFor ends the session of an EVSE so that its cable can be given back.
func (s *Station) finishFor(e *evse) {
	c := cause{trigger: term.TriggerUnlockCommand, reason: term.StopRemote}
	switch {
	case e.tx == nil && e.grant != nil:
		s.withdraw(e, c)
	case e.tx != nil && e.tx.Ending == nil && e.grant != nil:
		s.end(e, c)
	}
}

// tellUnlock tells the running transaction of the command.
func (s *Station) tellUnlock(e *evse) {
	if e.tx.Ending == nil && e.resume.IsZero() {
		s.update(e, term.TriggerUnlockCommand)
	}
}

// unlockResult answers when the lock has moved, or has not (F05.FR.04, F05.FR.05).
func (s *Station) unlockResult(e *evse, c *connector, ev LockChanged) {
	switch {
	case ev.Failed:
		s.finishUnlock(c.ref, "UnlockFailed")
	case !ev.Locked:
		s.finishUnlock(c.ref, "Unlocked")
	}
}

func (s *Station) finishUnlock(ref term.Ref, status string) {
	s.unlocks = slices.DeleteFunc(s.unlocks, func(u unlocking) bool {
		if u.ref == ref {
			s.answer(u.id, Status{Status: status})
		}
		return u.ref == ref
	})
}

func (s *Station) unlockTimers() {
	for i := 0; i < len(s.unlocks); {
		if u := s.unlocks[i]; s.due(u.until) {
			s.finishUnlock(u.ref, "UnlockFailed")
			continue
		}
		i++
	}
}

func (s *Station) unlockDeadline() time.Time {
	var d time.Time
	for _, u := range s.unlocks {
		d = earliest(d, u.until)
	}
	return d
}
