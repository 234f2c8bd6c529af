package link

import (
	"errors"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// DistrustEvery is the least time between two CSMSDistrusted events with one cause of one slot.
const DistrustEvery = time.Hour

type distrustKey struct {
	slot       int
	kind, code string
}

// distrusts tells the core, and the log, why the CSMS is not trusted, or that it does not trust the station; other errors
// are neither.
func (o *owner) distrusts(now time.Time, slot int, err error) {
	var d *Distrust
	switch {
	case errors.As(err, &d):
	case certificateRefused(err):
		o.unknownHere(now, slot)
		return
	default:
		return
	}
	key := distrustKey{slot, d.Kind, d.Code}
	if told, ok := o.distrusted[key]; ok && now.Sub(told) < DistrustEvery {
		return
	}
	o.distrusted[key] = now
	o.o.Log.Warn("CSMS is not trusted", "slot", slot, "event", d.Kind, "cause", d.Code, "seen", d.Info, "cure", cures[d.Code])
	o.events = append(o.events, station.CSMSDistrusted{Slot: slot, Kind: d.Kind, Info: d.Code + ": " + d.Info})
}

// sameClock is how near two clocks are that somebody has told for the same time.
const sameClock = 24 * time.Hour

// believe takes a new clock for the judgement of certificates. A time that the CSMS tells is believed within the life of
// the certificate under which it tells it: otherwise a CSMS whose clock is wrong would shut itself out for good. One whose
// certificate was taken provisionally has to tell a time at which that is valid.
func (o *owner) believe(now time.Time, c Clock) {
	j := o.tls.last()
	at := c.at(now)
	switch {
	case j == nil:
		if d := o.disbelieved; d != nil && c.Set && (c.Offset-d.Offset).Abs() < sameClock {
			return
		}
	case !c.Set:
	case at.Before(j.From) || at.After(j.Until):
		o.disbelieve(now, c, j)
		return
	default:
		o.tls.confirm()
	}
	o.clock, o.disbelieved = c, nil
	if o.tls != nil {
		o.tls.clock.Store(&c)
	}
}

// disbelieve deals with a time at which the certificate of the open connection is not valid.
func (o *owner) disbelieve(now time.Time, c Clock, j *Judged) {
	if j.Provisional {
		d := distrust(CauseNotYetValid, "valid from %s, the time is %s", day(j.From), day(c.at(now)))
		if c.at(now).After(j.Until) {
			d = distrust(CauseExpired, "valid until %s, the time is %s", day(j.Until), day(c.at(now)))
		}
		o.closeSoon(now, Close{Code: codePolicy, Reason: "certificate"})
		o.distrusts(now, o.profile.Slot, d)
	}
	if o.disbelieved == nil {
		o.o.Log.Warn("the time is not believed for certificates: that of the CSMS is not valid then", "time", day(c.at(now)),
			"from", day(j.From), "until", day(j.Until))
	}
	o.disbelieved = &c
}

// confirm notes that the time is known and the certificate is valid.
func (s *security) confirm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.judged != nil && s.judged.Provisional {
		j := *s.judged
		j.Provisional = false
		s.judged = &j
	}
}

// identify completes what the core hears of a connection that has been opened: who vouched for whom.
func (o *owner) identify(now time.Time, out *Output) {
	j := o.tls.last()
	if j == nil {
		return
	}
	for i, ev := range out.Events {
		up, ok := ev.(station.LinkUp)
		if !ok {
			continue
		}
		up.Root = cert.SumOf(j.Path[len(j.Path)-1])
		if o.tls.profile == profileMTLS {
			up.Own = cert.SumOf(o.tls.trust.Chain[0])
		}
		if c := o.tls.clock.Load(); c.Set {
			up.Valid = c.at(now)
		}
		out.Events[i] = up
	}
}
