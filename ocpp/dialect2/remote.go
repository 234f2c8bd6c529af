package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// requestStart reads F01 and F02. An absent EVSE leaves the choice to the station; a number that is given must be
// above 0 (RequestStartTransactionRequest.evseId), which the schema of 2.0.1 does not say.
func requestStart(m *msg2.RequestStartTransactionRequest) (station.Request, error) {
	if m.EVSEID.Has && m.EVSEID.V < 1 {
		return nil, invalid("evseId", "below 1")
	}
	if m.IdToken.Type == "" {
		return nil, untyped("idToken")
	}
	r := station.RequestStart{
		EVSE:          term.EVSEID(m.EVSEID.V),
		RemoteStartID: m.RemoteStartID,
		Token:         tokenOf(&m.IdToken),
		Info:          additionalOf(&m.IdToken),
		HasProfile:    m.ChargingProfile.Has,
	}
	if m.ChargingProfile.Has {
		var err error
		if r.Profile, r.Beyond, err = profileOf(&m.ChargingProfile.V, "chargingProfile"); err != nil {
			return nil, err
		}
	}
	if m.GroupIdToken.Has {
		r.Group = tokenOf(&m.GroupIdToken.V)
	}
	return r, nil
}

// startStatus answers F01 and F02; the id tells that a transaction had begun before (F01.FR.13).
func (d *Dialect) startStatus(s station.StartStatus) msg2.Message {
	return &msg2.RequestStartTransactionResponse{
		Status:        msg2.RequestStartStopStatus(s.Status.Status),
		StatusInfo:    d.statusInfo(s.Reason, s.Info),
		TransactionID: optional(string(s.Transaction)),
	}
}

// requestStop reads F03.
func requestStop(m *msg2.RequestStopTransactionRequest) station.Request {
	return station.RequestStop{Transaction: term.TransactionID(strings.Clone(m.TransactionID))}
}

// triggerMessage reads F06.
func triggerMessage(m *msg2.TriggerMessageRequest) (station.Request, error) {
	ref, err := refOf(m.EVSE)
	if err != nil {
		return nil, err
	}
	return station.TriggerMessage{Message: string(m.RequestedMessage), HasEVSE: ref.EVSE != 0, Ref: ref}, nil
}

// unlockConnector reads F05.
func unlockConnector(m *msg2.UnlockConnectorRequest) station.Request {
	return station.UnlockConnector{
		Ref: term.Ref{EVSE: term.EVSEID(m.EVSEID), Connector: term.ConnectorID(m.ConnectorID)},
	}
}
