package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/evsed/evsed/station"
)

// AuthRefusedEvery is the least time between two AuthRefused events of one slot: each is a security event.
const AuthRefusedEvery = time.Hour

// dialing is an attempt to connect that is under way.
type dialing struct {
	profile Profile
	cut     bool // the network went down meanwhile
	cancel  context.CancelFunc
	result  chan dialed
}

type dialed struct {
	conn *conn
	offer
	tls *security
	err error
}

// dialIfDue begins an attempt to connect. The one before has been closed by then (B10.FR.06), and the core has heard of
// it.
func (o *owner) dialIfDue(ctx context.Context) {
	now := o.o.Now()
	p, ok := o.plan.profile()
	if !ok || !o.mayDial() || now.Before(o.dialAt) {
		return
	}
	o.stats.Dials++
	o.status.Slot = p.Slot
	e, err := newEndpoint(p, o.plan.cfg.identity(p), o.o.Dialects, o.plan.cfg.Quirks)
	switch {
	case err != nil:
	case p.SecurityProfile < o.plan.cfg.Level: // never dialled again (A05.FR.06)
		err = &ProfileError{p.Slot, "NoSecurityDowngrade", fmt.Sprintf("security profile %d, the station has used %d", p.SecurityProfile, o.plan.cfg.Level)}
	default:
		e.tls, err = newSecurity(p, e.hostOf(), o.plan.cfg, o.clock, o.o.Now)
	}
	if err != nil {
		o.dialAt = now.Add(o.plan.unusable())
		o.o.Log.Warn("network profile cannot be used", "slot", p.Slot, "err", err)
		return
	}
	if g, ok := o.e.generation(); ok && !o.free { // docs/design/0012
		e.offer = kin(e.offer, g)
	}
	o.status.URL = e.url
	o.dialing = o.dial(ctx, p, e)
}

func (o *owner) mayDial() bool {
	return o.network && o.conn == nil && o.dialing == nil && o.ended == nil && len(o.events) == 0
}

func (o *owner) dial(ctx context.Context, p Profile, e endpoint) *dialing {
	ctx, cancel := context.WithCancel(ctx)
	d := &dialing{profile: p, cancel: cancel, result: make(chan dialed, 1)}
	dial, limit, ping := o.o.Dial, frameLimit(o.plan.cfg.Limits), o.plan.cfg.PingInterval
	timeout := o.o.Real(o.plan.cfg.engine(p).filled().MessageTimeout)
	go func() {
		life := &life{}
		if e.soap != nil {
			c, err := dialSOAP(ctx, e, dial, life, limit, timeout)
			d.result <- dialed{conn: c, offer: e.offer[0], tls: e.tls, err: err}
			return
		}
		ws, taken, err := dialWebSocket(ctx, e, dial, life)
		if err != nil {
			d.result <- dialed{err: err}
			return
		}
		d.result <- dialed{conn: startConn(ws, life, limit, ping), offer: taken, tls: e.tls}
	}()
	return d
}

// dialled takes the outcome of an attempt.
func (o *owner) dialled(r dialed) {
	now, p, cut := o.o.Now(), o.dialing.profile, o.dialing.cut
	o.dialing.cancel()
	o.dialing = nil
	switch {
	case r.err != nil && cut:
		return
	case r.err != nil:
		o.dialFailed(now, p, r.err)
		return
	case cut:
		r.conn.shut(nil)
		o.ended = r.conn.done
		return
	}
	o.conn, o.tls, o.profile, o.opened, o.worked = r.conn, r.tls, p, now, false
	o.stats.Opened++
	if _, soap := r.dialect.(soapDialect); !soap { // which shows the password with each call
		delete(o.refused, p.Slot)
	}
	o.status = Status{Open: true, URL: o.status.URL, Subprotocol: r.name, Slot: p.Slot}
	o.o.Log.Info("link up", "slot", p.Slot, "url", o.status.URL, "ocpp", r.name)
	o.feed(o.e.Configure(now, o.plan.cfg.engine(p)))
	out := o.e.Opened(now, r.dialect, p.Slot, p.SecurityProfile)
	o.identify(now, out)
	o.feed(out)
}

func (o *owner) dialFailed(now time.Time, p Profile, err error) {
	var speechless *SubprotocolError
	wait := o.plan.failed()
	o.dialAt = now.Add(wait)
	why := err.Error()
	if d := (*Distrust)(nil); errors.As(err, &d) { // what to do about it is told once an hour
		why = d.Code
	}
	o.o.Log.Warn("dial CSMS", "slot", p.Slot, "url", o.status.URL, "err", why, "next", wait)
	var refused *RefusedError
	if errors.As(err, &speechless) || errors.As(err, &refused) {
		o.free = true
	}
	o.turnedAway(now, p.Slot, refused)
	o.distrusts(now, p.Slot, err)
}

// turnedAway tells the core that the CSMS does not take the station's password, at a handshake or at a call over SOAP. A
// refusal of another kind is none of the password.
func (o *owner) turnedAway(now time.Time, slot int, refused *RefusedError) {
	if refused != nil && refused.Status == http.StatusUnauthorized {
		o.unknownHere(now, slot)
	}
}

// unknownHere tells the core that the CSMS takes neither password nor certificate, at most once an hour.
func (o *owner) unknownHere(now time.Time, slot int) {
	if told, ok := o.refused[slot]; !ok || now.Sub(told) >= AuthRefusedEvery {
		o.refused[slot] = now
		o.events = append(o.events, station.AuthRefused{Slot: slot})
	}
}
