package virtual

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
)

// signedValue is a value that the CSMS was told with what the meter signed for it.
type signedValue struct {
	Event    string // Ended, or that of 1.6
	Context  string
	Value    string // of the register, as the CSMS has it without a signature; "" where there is none
	Data     string `json:"signedMeterData"`
	Method   string `json:"signingMethod"`
	Encoding string `json:"encodingMethod"`
	Key      string `json:"publicKey"`
}

// last reports whether this is the value of a transaction's end.
func (v signedValue) last() bool {
	return (strings.HasPrefix(v.Event, "Ended") || v.Event == "Stop") && v.Context == "Transaction.End"
}

// signedIn2 returns the signed values of an event of 2.x.
func signedIn2(ev *msg2.TransactionEventRequest) (all []signedValue) {
	for _, m := range ev.MeterValue {
		for _, s := range m.SampledValue {
			r, ok := s.SignedMeterValue.Get()
			if !ok {
				continue
			}
			v := signedValue{Event: fmt.Sprintf("%s %s", ev.EventType, ev.TriggerReason), Context: string(s.Context),
				Data: r.SignedMeterData, Method: r.SigningMethod.V, Encoding: r.EncodingMethod, Key: r.PublicKey.V}
			if s.Measurand == "" || s.Measurand == msg2.MeasurandEnergyActiveImportRegister { // of any other, the record tells nothing
				v.Value = s.Value.String()
			}
			all = append(all, v)
		}
	}
	return all
}

// signedIn16 returns the signed values of a message of 1.6: there each stands behind the register that it is of.
func signedIn16(m msg16.Message) (all []signedValue) {
	event, values := "Stop", []msg16.MeterValue(nil)
	switch m := m.(type) {
	case *msg16.StopTransactionRequest:
		values = m.TransactionData
	case *msg16.MeterValuesRequest:
		event, values = "MeterValues", m.MeterValue
	}
	for _, m := range values {
		plain := ""
		for _, s := range m.SampledValue {
			if s.Format == msg16.ValueFormatSignedData {
				v := signedValue{Event: event, Context: string(s.Context), Value: plain}
				_ = json.Unmarshal([]byte(s.Value), &v) // what it is not, its judge says
				all = append(all, v)
			} else if s.Measurand == msg16.MeasurandEnergyActiveImportRegister {
				plain = s.Value
			}
		}
	}
	return all
}

var registers = regexp.MustCompile(`"RV":([0-9]+)\.([0-9]{3})000,`)

// judge verifies a record by a key as it is told, and returns the watt-hours between its two readings. A record of an end is of
// a whole transaction; any other is not.
func (v signedValue) judge(told string) (int, error) {
	if v.Method != "" && v.Method != "ECDSA-secp256r1-SHA256" || v.Encoding != "OCMF" { // the record names it, too
		return 0, fmt.Errorf("signed by %q in %q", v.Method, v.Encoding)
	}
	key, err := ocmf.ParseKey(told)
	if err != nil {
		return 0, err
	}
	text, err := base64.StdEncoding.DecodeString(v.Data)
	if err != nil {
		return 0, err
	}
	records, err := ocmf.ParseAll(text)
	if err != nil {
		return 0, err
	}
	j := ocmf.Judge(records, &key)
	if len(records) != 1 || j.Signature.State != ocmf.Good || j.Semantics.State != ocmf.Good || (j.Completeness.State == ocmf.Good) != v.last() {
		return 0, fmt.Errorf("judged %+v: %s", j, text)
	}
	var wh [2]int
	rs := registers.FindAllSubmatch(text, -1)
	if len(rs) != len(wh) {
		return 0, errors.New("want two registers in whole watt-hours")
	}
	for i, m := range rs {
		if wh[i], err = strconv.Atoi(string(m[1]) + string(m[2])); err != nil {
			return 0, err
		}
	}
	if now := strconv.Itoa(wh[1]); now != v.Value {
		return 0, fmt.Errorf("signed %s Wh, told %q", now, v.Value)
	}
	return wh[1] - wh[0], nil
}
