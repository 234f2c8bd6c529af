package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
)

// maxPulse bounds a motor's pulse: the machine of a connector takes a second for the most that a travel takes.
const maxPulse = time.Second

// lock is a motor with a line for each direction that is driven for a while, or a bolt that is held as long as it locks.
type lock struct {
	now    func() time.Time
	motor  [2]gpio.Output // towards unlocked and towards locked; a bolt has the second alone
	sense  gpio.Input
	pulse  time.Duration // 0: a bolt
	end    time.Time     // of the pulse that is under way
	driven bool
}

const (
	toUnlock = iota
	toLock
)

func (b *builder) lock() (any, error) {
	m, err := b.need(hal.RoleLockMotor)
	if err != nil {
		return nil, err
	}
	back, err := b.one(hal.RoleUnlockMotor)
	if err != nil {
		return nil, err
	}
	s, err := b.need(hal.RoleLockSense)
	if err != nil {
		return nil, err
	}
	l := &lock{now: b.k.Now, pulse: time.Duration(m.A) * time.Millisecond}
	if l.pulse < 0 || l.pulse > maxPulse {
		return nil, fmt.Errorf("%s: a pulse of %v: want 0 to %v", name(m), l.pulse, maxPulse)
	}
	if (back != nil) != (l.pulse > 0) {
		return nil, fmt.Errorf("%s: a pulse of %v wants a line for the way back, and a bolt has none", name(m), l.pulse)
	}
	if l.motor[toLock], err = b.output(m); err != nil {
		return nil, err
	}
	if back != nil {
		if l.motor[toUnlock], err = b.output(back); err != nil {
			return nil, err
		}
	}
	if l.sense, err = b.input(s, false); err != nil {
		return nil, err
	}
	return l, nil
}

// SetLocked drives towards locked or unlocked. A pulse ends in a later call of Locked.
func (l *lock) SetLocked(locked bool) error {
	if l.pulse == 0 {
		return l.motor[toLock].Set(locked)
	}
	if err := l.Rest(); err != nil { // never both
		return err
	}
	to := toUnlock
	if locked {
		to = toLock
	}
	l.driven, l.end = true, l.now().Add(l.pulse)
	return l.motor[to].Set(true)
}

// Locked reads the switch, and ends a pulse that has been long enough.
func (l *lock) Locked() (bool, error) {
	if l.driven && !l.now().Before(l.end) {
		if err := l.Rest(); err != nil {
			return false, err
		}
	}
	return l.sense.Get()
}

// Rest lets the motor go. A bolt stays as it is.
func (l *lock) Rest() error {
	if l.pulse == 0 {
		return nil
	}
	a, b := l.motor[toUnlock].Set(false), l.motor[toLock].Set(false)
	if a != nil || b != nil {
		return errTwoLines
	}
	l.driven = false
	return nil
}
