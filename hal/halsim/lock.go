package halsim

import "time"

// lockTravel is how long the motor takes from one end to the other.
const lockTravel = 300 * time.Millisecond

// LockBehaviour is how a lock follows its motor.
type LockBehaviour uint8

// Behaviours of a lock.
const (
	LockNormal LockBehaviour = iota
	LockFailsToLock
	LockFailsToUnlock
)

// lock is a bistable motor lock: it stays where it is without power.
type lock struct {
	locked    bool
	command   bool
	moves     time.Time // reaches its end; zero: it rests
	behaviour LockBehaviour
	jammed    bool
}

// drive starts the motor.
func (l *lock) drive(now time.Time, locked bool) {
	l.command, l.moves = locked, time.Time{}
	if locked != l.locked {
		l.moves = now.Add(lockTravel)
	}
}

// act ends the travel if its time has come, and reports whether the lock has moved.
func (l *lock) act(t time.Time) bool {
	if l.moves.IsZero() || t.Before(l.moves) {
		return false
	}
	l.moves = time.Time{}
	if l.jammed || l.behaviour == LockFailsToLock && l.command || l.behaviour == LockFailsToUnlock && !l.command {
		return false
	}
	l.locked = l.command
	return true
}
