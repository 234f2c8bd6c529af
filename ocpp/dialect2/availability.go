package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// statusNotification tells the status of a connector (G01). The station as a whole has none in 2.x, and what leaves the word
// as it was is no news.
func statusNotification(b *station.StatusNotification) msg2.Message {
	if b.Ref.EVSE == 0 || b.Was.Status != "" && b.Was.Status == b.Status {
		return nil
	}
	return &msg2.StatusNotificationRequest{
		Timestamp:       b.At,
		ConnectorStatus: msg2.ConnectorStatus(b.Status),
		EVSEID:          int(b.Ref.EVSE),
		ConnectorID:     int(b.Ref.Connector),
	}
}

// changeAvailability reads G03 and G04; without an EVSE it is the station.
func changeAvailability(m *msg2.ChangeAvailabilityRequest) (station.Request, error) {
	ref, err := refOf(m.EVSE)
	if err != nil {
		return nil, err
	}
	return station.ChangeAvailability{Ref: ref, Operative: m.OperationalStatus == msg2.OperationalStatusOperative}, nil
}

// refOf reads which part of the station is meant; absent and EVSE 0 are the station. A connector of the station itself
// is nothing that could be meant. Numbers that no part has are the core's to refuse.
func refOf(e rpc.Opt[msg2.EVSE]) (term.Ref, error) {
	ref := term.Ref{EVSE: term.EVSEID(e.V.ID), Connector: term.ConnectorID(e.V.ConnectorID.V)}
	if ref.EVSE == 0 && ref.Connector != 0 {
		return term.Ref{}, invalid("evse.connectorId", "a connector of no EVSE")
	}
	return ref, nil
}
