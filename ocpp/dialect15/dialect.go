package dialect15

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// Dialect speaks one version of OCPP over SOAP. Like dialect16 it keeps buffers and no state, and belongs to one goroutine.
type Dialect struct {
	d    *dialect16.Dialect
	v    soap.Version
	body rpc.Body
}

var (
	_ ocpp.Dialect   = (*Dialect)(nil)
	_ ocpp.Abandoner = (*Dialect)(nil)
	_ ocpp.Streamer  = (*Dialect)(nil)
)

// New returns the dialect of a version over the one of 1.6.
func New(v soap.Version, d *dialect16.Dialect) *Dialect { return &Dialect{d: d, v: v} }

// Version returns rpc.V16: the frames are those of OCPP-J 1.6, as are the rules for numbers of transactions.
func (d *Dialect) Version() rpc.Version { return rpc.V16 }

// SOAP returns the version whose payloads these are.
func (d *Dialect) SOAP() soap.Version { return d.v }

// Encode turns a fact into one call, or into none where the version has nothing to tell of it.
func (d *Dialect) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	if s, ok := r.Body.(station.StatusNotification); ok && !d.news(&s) {
		return nil, nil
	}
	calls, err := d.d.Encode(r, t)
	if err != nil {
		return nil, err
	}
	kept := calls[:0]
	for _, c := range calls {
		if !soap.Has(d.v, soap.CentralSystem, c.Action) {
			continue
		}
		if c.Payload, err = d.older(c.Action, c.Payload); err != nil {
			return nil, fmt.Errorf("tell %s in OCPP %s: %w", c.Action, d.v, err)
		}
		if c.Payload != nil {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// older returns the payload of a call in this version, nil where it has no words for it.
func (d *Dialect) older(action string, payload []byte) ([]byte, error) {
	if d.v == soap.V16 {
		return payload, nil
	}
	switch action {
	case "StartTransaction":
		return d.startTransaction(payload)
	case "StopTransaction":
		return d.stopTransaction(payload)
	case "MeterValues":
		return d.meterValues(payload)
	case "StatusNotification":
		return d.statusNotification(payload)
	case "FirmwareStatusNotification", "DiagnosticsStatusNotification":
		return told(action, payload), nil
	}
	return payload, nil // the same in all versions
}

// Result turns the payload of a call's answer into the reply. The shape of c's payload is that of 1.6 wherever dialect16 looks
// at it: the older versions only leave something out there.
func (d *Dialect) Result(c ocpp.Call, payload string, t *ocpp.Table) (station.Reply, error) {
	if d.v == soap.V16 || c.Action != "BootNotification" {
		return d.d.Result(c, payload, t)
	}
	newer, timed, err := d.bootResult(payload)
	if err != nil {
		return nil, fmt.Errorf("result of BootNotification: %w", err)
	}
	reply, err := d.d.Result(c, newer, t)
	if b, ok := reply.(station.BootReply); ok && !timed {
		b.Now = time.Time{}
		reply = b
	}
	return reply, err
}

// Abandoned tells dialect16.
func (d *Dialect) Abandoned(c ocpp.Call, t *ocpp.Table) { d.d.Abandoned(c, t) }

// Request turns a CALL into a request. Errors are *ocpp.RequestError.
func (d *Dialect) Request(action, payload string, t *ocpp.Table, big ocpp.Stage) (station.Request, error) {
	if !soap.Has(d.v, soap.ChargePoint, action) {
		return nil, &ocpp.RequestError{Code: rpc.NotImplemented, Description: "action unknown in OCPP " + d.v.String()}
	}
	newer, err := d.newer(action, payload)
	if err != nil {
		return nil, refusal(err)
	}
	return d.d.Request(action, newer, t, big)
}

// newer returns the payload of a request as 1.6 has it.
func (d *Dialect) newer(action, payload string) (string, error) {
	if d.v == soap.V16 || action != "SendLocalList" {
		return payload, nil // 1.6 only added to requests
	}
	return d.sendLocalList(payload)
}

// refusal is the CALLERROR for a payload that cannot be read.
func refusal(err error) error {
	var invalid *rpc.DecodeError
	if errors.As(err, &invalid) {
		return &ocpp.RequestError{Code: invalid.Code.In(rpc.V16), Description: invalid.Error()}
	}
	return &ocpp.RequestError{Code: rpc.InternalError, Description: err.Error()}
}

// Respond appends the payload of the answer to a request.
func (d *Dialect) Respond(dst []byte, action string, req station.Request, body station.ResponseBody) ([]byte, error) {
	from := len(dst)
	out, err := d.d.Respond(dst, action, req, body)
	if err != nil || d.v == soap.V16 {
		return out, err
	}
	return olderStatus(out, from, action), nil
}

// decode reads a payload of dialect16's.
func (d *Dialect) decode(m msg16.Message, payload []byte) error {
	d.body.Reset(string(payload), rpc.Limits{})
	defer d.body.Reset("", rpc.Limits{})
	return msg16.Decode(&d.body, m)
}
