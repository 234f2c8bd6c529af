package dialect15

import (
	"bytes"

	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// statusWords are the words of 1.5 for those of 1.6 (1.6, 7.7: what was Occupied has become five).
var statusWords = map[msg16.ChargePointStatus]string{
	msg16.ChargePointStatusAvailable: "Available", msg16.ChargePointStatusPreparing: "Occupied", msg16.ChargePointStatusCharging: "Occupied",
	msg16.ChargePointStatusSuspendedEVSE: "Occupied", msg16.ChargePointStatusSuspendedEV: "Occupied", msg16.ChargePointStatusFinishing: "Occupied",
	msg16.ChargePointStatusReserved: "Reserved", msg16.ChargePointStatusUnavailable: "Unavailable", msg16.ChargePointStatusFaulted: "Faulted",
}

// Status returns the word of a version before 1.6 for a status of 1.6: one of five in 1.5, of four in 1.2, where a reserved
// connector is Occupied, since it cannot be had.
func Status(v soap.Version, s msg16.ChargePointStatus) string {
	word := statusWords[s]
	if v == soap.V12 && s == msg16.ChargePointStatusReserved {
		return "Occupied"
	}
	return word
}

// errorWords12 are the words of 1.2 for the error codes of 1.6. What it has no word for is an error of the power switch if
// it keeps the connector from charging, which is what its status says, and otherwise none.
var errorWords12 = map[msg16.ChargePointErrorCode]string{
	msg16.ChargePointErrorCodeNoError: "NoError", msg16.ChargePointErrorCodeConnectorLockFailure: "ConnectorLockFailure",
	msg16.ChargePointErrorCodeHighTemperature: "HighTemperature", msg16.ChargePointErrorCodeEVCommunicationError: "Mode3Error",
	msg16.ChargePointErrorCodePowerMeterFailure: "PowerMeterFailure", msg16.ChargePointErrorCodePowerSwitchFailure: "PowerSwitchFailure",
	msg16.ChargePointErrorCodeReaderFailure: "ReaderFailure", msg16.ChargePointErrorCodeResetFailure: "ResetFailure",
}

// ErrorCode returns the word of a version before 1.6 for an error code of 1.6 that comes with a status.
func ErrorCode(v soap.Version, code msg16.ChargePointErrorCode, s msg16.ChargePointStatus) string {
	if v == soap.V12 {
		word, known := errorWords12[code]
		switch {
		case known:
			return word
		case s == msg16.ChargePointStatusFaulted:
			return "PowerSwitchFailure"
		}
		return "NoError"
	}
	switch code {
	case msg16.ChargePointErrorCodeEVCommunicationError:
		return "Mode3Error" // as it was called
	case msg16.ChargePointErrorCodeInternalError, msg16.ChargePointErrorCodeLocalListConflict, msg16.ChargePointErrorCodeOverVoltage:
		return "OtherError"
	}
	return string(code)
}

// news reports whether a status says anything in this version that the CSMS does not know.
func (d *Dialect) news(b *station.StatusNotification) bool {
	if d.v == soap.V16 || b.Was.Status == "" {
		return true // dialect16 decides
	}
	return d.says(b.Was) != d.says(b.ConnectorView)
}

// said is what a StatusNotification says, time apart.
type said struct{ status, code, vendor, info string }

func (d *Dialect) says(v station.ConnectorView) said {
	s, t := dialect16.Status(v), dialect16.TroubleOf(v)
	w := said{status: Status(d.v, s), code: ErrorCode(d.v, t.Code, s)}
	if d.v != soap.V12 {
		w.vendor, w.info = t.Vendor, t.Info
	}
	return w
}

// told returns the payload of a status of firmware or diagnostics if the older versions have its word: they tell how it
// ended, and not that it began.
func told(action string, payload []byte) []byte {
	words := []string{"Downloaded", "DownloadFailed", "InstallationFailed", "Installed"}
	if action == "DiagnosticsStatusNotification" {
		words = []string{"Uploaded", "UploadFailed"}
	}
	for _, w := range words {
		if bytes.Contains(payload, []byte(`"`+w+`"`)) {
			return payload
		}
	}
	return nil
}

// swap is a word of an answer of 1.6 and the one of the older versions.
type swap struct{ action, newer, older string }

var swaps = [...]swap{
	{"UnlockConnector", "Unlocked", "Accepted"}, {"UnlockConnector", "UnlockFailed", "Rejected"}, {"UnlockConnector", "NotSupported", "Rejected"},
	{"ChangeConfiguration", "RebootRequired", "Accepted"},
}

// olderStatus returns dst whose payload from a place on has the words of the older versions.
func olderStatus(dst []byte, from int, action string) []byte {
	for _, s := range swaps {
		if s.action == action && string(dst[from:]) == `{"status":"`+s.newer+`"}` {
			return append(dst[:from], `{"status":"`+s.older+`"}`...)
		}
	}
	return dst
}
