package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// status returns the response of an action that is answered by a status, nil for every other action. Each response has
// a status type of its own; its encoder refuses a word of another one.
func (d *Dialect) status(action string, s station.Status) msg2.Message {
	info := d.statusInfo(s.Reason, s.Info)
	switch action {
	case "CertificateSigned":
		return &msg2.CertificateSignedResponse{Status: msg2.CertificateSignedStatus(s.Status), StatusInfo: info}
	case "DeleteCertificate":
		return &msg2.DeleteCertificateResponse{Status: msg2.DeleteCertificateStatus(s.Status), StatusInfo: info}
	case "InstallCertificate":
		return &msg2.InstallCertificateResponse{Status: msg2.InstallCertificateStatus(s.Status), StatusInfo: info}
	case "ChangeAvailability":
		return &msg2.ChangeAvailabilityResponse{Status: msg2.ChangeAvailabilityStatus(s.Status), StatusInfo: info}
	case "ClearCache":
		return &msg2.ClearCacheResponse{Status: msg2.ClearCacheStatus(s.Status), StatusInfo: info}
	case "ClearChargingProfile":
		return &msg2.ClearChargingProfileResponse{Status: msg2.ClearChargingProfileStatus(s.Status), StatusInfo: info}
	case "CustomerInformation":
		return &msg2.CustomerInformationResponse{Status: msg2.CustomerInformationStatus(s.Status), StatusInfo: info}
	case "DataTransfer":
		return &msg2.DataTransferResponse{Status: msg2.DataTransferStatus(s.Status), StatusInfo: info}
	case "GetBaseReport":
		return &msg2.GetBaseReportResponse{Status: msg2.GenericDeviceModelStatus(s.Status), StatusInfo: info}
	case "GetChargingProfiles":
		return &msg2.GetChargingProfilesResponse{Status: msg2.GetChargingProfileStatus(s.Status), StatusInfo: info}
	case "GetReport":
		return &msg2.GetReportResponse{Status: msg2.GenericDeviceModelStatus(s.Status), StatusInfo: info}
	case "RequestStopTransaction":
		return &msg2.RequestStopTransactionResponse{Status: msg2.RequestStartStopStatus(s.Status), StatusInfo: info}
	case "CancelReservation":
		return &msg2.CancelReservationResponse{Status: msg2.CancelReservationStatus(s.Status), StatusInfo: info}
	case "ReserveNow":
		return &msg2.ReserveNowResponse{Status: msg2.ReserveNowStatus(s.Status), StatusInfo: info}
	case "Reset":
		return &msg2.ResetResponse{Status: msg2.ResetStatus(s.Status), StatusInfo: info}
	case "SendLocalList":
		return &msg2.SendLocalListResponse{Status: msg2.SendLocalListStatus(s.Status), StatusInfo: info}
	case "SetChargingProfile":
		return &msg2.SetChargingProfileResponse{Status: msg2.ChargingProfileStatus(s.Status), StatusInfo: info}
	case "SetNetworkProfile":
		return &msg2.SetNetworkProfileResponse{Status: msg2.SetNetworkProfileStatus(s.Status), StatusInfo: info}
	case "TriggerMessage":
		return &msg2.TriggerMessageResponse{Status: msg2.TriggerMessageStatus(s.Status), StatusInfo: info}
	case "UpdateFirmware":
		return &msg2.UpdateFirmwareResponse{Status: msg2.UpdateFirmwareStatus(s.Status), StatusInfo: info}
	case "UnlockConnector":
		return &msg2.UnlockConnectorResponse{Status: msg2.UnlockStatus(s.Status), StatusInfo: info}
	}
	return nil
}

// Lengths of StatusInfoType.additionalInfo, in characters.
const (
	maxInfo201 = 512
	maxInfo21  = 1024
)

// statusInfo returns the reason of a status, absent where there is none. Text without a code gets the appendix' code
// for that case, because reasonCode is required.
func (d *Dialect) statusInfo(reason, text string) rpc.Opt[msg2.StatusInfo] {
	if reason == "" && text == "" {
		return rpc.Opt[msg2.StatusInfo]{}
	}
	if reason == "" {
		reason = "Unspecified"
	}
	m := msg2.StatusInfo{ReasonCode: reason}
	if text != "" {
		m.AdditionalInfo = rpc.Some(cut(text, d.pick(maxInfo201, maxInfo21)))
	}
	return rpc.Some(m)
}

// pick returns the limit of the dialect's version.
func (d *Dialect) pick(old, now int) int {
	if d.v == rpc.V201 {
		return old
	}
	return now
}

// cut returns the first max characters of s.
func cut(s string, max int) string {
	n := 0
	for i := range s {
		if n == max {
			return s[:i]
		}
		n++
	}
	return s
}

// optional returns s as a present value unless it is empty.
func optional(s string) rpc.Opt[string] { return rpc.Opt[string]{V: s, Has: s != ""} }
