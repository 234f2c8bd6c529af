package station

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evsed/evsed/station/reserve"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// reservations are what is promised to drivers (block H). There are never more than EVSEs.
type reservations struct {
	list  reserve.List
	spent []spent
	plan  plan
}

// spent is a reservation that a driver has used (H03.FR.09) and that no transaction has told yet. Its record stays until
// then: after a power cut the card means nothing any more, and the promise stands again.
type spent struct {
	reserve.Reservation
	grant *transaction.Grant
}

// Words of ReservationStatus (ReservationUpdateStatusEnumType).
const (
	reservationExpired       = "Expired"
	reservationRemoved       = "Removed"
	reservationNoTransaction = "NoTransaction"
)

// reserveNow (H01). One that is refused leaves the reservation that it would have replaced as it was.
func (s *Station) reserveNow(r ReserveNow) Status {
	switch {
	case s.boot.status != RegistrationAccepted:
		return rejected("CSNotAccepted", "")
	case !s.settings.reserving: // H01.FR.01
		return rejected("NotEnabled", "reservations are switched off")
	case r.EVSE == 0 && !s.settings.reserveAny: // H01.FR.19
		return rejected("UnsupportedParam", "a reservation must name its EVSE")
	case r.EVSE != 0 && s.evse(r.EVSE) == nil:
		return rejected("UnknownEvse", "")
	case r.ConnectorType != "" && !s.hasType(r.EVSE, r.ConnectorType):
		return rejected("UnknownConnectorType", "")
	case !r.Expiry.After(s.wall()):
		return rejected("InvalidValue", "the reservation would have expired already")
	case s.storage != "": // what cannot be kept is not promised
		return Status{Status: string(StatusUnavailable), Reason: "OutOfStorage", Info: s.storage}
	}
	if st := s.reservable(r); st != "" {
		return Status{Status: st}
	}
	s.forgetSpent(r.ID)
	if e := s.evse(r.EVSE); e != nil && e.reserved { // a CSMS that replaces a reservation looks for the status that follows (TC_H_23)
		e.forgetTold()
	}
	kept := s.reserved.list.Add(reserve.Reservation{ID: r.ID, EVSE: r.EVSE, Type: r.ConnectorType, Expiry: r.Expiry.UTC(), Token: r.Token, Group: r.Group})
	s.record(BucketReservation, reservationKey(r.ID), kept.Marshal())
	s.out.MustSync = true
	return accepted()
}

// forgetTold has the statuses of an EVSE told again.
func (e *evse) forgetTold() {
	for j := range e.conns {
		e.conns[j].status.told = ConnectorView{}
	}
}

// hasType reports whether an EVSE, or with 0 any EVSE, has a connector of a type.
func (s *Station) hasType(id term.EVSEID, kind string) bool {
	for i := range s.evses {
		e := &s.evses[i]
		if id != 0 && id != e.cfg.ID {
			continue
		}
		for j := range e.conns {
			if e.conns[j].cfg.Type == kind {
				return true
			}
		}
	}
	return false
}

// reservable returns the word of ReserveNowStatusEnumType that refuses a reservation, "" where it can be had.
func (s *Station) reservable(r ReserveNow) string {
	if st := s.bestTarget(r); st != StatusAvailable { // H01.FR.11, H01.FR.12, H01.FR.14
		return string(st)
	}
	wants := wantsOf(s.standing(), &reserve.Reservation{ID: r.ID}) // H01.FR.02
	wants = append(wants, reserve.Want{EVSE: r.EVSE, Type: r.ConnectorType})
	wants = s.waitingWants(wants)
	if !s.reserved.plan.Serves(s.places(nil), wants) { // each one that is free is promised, or waited for (H01.FR.07, H01.FR.09)
		return string(StatusOccupied)
	}
	return ""
}

// bestTarget returns the best status among the connectors that a reservation is meant for.
func (s *Station) bestTarget(r ReserveNow) ConnectorStatus {
	best := ConnectorStatus("")
	for i := range s.evses {
		e := &s.evses[i]
		if r.EVSE != 0 && r.EVSE != e.cfg.ID {
			continue
		}
		for j := range e.conns {
			c := &e.conns[j]
			if r.ConnectorType != "" && c.cfg.Type != r.ConnectorType {
				continue
			}
			st := s.statusOf(e, c)
			switch {
			case st == StatusReserved && s.givesUp(e, r): // by itself
				st = StatusAvailable
			case st == StatusReserved, st == StatusAvailable && !s.idle(e):
				st = StatusOccupied
			}
			if best == "" || rank(st) < rank(best) {
				best = st
			}
		}
	}
	return best
}

// givesUp reports whether an EVSE is held back for nobody but the reservation that r replaces (H01.FR.02).
func (s *Station) givesUp(e *evse, r ReserveNow) bool {
	old := s.reserved.list.Get(r.ID)
	if old == nil {
		return false
	}
	if old.EVSE == e.cfg.ID {
		return true
	}
	return s.spares(e, &reserve.Reservation{ID: r.ID})
}

// cancelReservation (H02). The CSMS knows of it, so that nothing more is told (H02, remark).
func (s *Station) cancelReservation(r CancelReservation) Status {
	if _, ok := s.reserved.list.Remove(r.ID); !ok { // H02.FR.01
		return rejected("NotFound", "")
	}
	s.dropReservationRecord(r.ID)
	return accepted()
}

func reservationKey(id int) string { return strconv.Itoa(id) }

func (s *Station) dropReservationRecord(id int) {
	s.record(BucketReservation, reservationKey(id), nil)
	s.out.MustSync = true
}

// endReservation takes a reservation that ended by itself out of the list, and tells it.
func (s *Station) endReservation(id int, status string) {
	s.reserved.list.Remove(id)
	s.tellReservation(id, status)
}

func (s *Station) tellReservation(id int, status string) {
	s.dropReservationRecord(id)
	s.report(Kept, "", ReservationStatus{ID: id, Status: status})
}

// reservationsOf returns the ids of the reservations for a token.
func (s *Station) reservationsOf(t term.IdToken) []int {
	var ids []int
	for i := range s.reserved.list.All() {
		if r := &s.reserved.list.All()[i]; r.Token.Equal(t) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (s *Station) restoreReservation(r Record) error {
	v, err := reserve.Unmarshal(r.Value)
	if err != nil {
		return err
	}
	if r.Key != reservationKey(v.ID) { // it could never be deleted
		return fmt.Errorf("reservation %d under the key %q", v.ID, r.Key)
	}
	s.reserved.list.Restore(v)
	return nil
}

// useReservation makes a grant the use of a reservation, nil for none (H03.FR.09): no EVSE is held back for it any more
// (H03.FR.10). It returns the type of connector that was reserved.
func (s *Station) useReservation(g *transaction.Grant, r *reserve.Reservation) (kind string) {
	if r == nil {
		return ""
	}
	used, _ := s.reserved.list.Remove(r.ID)
	g.Reservation = &used.ID
	s.reserved.spent = append(s.reserved.spent, spent{used, g})
	return used.Type
}

// settleSpent ends what drivers have used: with the transaction that told it (H01.FR.15), or without one (H03.FR.11).
func (s *Station) settleSpent() {
	list := s.reserved.spent[:0]
	for _, u := range s.reserved.spent {
		switch {
		case u.grant.Told:
			s.dropReservationRecord(u.ID)
		case !s.inForce(u.grant):
			s.tellReservation(u.ID, reservationNoTransaction)
		default:
			list = append(list, u)
		}
	}
	clear(s.reserved.spent[len(list):])
	s.reserved.spent = list
}

// forgetSpent lets go of a used reservation whose id is given to a new one.
func (s *Station) forgetSpent(id int) {
	for i := range s.reserved.spent {
		if u := &s.reserved.spent[i]; u.ID == id {
			u.grant.Reservation = nil
			s.reserved.spent = append(s.reserved.spent[:i], s.reserved.spent[i+1:]...)
			return
		}
	}
}

// inForce reports whether an authorization still waits for its car, or has an EVSE.
func (s *Station) inForce(g *transaction.Grant) bool {
	for i := range s.evses {
		if s.evses[i].grant == g {
			return true
		}
	}
	for i := range s.queue {
		if s.queue[i].grant == g {
			return true
		}
	}
	return false
}

// settleReservations ends the reservations that have expired (H04.FR.01), while they are switched off too, and those that
// can be kept no longer (H01.FR.16, H01.FR.17), and finds out which EVSEs are held back now.
func (s *Station) settleReservations() {
	r := &s.reserved
	s.settleSpent()
	if r.list.Len() == 0 && !r.plan.holding {
		return
	}
	wall := s.wall()
	for i := 0; i < r.list.Len(); {
		if v := &r.list.All()[i]; v.Expired(wall) {
			s.endReservation(v.ID, reservationExpired)
			continue
		}
		i++
	}
	for s.planReservations() {
	}
}

// reservationDeadline is when the next reservation expires, monotonic.
func (s *Station) reservationDeadline() time.Time {
	next := s.reserved.list.Next()
	if next.IsZero() {
		return next
	}
	return s.now.Add(max(next.Sub(s.wall()), 0))
}
