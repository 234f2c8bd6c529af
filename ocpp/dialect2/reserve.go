package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// reserveNow reads H01. An absent EVSE, or number 0, leaves open which one.
func reserveNow(m *msg2.ReserveNowRequest) (station.Request, error) {
	if m.IdToken.Type == "" {
		return nil, untyped("idToken")
	}
	r := station.ReserveNow{
		ID:            m.ID,
		Expiry:        m.ExpiryDateTime,
		EVSE:          term.EVSEID(m.EVSEID.V),
		ConnectorType: strings.Clone(string(m.ConnectorType)),
		Token:         tokenOf(&m.IdToken),
		Info:          additionalOf(&m.IdToken),
	}
	if m.GroupIdToken.Has {
		r.Group = tokenOf(&m.GroupIdToken.V)
	}
	return r, nil
}

// reservationStatus tells H04. 2.0.1 has no word for a reservation that was used without a transaction; that it is
// there no longer is true as well. A number below 0, which 1.6 may give, no CSMS of 2.x has made: there is nobody to tell.
func (d *Dialect) reservationStatus(b *station.ReservationStatus) msg2.Message {
	if b.ID < 0 {
		return nil
	}
	status := msg2.ReservationUpdateStatus(b.Status)
	if d.v == rpc.V201 && status == msg2.ReservationUpdateStatusNoTransaction {
		status = msg2.ReservationUpdateStatusRemoved
	}
	return &msg2.ReservationStatusUpdateRequest{ReservationID: b.ID, ReservationUpdateStatus: status}
}
