package dialect2

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// A record goes with the register alone. What is too long for 2.0.1 is told in 2.1, and its value in both; without a key its field
// is empty (signed meter values 1.0, table 11).
func TestSignedMeterValue(t *testing.T) {
	value := func(bytes int, m term.Measurand) station.MeterValues {
		r := &term.SignedMeterValue{Data: make([]byte, bytes), EncodingMethod: "OCMF"}
		return station.MeterValues{EVSE: 1, Values: []term.MeterValue{{At: at, Signed: r, Sampled: []term.SampledValue{{Value: 1, Measurand: m}}}}}
	}
	for _, row := range []struct {
		bytes   int
		m       term.Measurand
		in      rpc.Version
		carried bool
	}{
		{1875, term.EnergyActiveImportRegister, rpc.V201, true}, {1876, term.EnergyActiveImportRegister, rpc.V201, false},
		{1876, term.EnergyActiveImportRegister, rpc.V21, true}, {24_000, term.EnergyActiveImportRegister, rpc.V21, true},
		{24_577, term.EnergyActiveImportRegister, rpc.V21, false}, {10, term.Voltage, rpc.V21, false},
	} {
		calls, err := New(row.in).Encode(station.Report{ID: 1, Body: value(row.bytes, row.m)}, ocpp.NewTable())
		if err != nil || len(calls) != 1 {
			t.Fatalf("%d bytes in %s: %v", row.bytes, row.in, err)
		}
		text := string(calls[0].Payload)
		if got := strings.Contains(text, `"encodingMethod":"OCMF"`); got != row.carried || !strings.Contains(text, `"value":0.001`) {
			t.Errorf("%d bytes of %s in %s: carried %v: %.300s", row.bytes, row.m, row.in, got, text)
		}
		if row.carried && (!strings.Contains(text, `"publicKey":""`) || !strings.Contains(text, `"signingMethod":""`)) {
			t.Errorf("fields are missing in %.300s", text)
		}
	}
}
