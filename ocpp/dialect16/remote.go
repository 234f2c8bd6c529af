package dialect16

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// remoteStart reads 1.6, 5.11. Without a connector the station chooses one. That the purpose of a profile is TxProfile the
// core knows.
func (d *Dialect) remoteStart(m *msg16.RemoteStartTransactionRequest, t *ocpp.Table) (station.Request, error) {
	r := station.RequestStart{Token: tokenOf(m.IdTag), HasProfile: m.ChargingProfile.Has, Loose: m.ChargingProfile.Has}
	if m.ConnectorID.Has {
		ref := d.topology.connector(m.ConnectorID.V)
		r.EVSE, r.Connector = ref.EVSE, ref.Connector
	}
	if r.HasProfile {
		var err error
		if r.Profile, err = profileOf(&m.ChargingProfile.V, t, "chargingProfile"); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// remoteStop reads 1.6, 5.12.
func remoteStop(m *msg16.RemoteStopTransactionRequest, t *ocpp.Table) station.Request {
	return station.RequestStop{Transaction: transactionOf(t, m.TransactionID)}
}

// unlockConnector reads 1.6, 5.18: a transaction there is finished first.
func (d *Dialect) unlockConnector(m *msg16.UnlockConnectorRequest) station.Request {
	return station.UnlockConnector{Ref: d.topology.connector(m.ConnectorID), Finish: true}
}

// unlockStatus answers 1.6, 5.18. There is one word for a connector without a lock and for none at all (errata 3.87).
func unlockStatus(s station.Status) msg16.UnlockStatus {
	switch {
	case s.Status == "UnknownConnector", s.Reason == "FixedCable":
		return msg16.UnlockStatusNotSupported
	case s.Status == "Unlocked":
		return msg16.UnlockStatusUnlocked
	}
	return msg16.UnlockStatusUnlockFailed
}

// changeAvailability reads 1.6, 5.2. Connector 0 is the station and all its connectors.
func (d *Dialect) changeAvailability(m *msg16.ChangeAvailabilityRequest) station.Request {
	return station.ChangeAvailability{
		Ref:       d.topology.ref(m.ConnectorID),
		Operative: m.Type == msg16.AvailabilityOperative,
		Deep:      m.ConnectorID == 0,
	}
}

// reserveNow reads 1.6, 5.13. Connector 0 is any. An EVSE is reserved as a whole: of several connectors it is one of the kind
// that is named which has to work.
func (d *Dialect) reserveNow(m *msg16.ReserveNowRequest) station.Request {
	ref := d.topology.ref(m.ConnectorID)
	return station.ReserveNow{
		ID:     m.ReservationID,
		Expiry: m.ExpiryDate,
		EVSE:   ref.EVSE,
		Token:  tokenOf(m.IdTag),
		Group:  parentOf(m.ParentIdTag),

		ConnectorType: d.kind(ref),
	}
}

// The core's names of what 1.6 calls otherwise.
const (
	triggerLog      = "LogStatusNotification"
	triggerFirmware = "FirmwareStatusNotification"
	triggerMeter    = "MeterValues"
	triggerSign     = "SignChargingStationCertificate"
)

// triggerMessage reads 1.6, 5.17. The connector of a message that concerns none is ignored; without one all are meant.
func (d *Dialect) triggerMessage(m *msg16.TriggerMessageRequest, t *ocpp.Table) station.Request {
	message := string(m.RequestedMessage)
	if m.RequestedMessage == msg16.MessageTriggerDiagnosticsStatusNotification {
		message = triggerLog
	}
	return d.trigger(message, m.ConnectorID, wordsOfCore, t)
}

// extendedTrigger reads the whitepaper's 5.5.
func (d *Dialect) extendedTrigger(m *msg16.ExtendedTriggerMessageRequest, t *ocpp.Table) station.Request {
	message := string(m.RequestedMessage)
	if m.RequestedMessage == msg16.ExtendedMessageTriggerSignChargePointCertificate {
		message = triggerSign
	}
	return d.trigger(message, m.ConnectorID, wordsOfWhitepaper, t)
}

func (d *Dialect) trigger(message string, connector msg16.Opt[int], words string, t *ocpp.Table) station.Request {
	r := station.TriggerMessage{Message: message, Sampled: message == triggerMeter}
	switch message {
	case triggerLog, triggerFirmware:
		t.Note(wordsRow+message, words)
	case triggerMeter:
		r.HasEVSE, r.Ref = connector.Has && connector.V != 0, term.Ref{EVSE: d.topology.ref(connector.V).EVSE}
	case "StatusNotification":
		r.HasEVSE, r.Ref = connector.Has, d.topology.ref(connector.V)
	}
	return r
}
