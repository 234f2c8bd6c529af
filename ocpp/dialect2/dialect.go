package dialect2

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// Dialect speaks OCPP 2.0.1 or 2.1. It holds buffers that the next call reuses, and no state: what it says depends
// on its arguments alone. It belongs to one goroutine.
type Dialect struct {
	v     rpc.Version
	body  rpc.Body
	buf   []byte
	event msg2.TransactionEventRequest
	reply msg2.TransactionEventResponse
}

var _ ocpp.Dialect = (*Dialect)(nil)

// New returns the dialect of v, which is rpc.V201 or rpc.V21.
func New(v rpc.Version) *Dialect {
	if v != rpc.V201 && v != rpc.V21 {
		panic("dialect2: not a version of OCPP 2.x: " + v.String())
	}
	return &Dialect{v: v}
}

// Version returns the version that the dialect was made for.
func (d *Dialect) Version() rpc.Version { return d.v }

// Independent says that no call rests on the answer to another: the station itself names its transactions.
func (d *Dialect) Independent() {}

// What is kept from call to call to be reused. Nearly every message is shorter; a long one, like the end of a day's
// transaction with all its aligned values, is given back to the collector.
const (
	maxBuffer = 16 << 10 // bytes of the encoding buffer
	maxValues = 4        // meter values of the transaction event
)

// Encode turns a fact into one call, or into none where there is nothing to tell (meter values without a sample).
// An error is a bug of whoever made the report: no CSMS could take it in this version.
func (d *Dialect) Encode(r station.Report, _ *ocpp.Table) ([]ocpp.Call, error) {
	m := d.message(r.Body)
	if m == nil {
		return nil, nil
	}
	defer d.trim()
	payload, err := msg2.AppendJSON(d.buf[:0], m, d.v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", msg2.Action(m), err)
	}
	d.buf = payload
	return []ocpp.Call{{Report: r.ID, Action: msg2.Action(m), Payload: bytes.Clone(payload)}}, nil
}

// trim lets go of what a long message left behind.
func (d *Dialect) trim() {
	if cap(d.buf) > maxBuffer {
		d.buf = nil
	}
	if cap(d.event.MeterValue) > maxValues {
		d.event.MeterValue = nil
	}
}

// message returns the request that tells a fact, nil where there is nothing to tell.
func (d *Dialect) message(body station.ReportBody) msg2.Message {
	switch b := body.(type) {
	case station.BootNotification:
		return bootNotification(&b)
	case station.StatusNotification:
		return statusNotification(&b)
	case station.NotifyEvent:
		return notifyEvent(&b)
	case station.Heartbeat:
		return &msg2.HeartbeatRequest{}
	case station.Authorize:
		return d.authorize(&b)
	case station.MeterValues:
		return d.meterValues(&b)
	case station.SecurityEvent:
		return securityEvent(&b)
	case station.NotifyReport:
		return notifyReport(&b)
	case station.NotifyCustomerInformation:
		return notifyCustomerInformation(&b)
	case station.ChargingProfiles:
		return chargingProfiles(&b)
	case station.SignCertificate:
		return d.signCertificate(&b)
	case station.ReservationStatus:
		return d.reservationStatus(&b)
	case station.FirmwareStatus:
		return d.firmwareStatus(&b)
	case station.LogStatus:
		return d.logStatus(&b)
	case *station.TransactionEvent:
		return d.transactionEvent(b)
	}
	panic(fmt.Sprintf("dialect2: report %T has no message", body))
}

// Result turns the payload of a CALLRESULT into the reply to the report of c. An error wraps a *rpc.DecodeError: the
// answer is not a valid one.
func (d *Dialect) Result(c ocpp.Call, payload string, _ *ocpp.Table) (station.Reply, error) {
	var (
		reply station.Reply
		err   error
	)
	switch c.Action {
	case "BootNotification":
		reply, err = d.bootReply(payload)
	case "Heartbeat":
		reply, err = d.heartbeatReply(payload)
	case "Authorize":
		reply, err = d.authorizeReply(payload)
	case "SignCertificate":
		reply, err = d.signReply(payload)
	case "TransactionEvent":
		reply, err = d.transactionReply(payload)
	default:
		reply, err = d.acknowledged(c.Action, payload)
	}
	if err != nil {
		return nil, fmt.Errorf("result of %s: %w", c.Action, err)
	}
	return reply, nil
}

// acknowledged reads an answer that carries nothing the station needs; it must be valid all the same.
func (d *Dialect) acknowledged(action, payload string) (station.Reply, error) {
	m := acknowledgement(action)
	if m == nil {
		return nil, fmt.Errorf("no response is known in %s", d.v)
	}
	if err := d.decode(m, payload); err != nil {
		return nil, err
	}
	return station.Acknowledged{}, nil
}

// acknowledgement returns the empty response to what the station tells, nil where it does not tell it: to name these
// alone spares the binary the responses that only a station sends.
func acknowledgement(action string) msg2.Message {
	switch action {
	case "FirmwareStatusNotification":
		return &msg2.FirmwareStatusNotificationResponse{}
	case "LogStatusNotification":
		return &msg2.LogStatusNotificationResponse{}
	case "MeterValues":
		return &msg2.MeterValuesResponse{}
	case "NotifyCustomerInformation":
		return &msg2.NotifyCustomerInformationResponse{}
	case "NotifyEvent":
		return &msg2.NotifyEventResponse{}
	case "NotifyReport":
		return &msg2.NotifyReportResponse{}
	case "ReportChargingProfiles":
		return &msg2.ReportChargingProfilesResponse{}
	case "ReservationStatusUpdate":
		return &msg2.ReservationStatusUpdateResponse{}
	case "SecurityEventNotification":
		return &msg2.SecurityEventNotificationResponse{}
	case "StatusNotification":
		return &msg2.StatusNotificationResponse{}
	}
	return nil
}

// decode reads payload into m. The strings of m are windows of payload.
func (d *Dialect) decode(m msg2.Message, payload string) error {
	d.body.Reset(payload, rpc.Limits{})
	defer d.body.Reset("", rpc.Limits{}) // so that an idle dialect holds no frame
	return msg2.Decode(&d.body, m, d.v)
}

// Request turns a CALL of the CSMS into a request that keeps no part of payload. An action that this station does not
// offer is decoded all the same, so that its sender hears first what is wrong with it. Errors are *ocpp.RequestError.
func (d *Dialect) Request(action, payload string, _ *ocpp.Table, big ocpp.Stage) (station.Request, error) {
	if action == "SendLocalList" {
		return d.sendLocalList(payload, big)
	}
	m, ok := msg2.NewRequest(action, d.v)
	if !ok {
		return nil, &ocpp.RequestError{Code: rpc.NotImplemented, Description: "action unknown in OCPP " + d.v.String()}
	}
	if err := d.decode(m, payload); err != nil {
		return nil, refusal(err)
	}
	return request(m)
}

// request translates a valid message.
func request(message msg2.Message) (station.Request, error) {
	switch m := message.(type) {
	case *msg2.ChangeAvailabilityRequest:
		return changeAvailability(m)
	case *msg2.CertificateSignedRequest:
		return certificateSigned(m), nil
	case *msg2.DeleteCertificateRequest:
		return deleteCertificate(m), nil
	case *msg2.GetInstalledCertificateIdsRequest:
		return installedIDs(m), nil
	case *msg2.InstallCertificateRequest:
		return installCertificate(m), nil
	case *msg2.ClearCacheRequest:
		return station.ClearCache{}, nil
	case *msg2.ClearChargingProfileRequest:
		return clearChargingProfile(m), nil
	case *msg2.CustomerInformationRequest:
		return customerInformation(m)
	case *msg2.DataTransferRequest:
		return dataTransfer(m), nil
	case *msg2.GetBaseReportRequest:
		return station.GetBaseReport{RequestID: m.RequestID, Base: model.Base(m.ReportBase)}, nil
	case *msg2.GetChargingProfilesRequest:
		return getChargingProfiles(m), nil
	case *msg2.GetCompositeScheduleRequest:
		return getCompositeSchedule(m)
	case *msg2.GetReportRequest:
		return getReport(m), nil
	case *msg2.GetLogRequest:
		return getLog(m), nil
	case *msg2.GetVariablesRequest:
		return getVariables(m), nil
	case *msg2.SetVariablesRequest:
		return setVariables(m), nil
	case *msg2.GetLocalListVersionRequest:
		return station.GetLocalListVersion{}, nil
	case *msg2.GetTransactionStatusRequest:
		return getTransactionStatus(m), nil
	case *msg2.RequestStartTransactionRequest:
		return requestStart(m)
	case *msg2.RequestStopTransactionRequest:
		return requestStop(m), nil
	case *msg2.ReserveNowRequest:
		return reserveNow(m)
	case *msg2.CancelReservationRequest:
		return station.CancelReservation{ID: m.ReservationID}, nil
	case *msg2.ResetRequest:
		return reset(m), nil
	case *msg2.SetChargingProfileRequest:
		return setChargingProfile(m)
	case *msg2.SetNetworkProfileRequest:
		return setNetworkProfile(m), nil
	case *msg2.TriggerMessageRequest:
		return triggerMessage(m)
	case *msg2.UpdateFirmwareRequest:
		return updateFirmware(m), nil
	case *msg2.UnlockConnectorRequest:
		return unlockConnector(m), nil
	}
	return nil, &ocpp.RequestError{Code: rpc.NotSupported, Description: msg2.Action(message) + " is not offered by this station"}
}

// refusal is the CALLERROR for what went wrong while a request was read.
func refusal(err error) *ocpp.RequestError {
	var known *ocpp.RequestError
	if errors.As(err, &known) {
		return known
	}
	var invalid *rpc.DecodeError
	if errors.As(err, &invalid) {
		return &ocpp.RequestError{Code: invalid.Code, Description: invalid.Error()}
	}
	return &ocpp.RequestError{Code: rpc.InternalError, Description: err.Error()}
}

// invalid refuses a value that the schemas let pass and the text of the specification does not.
func invalid(path, reason string) *ocpp.RequestError {
	return refusal(&rpc.DecodeError{Code: rpc.PropertyConstraintViolation, Path: path, Reason: reason})
}

// Respond appends the payload of the CALLRESULT that answers action with body. A status word that is none of the
// action's own, or an answer to another kind of request, is a bug of the core and an error; dst comes back as it was.
func (d *Dialect) Respond(dst []byte, action string, _ station.Request, body station.ResponseBody) ([]byte, error) {
	m := d.response(action, body)
	if m == nil {
		return dst, fmt.Errorf("respond to %s: %T is no answer to it", action, body)
	}
	out, err := msg2.AppendJSON(dst, m, d.v)
	if err != nil {
		return dst, fmt.Errorf("respond to %s: %w", action, err)
	}
	return out, nil
}

// response returns the message for a body, nil where the two do not belong together.
func (d *Dialect) response(action string, body station.ResponseBody) msg2.Message {
	var m msg2.Message
	switch b := body.(type) {
	case station.Status:
		return d.status(action, b)
	case station.StartStatus:
		m = d.startStatus(b)
	case station.InstalledCertificates:
		m = d.installedCertificates(b)
	case station.CompositeSchedule:
		m = d.compositeSchedule(&b)
	case station.Log:
		m = d.log(b)
	case station.Variables:
		m = d.variables(b)
	case station.VariablesSet:
		m = d.variablesSet(b)
	case station.LocalListVersion:
		m = &msg2.GetLocalListVersionResponse{VersionNumber: b.Version}
	case station.TransactionStatus:
		m = transactionStatus(b)
	}
	if m == nil || msg2.Action(m) != action {
		return nil
	}
	return m
}
