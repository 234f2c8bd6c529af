package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// groups are the cards that belong to a fleet.
var groups = map[string]string{"ALICE": "FLEET", "BOB": "FLEET"}

// reservation is what the CSMS has asked for.
type reservation struct {
	id     int
	evse   term.EVSEID // 0: any
	kind   string      // of the connector; "": any
	expiry time.Time
	token  string
	group  string // "": the card alone

	accepted bool
	doubt    bool // a question that would change it has no answer yet
	spoiled  bool // something may have ended it: it was used, or its EVSE cannot be used
	again    bool // its id was given twice: what is told of it may mean either
}

func (r *reservation) serves(token string) bool {
	return r.token == token || r.group != "" && r.group == groups[token]
}

// reservations are the books of the CSMS about them.
type reservations struct {
	s       *sim
	list    []*reservation // in the order in which they were asked for
	haunted bool           // the device has lied: what was cancelled may be back
}

// clockError is by how much the station's clock may differ from the true one where nothing is wrong with either.
const clockError = 12 * time.Second

// sure reports whether a reservation is in force beyond doubt.
func (v *reservations) sure(r *reservation) bool {
	return r.accepted && !r.doubt && !r.spoiled && v.s.wall().Add(clockError).Before(r.expiry)
}

// spoil notes that the reservations of an EVSE, or with 0 all, may have ended.
func (v *reservations) spoil(e term.EVSEID) {
	for _, r := range v.list {
		if e == 0 || r.evse == 0 || r.evse == e {
			r.spoiled = true
		}
	}
}

// shown notes a card: it may have used a reservation. It reports whether there may be one for this very card.
func (v *reservations) shown(k card) (kept bool) {
	for _, r := range v.list {
		if r.serves(k.token) && (r.evse == 0 || v.s.check.covers(k, r.evse)) {
			r.spoiled = true
			kept = kept || r.token == k.token
		}
	}
	return kept
}

// step notes that the clock runs wrong: what expires by it may be over.
func (v *reservations) step() {
	if len(v.list) == 0 || v.s.plan.kinds&kindClock == 0 || !v.s.alive || v.s.core == nil {
		return
	}
	if off := v.s.csms.limits.clock() - v.s.wall().Unix(); off > int64(clockError/time.Second)-2 || off < -int64(clockError/time.Second)+2 {
		v.spoil(0)
	}
}

// forget takes out what is true of f.
func (v *reservations) forget(f func(*reservation) bool) { v.list = slices.DeleteFunc(v.list, f) }

// closes checks that a contactor may close as far as reservations go (I8): an EVSE that is reserved serves nobody but its driver
// (whose card spoils the reservation before), and there are as many left for the others as were promised.
func (v *reservations) closes(p *place) {
	need, left := 0, 0
	for _, r := range v.list {
		if !v.sure(r) {
			continue
		}
		if need++; r.evse == p.ref.EVSE {
			v.s.broken("I8", "the contactor of %v closed, and it is reserved for %s until %v", p.ref, r.token, r.expiry)
			return
		}
	}
	busy := map[term.EVSEID]bool{p.ref.EVSE: true}
	for _, o := range v.s.check.places {
		busy[o.ref.EVSE] = busy[o.ref.EVSE] || o.contact
	}
	for i := range v.s.plan.evses {
		if !busy[v.s.plan.evses[i].ID] {
			left++
		}
	}
	if need > left {
		v.s.broken("I8", "the contactor of %v closed, %d EVSEs are left and %d are promised", p.ref, left, need)
	}
}

// holds says what reservations make of the status of an EVSE that is not used: reserved, and whether that is beyond doubt.
func (v *reservations) holds(e term.EVSEID) (reserved, certain bool) {
	certain = !v.haunted
	for _, r := range v.list {
		switch {
		case v.sure(r) && r.evse == e:
			return true, true
		case r.evse == 0 || r.evse == e:
			certain = false
		}
	}
	return false, certain
}

// told takes a ReservationStatusUpdate.
func (v *reservations) told(id int) {
	v.forget(func(r *reservation) bool {
		r.spoiled = r.spoiled || r.id == id
		return r.id == id && r.accepted && !r.again
	})
}

// used takes a transaction event that names a reservation (H03.FR.09, I8).
func (v *reservations) used(id int, x *msg2.TransactionEventRequest) {
	for _, r := range v.list {
		if r.id == id && !r.again && x.IdToken.Has && !r.serves(x.IdToken.V.IdToken) {
			v.s.broken("I8", "%s used reservation %d, which is for %s", x.IdToken.V.IdToken, id, r.token)
		}
	}
	v.told(id)
}

// reserve lets the CSMS do something about reservations.
func (s *sim) reserve() {
	c := s.csms
	v := c.reservations
	v.forget(func(r *reservation) bool { return s.wall().Sub(r.expiry) > 2*day })
	switch n := s.rng.IntN(8); {
	case n < 5 || len(v.list) == 0:
		c.reserveNow()
	default:
		c.cancel(v.list[s.rng.IntN(len(v.list))].id)
	}
}

// reserveNow sends a ReserveNow, and often lets the driver come for whom it is.
func (c *csms) reserveNow() {
	s, v := c.s, c.reservations
	ref := pick(s, s.connectors()...)
	r := &reservation{id: c.calls, evse: ref.EVSE, token: tokens[s.rng.IntN(5)].value, expiry: c.clock().Add(s.between(5*time.Minute, 20*time.Hour)).Truncate(time.Second)}
	payload := ""
	if s.chance(3) {
		r.evse = 0
	} else {
		payload = fmt.Sprintf(`,"evseId":%d`, ref.EVSE)
	}
	if s.chance(4) {
		r.kind = s.plan.evses[ref.EVSE-1].Connectors[ref.Connector-1].Type
		payload += fmt.Sprintf(`,"connectorType":%q`, r.kind)
	}
	if g := groups[r.token]; g != "" && s.chance(2) {
		r.group = g
		payload += fmt.Sprintf(`,"groupIdToken":{"idToken":%q,"type":"Central"}`, g)
	}
	if len(v.list) > 0 && s.chance(4) {
		r.id, r.again = v.list[s.rng.IntN(len(v.list))].id, true
	}
	payload = fmt.Sprintf(`{"id":%d,"expiryDateTime":%q,"idToken":{"idToken":%q,"type":"ISO14443"}%s}`, r.id, r.expiry.UTC().Format(time.RFC3339), r.token, payload)
	others := v.others(r)
	if !c.ask("ReserveNow", payload, func(status string, _ *rpc.Frame) { v.answered(r, others, status) }) {
		return
	}
	for _, o := range v.list {
		if o.id == r.id {
			o.doubt, o.again = true, true
		}
	}
	v.list = append(v.list, r)
	if s.chance(2) {
		s.later(s.between(time.Minute, time.Hour), func() { s.come(r.token, ref) })
	}
}

// others are the reservations that stand beside a new one.
func (v *reservations) others(r *reservation) (sure []*reservation) {
	for _, o := range v.list {
		if o.id != r.id && v.sure(o) {
			sure = append(sure, o)
		}
	}
	return sure
}

// answered takes the answer to a ReserveNow: no EVSE is promised twice (H01.FR.07), and what is refused changes nothing (I6).
func (v *reservations) answered(r *reservation, others []*reservation, status string) {
	s := v.s
	s.count.checks++
	if status != "Accepted" {
		v.forget(func(o *reservation) bool { return o == r })
		for _, o := range v.list {
			if o.id == r.id {
				o.doubt = false
			}
		}
		return
	}
	s.count.reservations++
	r.accepted = true
	still := 0
	for _, o := range others {
		if !v.sure(o) {
			continue
		}
		if still++; r.evse != 0 && o.evse == r.evse {
			s.broken("I8", "EVSE %d is reserved twice, by %d and %d", r.evse, o.id, r.id)
		}
	}
	if still+1 > len(s.plan.evses) {
		s.broken("I8", "%d EVSEs, and %d are promised", len(s.plan.evses), still+1)
	}
	v.forget(func(o *reservation) bool { return o.id == r.id && o != r && o.accepted })
}

// cancel sends a CancelReservation. One that was accepted is there, whatever has happened to the station since; one that is not
// cannot be cancelled.
func (c *csms) cancel(id int) {
	s, v := c.s, c.reservations
	var must *reservation
	for _, r := range v.list {
		if r.id == id && v.sure(r) {
			must = r
		}
	}
	if !c.ask("CancelReservation", fmt.Sprintf(`{"reservationId":%d}`, id), func(status string, _ *rpc.Frame) {
		s.count.checks++
		switch {
		case status == "":
		case status != "Accepted" && must != nil && !must.spoiled && s.wall().Add(clockError).Before(must.expiry):
			s.broken("I8", "reservation %d was accepted and is gone", id)
		case status == "Accepted" && !v.haunted && !slices.ContainsFunc(v.list, func(r *reservation) bool { return r.id == id }):
			s.broken("I8", "reservation %d was cancelled, which had ended", id)
		default:
			v.forget(func(r *reservation) bool { return r.id == id })
		}
	}) {
		return
	}
	for _, r := range v.list {
		if r.id == id {
			r.doubt = true
		}
	}
}

// come lets the driver of a reservation come, where nobody is.
func (s *sim) come(token string, ref term.Ref) {
	for _, d := range s.drivers {
		if d.ref == ref && !d.busy && d.free() && !s.calm {
			d.guest = true
			d.visit(token)
		}
	}
}
