package bench

import "time"

// Mechanics of a contactor of the size that a wallbox has.
const (
	relayCloses  = 22 * time.Millisecond
	relayOpens   = 15 * time.Millisecond
	relayBounces = 4 * time.Millisecond
)

// relay is a coil, its main contacts and the mirror contact that they move.
type relay struct {
	coil    bool
	contact bool
	moves   time.Time // the contacts land; zero: they rest
	landed  time.Time
	welded  bool // cannot open
	jammed  bool // cannot close
}

// energise gives the coil a level.
func (r *relay) energise(now time.Time, on bool) {
	if on == r.coil {
		return
	}
	r.coil = on
	r.plan(now)
}

// plan says when the contacts follow the coil, if they can.
func (r *relay) plan(now time.Time) {
	r.moves = time.Time{}
	switch {
	case r.coil == r.contact:
	case r.coil && !r.jammed:
		r.moves = now.Add(relayCloses)
	case !r.coil && !r.welded:
		r.moves = now.Add(relayOpens)
	}
}

func (r *relay) next() time.Time { return r.moves }

func (r *relay) act(t time.Time) {
	if !r.moves.IsZero() && !t.Before(r.moves) {
		r.contact, r.landed, r.moves = r.coil, t, time.Time{}
	}
}

// mirror is where the mirror contact is: with the main contacts, chattering while they bounce.
func (r *relay) mirror(now time.Time) bool {
	if gone := now.Sub(r.landed); !r.landed.IsZero() && gone < relayBounces && gone/time.Millisecond%2 == 1 {
		return !r.contact
	}
	return r.contact
}
