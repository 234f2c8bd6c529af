package storage_test

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// reservations are those that the CSMS has asked for, by request, and those of which it knows the end.
type reservations struct {
	asked map[station.RequestID]int
	ended map[int]bool
}

// reserve asks for a reservation under a number of its own.
func (w *world) reserve(at term.EVSEID, token string) {
	r := &w.csms.reservations
	if r.asked == nil {
		r.asked, r.ended = map[station.RequestID]int{}, map[int]bool{}
	}
	n := len(r.asked)
	id := w.ask(station.ReserveNow{ID: n, EVSE: at, Expiry: w.wall().Add(time.Hour), Token: term.IdToken{Value: token, Type: term.TokenISO14443}}, true)
	r.asked[id] = n
}

// hear notes the end of a reservation.
func (r *reservations) hear(body station.ReportBody) {
	switch b := body.(type) {
	case station.ReservationStatus:
		r.ended[b.ID] = true
	case *station.TransactionEvent:
		if b.HasReservation {
			r.ended[b.ReservationID] = true
		}
	}
}

// audit: what was promised to the CSMS and has not ended is kept.
func (r *reservations) audit(w *world) {
	for _, id := range slices.Sorted(maps.Keys(r.asked)) {
		n := r.asked[id]
		if st, ok := w.said[id].Body.(station.Status); !ok || st.Status != "Accepted" || r.ended[n] {
			continue
		}
		if _, kept, err := w.store.Get(station.BucketReservation, strconv.Itoa(n)); !kept || err != nil {
			w.fail("reservation %d was accepted and is gone, %v", n, err)
		}
	}
}
