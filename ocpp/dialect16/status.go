package dialect16

import (
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Status returns the word of 1.6 for the state of a connector, or for that of the station (connector 0), which is only ever
// Available, Unavailable or Faulted (1.6, 4.9 and 7.7). It depends on the view alone.
func Status(v station.ConnectorView) msg16.ChargePointStatus {
	switch {
	case v.Status == station.StatusFaulted:
		return msg16.ChargePointStatusFaulted
	case v.Status == station.StatusUnavailable:
		return msg16.ChargePointStatusUnavailable
	case v.Transaction:
		return inTransaction(v)
	case v.Over:
		return msg16.ChargePointStatusFinishing
	case v.Wanted, v.Status == station.StatusOccupied:
		return msg16.ChargePointStatusPreparing
	case v.Status == station.StatusReserved:
		return msg16.ChargePointStatusReserved
	}
	return msg16.ChargePointStatusAvailable
}

// inTransaction is the word while a transaction runs.
func inTransaction(v station.ConnectorView) msg16.ChargePointStatus {
	switch {
	case v.State == term.ChargingCharging:
		return msg16.ChargePointStatusCharging
	case v.State == term.ChargingIdle && v.Unplugged: // StopTransactionOnEVSideDisconnect is false
		return msg16.ChargePointStatusSuspendedEV
	case v.State == term.ChargingIdle: // it began with the token; the car is still to come
		return msg16.ChargePointStatusPreparing
	case !v.Offered, v.State == term.ChargingSuspendedEVSE: // both suspend it: the EVSE has precedence (4.9)
		return msg16.ChargePointStatusSuspendedEVSE
	case v.State == term.ChargingSuspendedEV, v.Begun:
		return msg16.ChargePointStatusSuspendedEV
	}
	return msg16.ChargePointStatusPreparing // the car has just been offered energy and is given the time to take it
}

// five are the words of 1.5 for those of 1.6, which split Occupied into five (1.6, appendix A).
var five = map[msg16.ChargePointStatus]string{
	msg16.ChargePointStatusAvailable: "Available", msg16.ChargePointStatusPreparing: "Occupied", msg16.ChargePointStatusCharging: "Occupied",
	msg16.ChargePointStatusSuspendedEVSE: "Occupied", msg16.ChargePointStatusSuspendedEV: "Occupied", msg16.ChargePointStatusFinishing: "Occupied",
	msg16.ChargePointStatusReserved: "Reserved", msg16.ChargePointStatusUnavailable: "Unavailable", msg16.ChargePointStatusFaulted: "Faulted",
}

// Status15 returns the word of 1.5 for the same.
func Status15(v station.ConnectorView) string { return five[Status(v)] }

// errorCodes are the words of 1.6 for faults (7.6). OtherError stands for those that have none: the vendor's code tells them.
var errorCodes = map[term.Fault]msg16.ChargePointErrorCode{
	term.FaultGround:           msg16.ChargePointErrorCodeGroundFailure,
	term.FaultOverCurrent:      msg16.ChargePointErrorCodeOverCurrentFailure,
	term.FaultOverVoltage:      msg16.ChargePointErrorCodeOverVoltage,
	term.FaultUnderVoltage:     msg16.ChargePointErrorCodeUnderVoltage,
	term.FaultHighTemperature:  msg16.ChargePointErrorCodeHighTemperature,
	term.FaultCableTemperature: msg16.ChargePointErrorCodeHighTemperature,
	term.FaultConnectorLock:    msg16.ChargePointErrorCodeConnectorLockFailure,
	term.FaultContactor:        msg16.ChargePointErrorCodePowerSwitchFailure,
	term.FaultPowerSwitch:      msg16.ChargePointErrorCodePowerSwitchFailure,
	term.FaultMeter:            msg16.ChargePointErrorCodePowerMeterFailure,
	term.FaultReader:           msg16.ChargePointErrorCodeReaderFailure,
	term.FaultInternal:         msg16.ChargePointErrorCodeInternalError,
	term.FaultStorage:          msg16.ChargePointErrorCodeInternalError,
	term.FaultWeakSignal:       msg16.ChargePointErrorCodeWeakSignal,
	term.FaultEVCommunication:  msg16.ChargePointErrorCodeEVCommunicationError,
}

// Trouble is what a StatusNotification says of errors.
type Trouble struct {
	Code   msg16.ChargePointErrorCode
	Vendor string // vendorErrorCode: the stable codes of all faults, "" without one
	Info   string // "" for none
}

// maxText is the longest info and vendorErrorCode, in characters (6.47).
const maxText = 50

// TroubleOf returns the error code for a view: that of the gravest fault, which is one that lets no energy flow, and all of
// them in the vendor's code.
func TroubleOf(v station.ConnectorView) Trouble {
	t := Trouble{Code: msg16.ChargePointErrorCodeNoError}
	if v.Unplugged && (v.Transaction || v.Over) { // 4.9
		t.Info = "EV side disconnected"
	}
	stops := false
	for _, f := range v.Faults.List() {
		if t.Code == msg16.ChargePointErrorCodeNoError || f.StopsCharging() && !stops {
			t.Code, stops = errorCode(f, Status(v)), f.StopsCharging()
		}
		if code := f.String(); len(t.Vendor)+1+len(code) <= maxText {
			if t.Vendor != "" {
				t.Vendor += ","
			}
			t.Vendor += code
		}
	}
	switch {
	case t.Code != msg16.ChargePointErrorCodeNoError:
	case v.ListConflict: // 3.5.2
		t.Code = msg16.ChargePointErrorCodeLocalListConflict
	case v.ResetFailed:
		t.Code = msg16.ChargePointErrorCodeResetFailure
	}
	return t
}

func errorCode(f term.Fault, s msg16.ChargePointStatus) msg16.ChargePointErrorCode {
	code, known := errorCodes[f]
	if !known {
		return msg16.ChargePointErrorCodeOtherError
	}
	if code == msg16.ChargePointErrorCodeEVCommunicationError {
		switch s { // 4.9: a warning, and with no other status
		case msg16.ChargePointStatusPreparing, msg16.ChargePointStatusSuspendedEV, msg16.ChargePointStatusSuspendedEVSE, msg16.ChargePointStatusFinishing:
		default:
			return msg16.ChargePointErrorCodeOtherError
		}
	}
	return code
}

// News reports whether a status says anything in 1.6 that the CSMS does not know.
func News(b *station.StatusNotification) bool {
	return b.Was.Status == "" || Status(b.Was) != Status(b.ConnectorView) || TroubleOf(b.Was) != TroubleOf(b.ConnectorView)
}

// statusRequest tells the status of the connector of a number (1.6, 6.47).
func statusRequest(b *station.StatusNotification, connector int) *msg16.StatusNotificationRequest {
	t := TroubleOf(b.ConnectorView)
	m := &msg16.StatusNotificationRequest{ConnectorID: connector, Status: Status(b.ConnectorView), ErrorCode: t.Code, Timestamp: msg16.Some(b.At)}
	if t.Info != "" {
		m.Info = msg16.Some(t.Info)
	}
	if t.Vendor != "" {
		m.VendorErrorCode = msg16.Some(t.Vendor)
	}
	return m
}
