package stationtest

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

func parseReserveNow(b *Bench, l line) (station.Request, error) {
	id, err := l.number("id")
	if err != nil {
		return nil, err
	}
	evse, err := l.number("evse")
	if err != nil {
		return nil, err
	}
	in, err := l.duration("in", time.Hour)
	r := station.ReserveNow{ID: id, EVSE: term.EVSEID(evse), ConnectorType: l.keys["type"], Token: token(l.keys["token"]), Expiry: b.wall().Add(in)}
	if g := l.keys["group"]; g != "" {
		r.Group = term.IdToken{Value: g, Type: term.TokenCentral}
	}
	return r, err
}

// promises are the reservations as the CSMS knows them: accepted, and neither cancelled nor told to have ended.
type promises struct {
	asked map[station.RequestID]station.Request
	made  map[int]promise
	off   bool // reservations were switched off at some time
}

type promise struct {
	station.ReserveNow
	from time.Time // wall time
}

func (p *promises) init() {
	p.asked, p.made = map[station.RequestID]station.Request{}, map[int]promise{}
}

// request notes what the CSMS asks for.
func (p *promises) request(ev station.RequestReceived) {
	switch r := ev.Request.(type) {
	case station.ReserveNow, station.CancelReservation:
		p.asked[ev.ID] = r
	case station.SetVariables:
		for _, it := range r.Items {
			p.off = p.off || it.Component.Name == "ReservationCtrlr"
		}
	}
}

// answered notes what the CSMS knows now: an answer comes behind the record.
func (p *promises) answered(b *Bench, r station.Response) {
	asked := p.asked[r.ID]
	delete(p.asked, r.ID)
	if st, ok := r.Body.(station.Status); !ok || st.Status != "Accepted" {
		return
	}
	switch q := asked.(type) {
	case station.ReserveNow:
		p.made[q.ID] = promise{q, b.wall()}
		if n := b.store.count(station.BucketReservation); n > 2*len(b.cfg.EVSEs) { // those in force, and those just used
			b.check.fail(b, "%d reservations for %d EVSEs", n, len(b.cfg.EVSEs))
		}
	case station.CancelReservation:
		delete(p.made, q.ID)
	}
}

// lostPower forgets what the CSMS was about to change: it cannot know whether that has happened.
func (p *promises) lostPower() {
	for _, r := range p.asked {
		switch r := r.(type) {
		case station.ReserveNow:
			delete(p.made, r.ID)
		case station.CancelReservation:
			delete(p.made, r.ID)
		}
	}
	clear(p.asked)
}

// heard notes how a reservation ended as the CSMS hears it, and looks whether anybody else has used it.
func (p *promises) heard(b *Bench, body station.ReportBody) {
	switch r := body.(type) {
	case station.ReservationStatus:
		delete(p.made, r.ID)
	case *station.TransactionEvent:
		if r.HasReservation {
			p.used(b, r)
			delete(p.made, r.ReservationID)
		} else if r.Trigger == term.TriggerAuthorized || r.Trigger == term.TriggerRemoteStart {
			p.taken(b, r)
		}
	}
}

// used: only the token of a reservation, or one of its group, uses it, and only where it was made for.
func (p *promises) used(b *Bench, ev *station.TransactionEvent) {
	was, ok := p.made[ev.ReservationID]
	if !ok || ev.At.Before(was.from) { // its number was given to another one meanwhile
		return
	}
	group := b.csms.info(ev.Token).Group
	if mine := was.Token.Equal(ev.Token) || !was.Group.IsZero() && (ev.HasRemoteStart || was.Group.Equal(group)); !mine {
		b.check.fail(b, "reservation %d of %s was used by %s", was.ID, was.Token.Value, ev.Token.Value)
	}
	if was.EVSE != 0 && was.EVSE != ev.Ref.EVSE {
		b.check.fail(b, "reservation %d of EVSE %d was used at %s", was.ID, was.EVSE, ev.Ref)
	}
}

// taken: nobody else begins a session at an EVSE that is reserved by its number.
func (p *promises) taken(b *Bench, ev *station.TransactionEvent) {
	if p.off || b.check.moved || b.offset != 0 || b.rtc != 0 {
		return
	}
	for id, was := range p.made {
		if was.EVSE != 0 && was.EVSE == ev.Ref.EVSE && ev.At.After(was.from) && ev.At.Before(was.Expiry) {
			b.check.fail(b, "%s began a session at %s, which reservation %d holds", ev.Token.Value, ev.Ref, id)
		}
	}
}

// settled: at the end of a story, when the CSMS has heard everything, each reservation that it knows is kept, and those
// whose time is over have ended.
func (p *promises) settled(b *Bench) error {
	for id, was := range p.made {
		if _, kept := b.store.durable[row{station.BucketReservation, fmt.Sprint(id)}]; !kept {
			return fmt.Errorf("reservation %d is gone and the CSMS does not know", id)
		}
		if !b.wall().Before(was.Expiry) && !b.check.moved && b.offset == 0 {
			return fmt.Errorf("reservation %d has expired and the CSMS does not know", id)
		}
	}
	return nil
}
