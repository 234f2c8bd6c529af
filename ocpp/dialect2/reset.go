package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// reset reads B11 and B12; without an EVSE it is the station.
func reset(m *msg2.ResetRequest) station.Request {
	return station.Reset{Kind: station.ResetKind(m.Type), EVSE: term.EVSEID(m.EVSEID.V)}
}
