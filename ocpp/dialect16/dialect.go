package dialect16

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/term"
)

// Dialect speaks OCPP 1.6 with the security whitepaper. It holds buffers that the next call reuses, and no state: what it
// says depends on its arguments, the side table among them, and on the station's connectors. It belongs to one goroutine.
type Dialect struct {
	topology topology
	phases   []int    // of the connectors, in the order of the topology; 0 for DC
	types    []string // of the same
	body     rpc.Body
	buf      []byte
}

var (
	_ ocpp.Dialect   = (*Dialect)(nil)
	_ ocpp.Abandoner = (*Dialect)(nil)
)

// New returns the dialect of a station with these EVSEs.
func New(evses []station.EVSE) *Dialect {
	d := &Dialect{topology: newTopology(evses)}
	for _, e := range evses {
		for _, c := range e.Connectors {
			d.phases = append(d.phases, e.Phases)
			d.types = append(d.types, c.Type)
		}
	}
	return d
}

// kind is the type of a connector that is not the only one of its EVSE; "" for any other place.
func (d *Dialect) kind(r term.Ref) string {
	i := slices.Index(d.topology, r)
	if i < 0 || d.topology.alone(r.EVSE) {
		return ""
	}
	return d.types[i]
}

// Version returns rpc.V16.
func (d *Dialect) Version() rpc.Version { return rpc.V16 }

// maxBuffer is how much of the encoding buffer, in bytes, is kept from call to call. Nearly every message is shorter.
const maxBuffer = 16 << 10

// Encode turns a fact into one call, or into none where 1.6 has nothing to tell of it. An error is a bug of whoever made the
// report: no CSMS could take it.
func (d *Dialect) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	m := d.message(r.Body, t)
	if m == nil {
		return nil, nil
	}
	payload, err := msg16.AppendJSON(d.buf[:0], m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", msg16.Action(m), err)
	}
	c := ocpp.Call{Report: r.ID, Action: msg16.Action(m), Payload: bytes.Clone(payload)}
	if d.buf = payload; cap(d.buf) > maxBuffer {
		d.buf = nil
	}
	if e, ok := r.Body.(*station.TransactionEvent); ok && msg16.Action(m) == startAction {
		c.Transaction = e.Transaction
	}
	return []ocpp.Call{c}, nil
}

const startAction = "StartTransaction"

// message returns the request that tells a fact, nil where there is nothing to tell.
func (d *Dialect) message(body station.ReportBody, t *ocpp.Table) msg16.Message {
	switch b := body.(type) {
	case station.BootNotification:
		return bootNotification(&b)
	case station.StatusNotification:
		if News(&b) {
			return statusRequest(&b, int(d.topology.number(b.Ref)))
		}
		return nil
	case station.Heartbeat:
		return &msg16.HeartbeatRequest{}
	case station.Authorize:
		return authorize(&b)
	case station.MeterValues:
		return d.meterValues(&b, t)
	case station.SecurityEvent:
		return securityEvent(&b)
	case station.FirmwareStatus:
		return firmwareStatus(&b, t)
	case station.LogStatus:
		return logStatus(b, t)
	case *station.TransactionEvent:
		return d.transactionEvent(b, t)
	case station.NotifyEvent: // a fault is told with the status
		return nil
	case station.NotifyReport, station.NotifyCustomerInformation, station.ChargingProfiles: // nobody can have asked for them
		return nil
	case station.SignCertificate:
		return signCertificate(&b)
	case station.ReservationStatus: // the status of the connector tells that it is free again
		return nil
	}
	panic(fmt.Sprintf("dialect16: report %T has no message", body))
}

// Result turns the payload of a CALLRESULT into the reply to the report of c. An error wraps a *rpc.DecodeError: the
// answer is not a valid one.
func (d *Dialect) Result(c ocpp.Call, payload string, t *ocpp.Table) (station.Reply, error) {
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
	case startAction:
		reply, err = d.startReply(c, payload, t)
	case "SignCertificate":
		reply, err = d.signReply(payload)
	case "StopTransaction":
		reply, err = d.stopReply(payload)
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
	m, ok := msg16.NewResponse(action)
	if !ok {
		return nil, fmt.Errorf("no response is known in %s", rpc.V16)
	}
	if err := d.decode(m, payload); err != nil {
		return nil, err
	}
	return station.Acknowledged{}, nil
}

// decode reads payload into m. The strings of m are windows of payload.
func (d *Dialect) decode(m msg16.Message, payload string) error {
	d.body.Reset(payload, rpc.Limits{})
	defer d.body.Reset("", rpc.Limits{}) // so that an idle dialect holds no frame
	return msg16.Decode(&d.body, m)
}

// Request turns a CALL of the CSMS into a request that keeps no part of payload. An action that this station does not
// offer is decoded all the same, so that its sender hears first what is wrong with it. Errors are *ocpp.RequestError.
func (d *Dialect) Request(action, payload string, t *ocpp.Table, big ocpp.Stage) (station.Request, error) {
	if action == "SendLocalList" {
		return d.sendLocalList(payload, big)
	}
	m, ok := msg16.NewRequest(action)
	if !ok {
		return nil, &ocpp.RequestError{Code: rpc.NotImplemented, Description: "action unknown in OCPP " + rpc.V16.String()}
	}
	if err := d.decode(m, payload); err != nil {
		return nil, refusal(err)
	}
	return d.request(m, t)
}

// request translates a valid message.
func (d *Dialect) request(message msg16.Message, t *ocpp.Table) (station.Request, error) {
	switch m := message.(type) {
	case *msg16.CancelReservationRequest:
		return station.CancelReservation{ID: m.ReservationID}, nil
	case *msg16.CertificateSignedRequest:
		return certificateSigned(m), nil
	case *msg16.DeleteCertificateRequest:
		return deleteCertificate(m), nil
	case *msg16.GetInstalledCertificateIdsRequest:
		return station.GetInstalledCertificateIds{Uses: []cert.Use{useOf(m.CertificateType)}}, nil
	case *msg16.InstallCertificateRequest:
		return installCertificate(m), nil
	case *msg16.ChangeAvailabilityRequest:
		return d.changeAvailability(m), nil
	case *msg16.ChangeConfigurationRequest:
		return d.changeConfiguration(m), nil
	case *msg16.ClearCacheRequest:
		return station.ClearCache{}, nil
	case *msg16.ClearChargingProfileRequest:
		return d.clearChargingProfile(m), nil
	case *msg16.DataTransferRequest:
		return station.DataTransfer{VendorID: strings.Clone(m.VendorID), MessageID: strings.Clone(m.MessageID.V)}, nil
	case *msg16.ExtendedTriggerMessageRequest:
		return d.extendedTrigger(m, t), nil
	case *msg16.GetCompositeScheduleRequest:
		return d.getCompositeSchedule(m), nil
	case *msg16.GetConfigurationRequest:
		return d.getConfiguration(m)
	case *msg16.GetDiagnosticsRequest:
		return getDiagnostics(m)
	case *msg16.GetLogRequest:
		return getLog(m), nil
	case *msg16.GetLocalListVersionRequest:
		return station.GetLocalListVersion{}, nil
	case *msg16.RemoteStartTransactionRequest:
		return d.remoteStart(m, t)
	case *msg16.RemoteStopTransactionRequest:
		return remoteStop(m, t), nil
	case *msg16.ReserveNowRequest:
		return d.reserveNow(m), nil
	case *msg16.ResetRequest:
		return reset(m), nil
	case *msg16.SetChargingProfileRequest:
		return d.setChargingProfile(m, t)
	case *msg16.SignedUpdateFirmwareRequest:
		return signedUpdate(m), nil
	case *msg16.UpdateFirmwareRequest:
		return updateFirmware(m)
	case *msg16.TriggerMessageRequest:
		return d.triggerMessage(m, t), nil
	case *msg16.UnlockConnectorRequest:
		return d.unlockConnector(m), nil
	}
	return nil, &ocpp.RequestError{Code: rpc.NotSupported, Description: msg16.Action(message) + " is not offered by this station"}
}

// refusal is the CALLERROR for what went wrong while a request was read, in the spelling of 1.6.
func refusal(err error) *ocpp.RequestError {
	var known *ocpp.RequestError
	if errors.As(err, &known) {
		return known
	}
	var invalid *rpc.DecodeError
	if errors.As(err, &invalid) {
		return &ocpp.RequestError{Code: invalid.Code.In(rpc.V16), Description: invalid.Error()}
	}
	return &ocpp.RequestError{Code: rpc.InternalError, Description: err.Error()}
}

// invalid refuses a value that the schemas let pass and the text of the specification does not.
func invalid(path, reason string) *ocpp.RequestError {
	return refusal(&rpc.DecodeError{Code: rpc.PropertyConstraintViolation, Path: path, Reason: reason})
}
