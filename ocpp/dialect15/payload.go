package dialect15

import (
	"strconv"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
)

// startTransaction leaves the reservation out for 1.2.
func (d *Dialect) startTransaction(payload []byte) ([]byte, error) {
	if d.v != soap.V12 {
		return payload, nil
	}
	var m msg16.StartTransactionRequest
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	m.ReservationID = msg16.Opt[int]{}
	return msg16.AppendJSON(nil, &m)
}

// stopTransaction leaves the reason out. In 1.5 transactionData holds lists of values: one list.
func (d *Dialect) stopTransaction(payload []byte) ([]byte, error) {
	var m msg16.StopTransactionRequest
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	values := d.appendValues(nil, m.TransactionData)
	m.Reason, m.TransactionData = "", nil
	out, err := msg16.AppendJSON(nil, &m)
	if err != nil || d.v == soap.V12 || len(values) == 0 {
		return out, err
	}
	return add(out[:len(out)-1], `,"transactionData":[{"values":[`, string(values), "]}]}"), nil
}

// meterValues tells the values that this version has words for, nil if there are none.
func (d *Dialect) meterValues(payload []byte) ([]byte, error) {
	var m msg16.MeterValuesRequest
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	values := d.appendValues(nil, m.MeterValue)
	if len(values) == 0 {
		return nil, nil
	}
	out := add(nil, `{"connectorId":`, strconv.Itoa(m.ConnectorID))
	if m.TransactionID.Has && d.v != soap.V12 {
		out = add(out, `,"transactionId":`, strconv.Itoa(m.TransactionID.V))
	}
	return add(out, `,"values":[`, string(values), "]}"), nil
}

// statusNotification tells a status. 1.2 has neither time nor text for it.
func (d *Dialect) statusNotification(payload []byte) ([]byte, error) {
	var m msg16.StatusNotificationRequest
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	out := add(nil, `{"connectorId":`, strconv.Itoa(m.ConnectorID))
	out = appendWord(out, "status", Status(d.v, m.Status))
	out = appendWord(out, "errorCode", ErrorCode(d.v, m.ErrorCode, m.Status))
	if d.v != soap.V12 {
		out = appendText(out, "info", m.Info)
		if m.Timestamp.Has {
			out = add(rpc.AppendTime(add(out, `,"timestamp":"`), m.Timestamp.V), `"`)
		}
		out = appendText(out, "vendorId", m.VendorID)
		out = appendText(out, "vendorErrorCode", m.VendorErrorCode)
	}
	return add(out, "}"), nil
}

// add appends texts. It is kept out of line: the binary has better uses for its room.
//
//go:noinline
func add(dst []byte, texts ...string) []byte {
	for _, t := range texts {
		dst = append(dst, t...)
	}
	return dst
}

func appendText(dst []byte, name string, v msg16.Opt[string]) []byte {
	if !v.Has {
		return dst
	}
	return rpc.AppendString(add(dst, `,"`, name, `":`), v.V)
}

var (
	bootFields = rpc.Fields{Names: []string{"status", "currentTime", "heartbeatInterval"}, Known: [2]uint64{7, 7}, Required: [2]uint64{1, 1}}
	listFields = rpc.Fields{Names: []string{"listVersion", "updateType", "localAuthorisationList", "hash"}, Known: [2]uint64{15, 15}, Required: [2]uint64{3, 3}}
)

// members reads an object whose members f describes: their JSON text, "" for those that are absent.
func members(payload string, f *rpc.Fields) ([]string, error) {
	var b rpc.Body
	b.Reset(payload, rpc.Limits{})
	b.Begin(rpc.V16)
	values := make([]string, len(f.Names))
	o := b.Object(f)
	for i := b.Next(&o); i >= 0; i = b.Next(&o) {
		values[i] = string(b.Raw())
	}
	return values, b.End()
}

// noTime stands where 1.2 leaves the time out, which 1.6 needs; what it means is not used.
const noTime = `"2000-01-01T00:00:00Z"`

// bootResult returns the answer to BootNotification as 1.6 has it, and whether there was a time in it. In 1.2 time and
// interval may be missing; an interval of 0 is the station's choice.
func (d *Dialect) bootResult(payload string) (newer string, timed bool, err error) {
	v, err := members(payload, &bootFields)
	if err != nil {
		return "", false, err
	}
	status, now, interval := v[0], v[1], v[2]
	if timed = now != ""; !timed && d.v == soap.V12 {
		now = noTime
	}
	if interval == "" && d.v == soap.V12 {
		interval = "0"
	}
	newer = `{"status":` + status
	if now != "" {
		newer += `,"currentTime":` + now
	}
	if interval != "" {
		newer += `,"interval":` + interval
	}
	return newer + "}", timed, nil
}

const (
	oldList = "localAuthorisationList"
	newList = "localAuthorizationList"
)

// sendLocalList returns the request as 1.6 has it.
func (d *Dialect) sendLocalList(payload string) (string, error) {
	v, err := members(payload, &listFields)
	if err != nil {
		return "", err
	}
	newer := `{"listVersion":` + v[0] + `,"updateType":` + v[1]
	if v[2] != "" {
		newer += `,"` + newList + `":` + v[2]
	}
	return newer + "}", nil
}
