package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// RaisePause is the least time from one change of the duty cycle to the next raise: a vehicle may take 5 s to
// follow, and must not be chased. Less is always offered at once.
const RaisePause = 5 * time.Second

// FollowTime is how long a vehicle may take to come down after its offer was lowered.
const FollowTime = 5 * time.Second

// offer paces the pilot generator and remembers what the vehicle may still rightly draw.
type offer struct {
	duty    unit.Duty
	changed time.Time // of the generator; zero: never

	allowed unit.Current // highest offer of the last FollowTime, what over-current is judged by
	follow  time.Time    // when allowed comes down to pending; zero: it is the offer
	pending unit.Current
}

// update moves the generator to want, at once where that is less, after a pause where it is more. fresh: no
// vehicle is connected, so that the next one is offered its current without a pause.
func (o *offer) update(now time.Time, want unit.Duty, fresh bool, due *deadline) {
	old, _ := CurrentForDuty(o.duty)
	next, _ := CurrentForDuty(want)
	if want != o.duty {
		if again := o.changed.Add(RaisePause); next > old && !o.changed.IsZero() && now.Before(again) {
			due.at(again)
		} else {
			o.duty, o.changed, old = want, now, next
		}
	}
	if fresh && o.duty == unit.DutyHigh && now.Sub(o.changed) > pilotSettle {
		o.changed = time.Time{}
	}
	o.remember(now, old, due)
}

// remember lets allowed follow the offer: up at once, down after FollowTime.
func (o *offer) remember(now time.Time, offered unit.Current, due *deadline) {
	if offered >= o.allowed {
		o.allowed, o.follow = offered, time.Time{}
		return
	}
	if !o.follow.IsZero() && !now.Before(o.follow) {
		o.allowed, o.follow = max(o.pending, offered), time.Time{}
	}
	if offered < o.allowed && o.follow.IsZero() {
		o.follow, o.pending = now.Add(FollowTime), offered
	}
	if !o.follow.IsZero() {
		due.at(o.follow)
	}
}
