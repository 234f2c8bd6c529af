package dialect15

import (
	"bytes"

	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// Status returns the word of a version before 1.6 for a status of 1.6: one of five in 1.5, of four in 1.2, where a reserved
// connector is Occupied, since it cannot be had. What was Occupied has become five in 1.6 (7.7).
func Status(v soap.Version, s msg16.ChargePointStatus) string {
	switch s {
	case msg16.ChargePointStatusAvailable, msg16.ChargePointStatusUnavailable, msg16.ChargePointStatusFaulted:
		return string(s)
	case msg16.ChargePointStatusReserved:
		if v != soap.V12 {
			return string(s)
		}
	}
	return "Occupied"
}

// ErrorCode returns the word of a version before 1.6 for an error code of 1.6 that comes with a status. What 1.2 has no word
// for is an error of the power switch if it keeps the connector from charging, which is what its status says, and
// otherwise none.
func ErrorCode(v soap.Version, code msg16.ChargePointErrorCode, s msg16.ChargePointStatus) string {
	switch code {
	case msg16.ChargePointErrorCodeEVCommunicationError:
		return "Mode3Error" // as it was called
	case msg16.ChargePointErrorCodeNoError, msg16.ChargePointErrorCodeConnectorLockFailure, msg16.ChargePointErrorCodeHighTemperature,
		msg16.ChargePointErrorCodePowerMeterFailure, msg16.ChargePointErrorCodePowerSwitchFailure, msg16.ChargePointErrorCodeReaderFailure,
		msg16.ChargePointErrorCodeResetFailure:
		return string(code)
	case msg16.ChargePointErrorCodeInternalError, msg16.ChargePointErrorCodeLocalListConflict, msg16.ChargePointErrorCodeOverVoltage:
		code = msg16.ChargePointErrorCodeOtherError
	}
	switch {
	case v != soap.V12:
		return string(code)
	case s == msg16.ChargePointStatusFaulted:
		return "PowerSwitchFailure"
	}
	return "NoError"
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
