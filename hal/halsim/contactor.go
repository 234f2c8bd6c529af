package halsim

import "time"

// Times of a contactor of the size that a wallbox has.
const (
	closeTime  = 20 * time.Millisecond
	openTime   = 15 * time.Millisecond
	bounceTime = 4 * time.Millisecond
)

// contactor is a coil and a contact that follows it.
type contactor struct {
	coil    bool
	phases  uint8
	contact bool
	moves   time.Time // the contact lands; zero: it rests
	bounce  time.Time // the contact bounces until
	since   time.Time // the contact has been where it is
	welded  bool      // cannot open
	stuck   bool      // cannot close
}

// set energises or releases the coil.
func (k *contactor) set(now time.Time, on bool, phases uint8) {
	if on {
		k.phases = phases
	}
	if on == k.coil {
		return
	}
	k.coil = on
	k.plan(now)
}

// plan says when the contact follows the coil, if it can.
func (k *contactor) plan(now time.Time) {
	k.moves = time.Time{}
	switch {
	case k.coil == k.contact:
	case k.coil && !k.stuck:
		k.moves = now.Add(closeTime)
	case !k.coil && !k.welded:
		k.moves = now.Add(openTime)
	}
}

// act lands the contact if its time has come, and reports whether it did.
func (k *contactor) act(t time.Time) bool {
	if k.moves.IsZero() || t.Before(k.moves) {
		return false
	}
	k.contact, k.since, k.bounce, k.moves = k.coil, t, t.Add(bounceTime), time.Time{}
	return true
}

// mirror is what the mirror contact shows: the contact, chattering while it bounces.
func (k *contactor) mirror(now time.Time) bool {
	if now.Before(k.bounce) && now.Sub(k.since)/time.Millisecond%2 == 1 {
		return !k.contact
	}
	return k.contact
}
