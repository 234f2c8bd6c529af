package dialect16

import (
	"fmt"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// Respond appends the payload of the CALLRESULT that answers action with body. A status word that is none of the action's
// own, or an answer to another kind of request, is a bug of the core and an error; dst comes back as it was.
func (d *Dialect) Respond(dst []byte, action string, req station.Request, body station.ResponseBody) ([]byte, error) {
	m := d.response(action, req, body)
	if m == nil {
		return dst, fmt.Errorf("respond to %s: %T is no answer to it", action, body)
	}
	out, err := msg16.AppendJSON(dst, m)
	if err != nil {
		return dst, fmt.Errorf("respond to %s: %w", action, err)
	}
	return out, nil
}

// response returns the message for a body, nil where the two do not belong together.
func (d *Dialect) response(action string, req station.Request, body station.ResponseBody) msg16.Message {
	var m msg16.Message
	switch b := body.(type) {
	case station.Status:
		return status(action, b)
	case station.StartStatus:
		m = &msg16.RemoteStartTransactionResponse{Status: msg16.RemoteStartStopStatus(b.Status.Status)}
	case station.Inventory:
		if r, ok := req.(station.ListVariables); ok {
			m = d.configuration(r, b.Rows)
		}
	case station.VariablesSet:
		m = configurationChanged(b.Results)
	case station.LocalListVersion:
		m = &msg16.GetLocalListVersionResponse{ListVersion: listVersion(b)}
	case station.Log:
		m = log(action, b)
	case station.InstalledCertificates:
		m = installedCertificates(b)
	case station.CompositeSchedule:
		m = d.compositeSchedule(b)
	}
	if m == nil || msg16.Action(m) != action {
		return nil
	}
	return m
}

// noList is the version of a station without a local list (1.6, 5.10); one that is switched off is none.
const noList = -1

func listVersion(b station.LocalListVersion) int {
	if b.Off {
		return noList
	}
	return b.Version
}

// status returns the response of an action that is answered by a status, nil for every other action. Each response has a
// status type of its own; its encoder refuses a word of another one. Reasons have no place in 1.6.
func status(action string, s station.Status) msg16.Message {
	switch action {
	case "CancelReservation":
		return &msg16.CancelReservationResponse{Status: msg16.CancelReservationStatus(s.Status)}
	case "CertificateSigned":
		return &msg16.CertificateSignedResponse{Status: msg16.CertificateSignedStatus(s.Status)}
	case "DeleteCertificate":
		return &msg16.DeleteCertificateResponse{Status: msg16.DeleteCertificateStatus(s.Status)}
	case "InstallCertificate":
		return &msg16.InstallCertificateResponse{Status: msg16.InstallCertificateStatus(s.Status)}
	case "ChangeAvailability":
		return &msg16.ChangeAvailabilityResponse{Status: msg16.AvailabilityStatus(s.Status)}
	case "ChangeConfiguration": // of the key SecurityProfile
		return &msg16.ChangeConfigurationResponse{Status: msg16.ConfigurationStatus(s.Status)}
	case "ClearCache":
		return &msg16.ClearCacheResponse{Status: msg16.ClearCacheStatus(s.Status)}
	case "ClearChargingProfile":
		return &msg16.ClearChargingProfileResponse{Status: msg16.ClearChargingProfileStatus(s.Status)}
	case "DataTransfer":
		return &msg16.DataTransferResponse{Status: msg16.DataTransferStatus(s.Status)}
	case "ExtendedTriggerMessage":
		return &msg16.ExtendedTriggerMessageResponse{Status: msg16.TriggerMessageStatus(s.Status)}
	case "GetCompositeSchedule":
		return &msg16.GetCompositeScheduleResponse{Status: msg16.GetCompositeScheduleStatus(s.Status)}
	case "RemoteStopTransaction":
		return &msg16.RemoteStopTransactionResponse{Status: msg16.RemoteStartStopStatus(s.Status)}
	case "ReserveNow":
		return &msg16.ReserveNowResponse{Status: msg16.ReservationStatus(s.Status)}
	case "Reset":
		return &msg16.ResetResponse{Status: msg16.ResetStatus(s.Status)}
	case "SendLocalList":
		if s.Reason == "NotEnabled" {
			return &msg16.SendLocalListResponse{Status: msg16.UpdateStatusNotSupported}
		}
		return &msg16.SendLocalListResponse{Status: msg16.UpdateStatus(s.Status)}
	case "SetChargingProfile":
		return &msg16.SetChargingProfileResponse{Status: msg16.ChargingProfileStatus(s.Status)}
	case "SignedUpdateFirmware":
		return &msg16.SignedUpdateFirmwareResponse{Status: msg16.UpdateFirmwareStatus(s.Status)}
	case "UpdateFirmware":
		return &msg16.UpdateFirmwareResponse{}
	case "TriggerMessage":
		return &msg16.TriggerMessageResponse{Status: msg16.TriggerMessageStatus(s.Status)}
	case "UnlockConnector":
		return &msg16.UnlockConnectorResponse{Status: unlockStatus(s)}
	}
	return nil
}
