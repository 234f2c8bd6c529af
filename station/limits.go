package station

import (
	"slices"
	"strconv"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// bounds is what limits the current of one EVSE now.
type bounds struct {
	arbiter  *limit.Arbiter
	profiles schedule.Limit // what the profiles said at the last look
	share    unit.Current   // of the station's limit, -1 while there is none
	cable    unit.Current   // rating of the cable in use, 0 for none
	verdict  limit.Verdict
	told     unit.Current // limit of which the CSMS knows while the car charges, 0 for none
	outside  [limit.Owners]outside
	trailing unit.Current // what the car may still draw until follows, since its offer was just lowered
	follows  time.Time    // monotonic
}

// Stable codes of what limits an EVSE; a profile is told as its purpose and id, such as TxProfile/7.
const (
	limitBoard   = "board"
	limitCable   = "cable-rating"
	limitShare   = "station-share"
	limitMinimum = "below-minimum" // less than a control pilot can offer
)

func newBounds(most unit.Current) bounds {
	a := limit.New(limit.Value{Max: most}, limitBoard)
	v, _ := a.Limit(time.Time{})
	return bounds{arbiter: a, verdict: v, share: -1}
}

// offers is what may be offered: the least of all claims, or nothing where that is below what the pilot can say (IEC
// 61851-1 Annex A).
func (b *bounds) offers() unit.Current {
	if b.verdict.Max < MinOffer {
		return 0
	}
	return b.verdict.Max
}

// reason tells people whose limit it is, "CSMS TxProfile/7"; "" for the board's own.
func (b *bounds) reason() string {
	s := b.verdict.Owner.String() + " " + b.verdict.Reason
	if b.verdict.Owner == limit.Board {
		return ""
	}
	if b.verdict.Max < MinOffer && b.verdict.Max > 0 {
		s += " " + limitMinimum
	}
	return s
}

// maxRounds bounds how often one step looks at the limits again because a session began or ended by them.
const maxRounds = 4

// applyLimits brings what each EVSE may offer up to what cable, profiles and the other EVSEs allow now.
func (s *Station) applyLimits() {
	for range maxRounds {
		if !s.lookAtLimits() {
			return
		}
	}
}

// lookAtLimits reports whether something followed from the limits, after which they may be others.
func (s *Station) lookAtLimits() (again bool) {
	for i := range s.evses {
		e := &s.evses[i]
		if e.grant == nil {
			e.starting = nil
		}
		s.followTransaction(e)
		s.claimCable(e)
	}
	ch := &s.charging
	ch.next = time.Time{}
	if s.settings.smart && ch.set.Len() > 0 || ch.limited || s.claimed() {
		s.claimProfiles()
		s.claimShares()
	}
	for i := range s.evses {
		again = s.judge(&s.evses[i]) || again
	}
	return again
}

func (s *Station) claimCable(e *evse) {
	rating := unit.Current(0)
	if e.active >= 0 {
		rating = e.conns[e.active].rating
	}
	if e.bounds.cable == rating {
		return
	}
	e.bounds.cable = rating
	if rating == 0 {
		e.bounds.arbiter.Drop(limit.Cable)
		return
	}
	e.bounds.arbiter.Set(s.now, limit.Cable, limit.Claim{Value: limit.Value{Max: rating}, Reason: limitCable})
}

// claimProfiles sets what the profiles say of each EVSE now, and when they may say something else.
func (s *Station) claimProfiles() {
	ch := &s.charging
	ch.limited = false
	wall := s.wall()
	for i := range s.evses {
		e := &s.evses[i]
		var l schedule.Limit
		if s.settings.smart {
			var until time.Time
			l, until = ch.set.Limit(e.cfg.ID, wall)
			s.lookAgain(until, wall)
		}
		ch.limited = ch.limited || l.Purpose != ""
		switch {
		case l == e.bounds.profiles:
			continue
		case l.Purpose == "":
			e.bounds.arbiter.Drop(limit.CSMS)
		default:
			e.bounds.arbiter.Set(s.now, limit.CSMS, limit.Claim{Value: limit.Value{Max: l.Max}, Reason: string(l.Purpose) + "/" + strconv.Itoa(l.Profile)})
		}
		e.bounds.profiles = l
	}
}

// lookAgain notes that a limit may change at a wall time.
func (s *Station) lookAgain(until, wall time.Time) {
	if !until.IsZero() {
		s.charging.next = earliest(s.charging.next, s.now.Add(until.Sub(wall)))
	}
}

// claimShares divides what the whole station may draw among the EVSEs that want it: all the same, but the sessions that
// began first come first where there is not enough for all (K04). The amperes are those of one phase, and every EVSE
// counts as if it were on that phase, so that no phase carries more than the limit.
func (s *Station) claimShares() {
	total := s.stationLimit()
	if total < 0 {
		for i := range s.evses {
			s.evses[i].setShare(s.now, -1)
		}
		return
	}
	ch := &s.charging
	ch.limited = true
	ch.want, ch.got = ch.want[:0], ch.got[:0]
	queue := s.wanting()
	for _, e := range queue {
		ch.want, ch.got = append(ch.want, s.without(e, limit.LoadBalancer)), append(ch.got, 0)
	}
	want, got := ch.want, ch.got
	limit.Share(total, MinOffer, want, got)
	s.holdBack(total, queue, got)
	for i := range s.evses {
		e := &s.evses[i]
		share := unit.Current(-1)
		if j := slices.Index(queue, e); j >= 0 {
			if got[j] < want[j] { // else it is not the share that limits
				share = got[j]
			}
		} else if e.active >= 0 && s.mayCharge(e, &e.conns[e.active]) { // its session waits for a car: nothing until that comes
			share = 0
		}
		e.setShare(s.now, share)
	}
}

func (e *evse) setShare(now time.Time, share unit.Current) {
	if e.bounds.share == share {
		return
	}
	e.bounds.share = share
	if share < 0 {
		e.bounds.arbiter.Drop(limit.LoadBalancer)
		return
	}
	e.bounds.arbiter.Set(now, limit.LoadBalancer, limit.Claim{Value: limit.Value{Max: share}, Reason: limitShare})
}

// wanting lists the EVSEs that could charge, those whose session began first before the others.
func (s *Station) wanting() []*evse {
	es := s.charging.queue[:0]
	for i := range s.evses {
		if e := &s.evses[i]; e.active >= 0 && e.conns[e.active].car && s.mayCharge(e, &e.conns[e.active]) {
			es = append(es, e)
		}
	}
	slices.SortStableFunc(es, func(a, b *evse) int {
		switch {
		case a.tx == nil || b.tx == nil:
			return sign(a.tx == nil, b.tx == nil)
		default:
			return a.tx.StartedAt.Compare(b.tx.StartedAt)
		}
	})
	s.charging.queue = es
	return es
}

func sign(after, before bool) int {
	switch {
	case after == before:
		return 0
	case after:
		return 1
	}
	return -1
}

// without is what an EVSE could take but for the claim of one owner.
func (s *Station) without(e *evse, o limit.Owner) unit.Current {
	var rows [limit.Owners]limit.Row
	most := e.cfg.MaxCurrent
	for _, r := range e.bounds.arbiter.Why(s.now, rows[:0]) {
		if r.Owner != o {
			most = min(most, r.Counts.Max)
		}
	}
	return most
}

// holdBack keeps a raise from taking what another car may still draw: it has iec61851.FollowTime to come down after its
// offer was lowered (IEC 61851-1 Annex A), also one that draws nothing yet and begins in that time by what it read before.
func (s *Station) holdBack(total unit.Current, queue []*evse, got []unit.Current) {
	for j, e := range queue {
		now := e.issued()
		if got[j] <= now {
			continue
		}
		room := total
		for i := range s.evses {
			o := &s.evses[i]
			if o == e {
				continue
			}
			takes := unit.Current(0)
			if k := slices.Index(queue, o); k >= 0 {
				takes = got[k]
				if k > j { // its own raise is not decided yet
					takes = min(takes, o.issued())
				}
			}
			room -= max(takes, s.trail(o, takes))
		}
		if raised := min(got[j], max(room, now)); raised < got[j] {
			got[j] = raised
			if raised < MinOffer {
				got[j] = 0
			}
		}
	}
}

// issued is what an EVSE's permit allows now.
func (e *evse) issued() unit.Current {
	if e.active < 0 || !e.conns[e.active].permit.Close {
		return 0
	}
	return e.conns[e.active].permit.Max
}

// trail is what a car may still draw beyond its next offer, and notes when to look again.
func (s *Station) trail(e *evse, next unit.Current) unit.Current {
	most, until := unit.Current(0), time.Time{}
	if s.now.Before(e.bounds.follows) {
		most, until = e.bounds.trailing, e.bounds.follows
	}
	if now := e.issued(); now > next && (next > 0 || e.closed()) { // it is about to be lowered
		most, until = max(most, now), s.now.Add(iec61851.FollowTime)
	}
	s.charging.next = earliest(s.charging.next, until)
	return most
}

// lowered notes that an EVSE's offer has come down under a car that draws, or may do so.
func (s *Station) lowered(e *evse, was, is term.Permit) {
	if !was.Close || is.Close && is.Max >= was.Max || !is.Close && !e.closed() {
		return
	}
	b := &e.bounds
	if !s.now.Before(b.follows) {
		b.trailing = 0
	}
	b.trailing, b.follows = max(b.trailing, was.Max), s.now.Add(iec61851.FollowTime)
}

// judge lets an EVSE follow its limit: a session is suspended or goes on by it, and the CSMS hears of another rate.
func (s *Station) judge(e *evse) (again bool) {
	b := &e.bounds
	was := b.offers()
	var until time.Time
	if b.verdict, until = b.arbiter.Limit(s.now); !until.IsZero() {
		s.charging.next = earliest(s.charging.next, until)
	}
	is := b.offers()
	if is != was && (is == 0) != (was == 0) {
		s.progress(e, "")
		again = true
	}
	charges := e.tx != nil && e.tx.Ending == nil && e.resume.IsZero() && e.state == term.ChargingCharging && is > 0
	switch {
	case !charges:
		b.told = 0
	case b.told == 0:
		b.told = is
	case s.changedRate(b.told, is):
		b.told = is
		s.update(e, term.TriggerChargingRateChanged)
	}
	return again
}
