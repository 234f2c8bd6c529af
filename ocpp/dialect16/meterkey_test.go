package dialect16

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// oneKey is the public key of EVSE 1.
type oneKey struct{}

func (oneKey) Live(ref term.Ref, id model.ID) (string, bool) {
	return term.OCAPublicKey([]byte{0xc0, 0xde}), id == model.FiscalMeteringPublicKey && ref.EVSE == 1
}

// signing is a station whose first EVSE, with two connectors, has a meter that signs.
func signing(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.New(model.Config{Signed: true, SignedParts: true, EVSEs: []model.EVSE{
		{ID: 1, Phases: 3, Signed: true, Connectors: []model.Connector{{ID: 1, Type: "cType2", Phases: 3}, {ID: 2, Type: "sType2", Phases: 3}}},
		{ID: 2, Phases: 1, Connectors: []model.Connector{{ID: 1, Type: "cType2", Phases: 1}}},
	}}, oneKey{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The public key of a meter is a key of each connector that it measures, and nobody can write it.
func TestMeterPublicKey(t *testing.T) {
	w, m := newWire(t), signing(t)
	const key = `"readonly":true,"value":"b2NhOmJhc2UxNjphc24xOmMwZGU="}` // oca:base16:asn1:c0de
	for ask, want := range map[string]string{
		"MeterPublicKey1": `{"configurationKey":[{"key":"MeterPublicKey1",` + key + `]}`,
		"METERPUBLICKEY2": `{"configurationKey":[{"key":"MeterPublicKey2",` + key + `]}`,
		"MeterPublicKey3": `{"unknownKey":["MeterPublicKey3"]}`, "MeterPublicKey0": `{"unknownKey":["MeterPublicKey0"]}`,
		"MeterPublicKey": `{"unknownKey":["MeterPublicKey"]}`, "MeterPublicKey01": `{"unknownKey":["MeterPublicKey01"]}`,
	} {
		if got := w.answer(m, "GetConfiguration", `{"key":["`+ask+`"]}`); got != want {
			t.Errorf("%s: got %s, want %s", ask, got, want)
		}
	}
	listed := 0
	for _, v := range w.listed(m) {
		if strings.Contains(v.Key, "PublicKey") && v.Key != "PublicKeyWithSignedMeterValue" {
			listed++
		}
	}
	if listed != 2 {
		t.Errorf("%d public keys are listed, want those of two connectors", listed)
	}
	for name, want := range map[string]string{"MeterPublicKey1": "Rejected", "MeterPublicKey3": "NotSupported"} {
		if got := w.answer(m, "ChangeConfiguration", `{"key":"`+name+`","value":"x"}`); got != `{"status":"`+want+`"}` {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, k := range []string{"SampledDataSignReadings", "SampledDataSignStartedReadings", "SampledDataSignUpdatedReadings", "AlignedDataSignReadings", "AlignedDataSignUpdatedReadings"} {
		if got := w.answer(m, "ChangeConfiguration", `{"key":"`+k+`","value":"True"}`); got != `{"status":"Accepted"}` {
			t.Errorf("%s: %s", k, got)
		}
	}
}

// What the meter signed follows the register, in the form that 2.x has; a record of values without the register has no place.
func TestSignedValue(t *testing.T) {
	w := newWire(t)
	signed := &term.SignedMeterValue{Data: []byte("OCMF|{}|{}"), EncodingMethod: "OCMF", PublicKey: []byte{0xc0, 0xde}}
	v := term.MeterValue{At: at, Signed: signed, Sampled: []term.SampledValue{{Value: 1_500, Context: term.TransactionEnd}, {Value: 230_000, Measurand: term.Voltage}}}
	got := w.line(station.MeterValues{EVSE: 2, Values: []term.MeterValue{v}})
	want := `{"value":"{\"signedMeterData\":\"T0NNRnx7fXx7fQ==\",\"signingMethod\":\"\",\"encodingMethod\":\"OCMF\",\"publicKey\":\"b2NhOmJhc2UxNjphc24xOmMwZGU=\"}",` +
		`"context":"Transaction.End","format":"SignedData","measurand":"Energy.Active.Import.Register","unit":"Wh"}]`
	if !strings.Contains(got, want) || !strings.Contains(got, `{"value":"1.5","context":"Transaction.End"`) {
		t.Errorf("got %s", got)
	}
	v.Sampled = v.Sampled[1:]
	if got := w.line(station.MeterValues{EVSE: 2, Values: []term.MeterValue{v}}); strings.Contains(got, "SignedData") {
		t.Errorf("got %s", got)
	}
}
