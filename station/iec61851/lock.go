package iec61851

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// LockTravel is how long a lock's motor may take to reach its end.
const LockTravel = time.Second

// LockTries is how often the motor is driven before the lock has failed.
const LockTries = 3

// LockRetry is the time between further tries of a failed lock: a plug that was not pushed home may be by then.
const LockRetry = 30 * time.Second

// lockLostDelay is how long the feedback of a lock may be away while the contactor is closed.
const lockLostDelay = 50 * time.Millisecond

// lock drives the plug's lock and watches it follow.
type lock struct {
	started bool
	command bool
	pulse   bool      // drive in this step
	driven  time.Time // last pulse
	tries   uint8     // pulses since the command changed, without success
	failed  bool
	lost    bool      // was locked and is not, while energy is behind it
	away    time.Time // feedback has been away since; zero: it is there
}

// observe moves the lock toward want and returns FaultConnectorLock as cause while it fails.
func (l *lock) observe(now time.Time, locked, want bool, m *Machine, due *deadline) FaultSet {
	l.pulse = false
	if !m.cfg.HasLock {
		return 0
	}
	if !l.started {
		l.started, l.command = true, locked
	}
	if want != l.command && (!want || m.cable.state == CablePresent) {
		l.command, l.tries, l.away, l.lost = want, 0, time.Time{}, false
		l.drive(now, locked, due)
	} else if locked != l.command {
		l.retry(now, m.supply.command, locked, due)
	} else {
		l.tries, l.failed, l.lost, l.away = 0, false, false, time.Time{}
	}
	if l.failed || l.lost {
		return FaultsOf(term.FaultConnectorLock)
	}
	return 0
}

// retry handles a lock that is not where it shall be.
func (l *lock) retry(now time.Time, closed, locked bool, due *deadline) {
	if closed && l.command {
		if l.away.IsZero() {
			l.away = now
		}
		if lost := l.away.Add(lockLostDelay); now.Before(lost) {
			due.at(lost)
		} else {
			l.lost = true
		}
	}
	wait := LockTravel
	if l.tries >= LockTries {
		wait = LockRetry
	}
	if l.tries >= LockTries && now.Sub(l.driven) >= LockTravel {
		l.failed = true
	}
	if next := l.driven.Add(wait); now.Before(next) && !l.driven.IsZero() {
		due.at(next)
		if end := l.driven.Add(LockTravel); now.Before(end) {
			due.at(end)
		}
		return
	}
	l.drive(now, locked, due)
}

// drive pulses the motor unless the lock is where it shall be.
func (l *lock) drive(now time.Time, locked bool, due *deadline) {
	if locked == l.command {
		return
	}
	l.pulse, l.driven = true, now
	l.tries = min(l.tries+1, LockTries)
	due.at(now.Add(LockTravel))
}
