package msg2

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
)

var benchTime = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func benchValues() []MeterValue {
	var samples []SampledValue
	for _, phase := range []Phase{PhaseL1N, PhaseL2N, PhaseL3N} {
		for _, measurand := range []Measurand{MeasurandCurrentImport, MeasurandVoltage, MeasurandPowerActiveImport} {
			samples = append(samples, SampledValue{
				Value: rpc.Scaled(23015, -2), Context: ReadingContextSamplePeriodic, Measurand: measurand, Phase: phase,
				Location: LocationOutlet, UnitOfMeasure: Some(UnitOfMeasure{Unit: Some("A"), Multiplier: Some(0)}),
			})
		}
	}
	return []MeterValue{{Timestamp: benchTime, SampledValue: samples}}
}

func benchMessages() map[string]Message {
	return map[string]Message{
		"BootNotification": &BootNotificationRequest{
			Reason: BootReasonPowerUp,
			ChargingStation: ChargingStation{Model: "Model 3", VendorName: "evsed", SerialNumber: Some("0000012345"), FirmwareVersion: Some("1.2.3"),
				Modem: Some(Modem{ICCID: Some("89310410106543789301"), IMSI: Some("310170845466094")})},
		},
		"MeterValues": &MeterValuesRequest{EVSEID: 1, MeterValue: benchValues()},
		"TransactionEvent": &TransactionEventRequest{
			EventType: TransactionEventUpdated, Timestamp: benchTime, TriggerReason: TriggerReasonMeterValuePeriodic, SeqNo: 42,
			TransactionInfo: Transaction{TransactionID: "6b1d7a40-1f0e-4b65-9e8f-0c3f6c1f6f11", ChargingState: ChargingStateCharging},
			EVSE:            Some(EVSE{ID: 1, ConnectorID: Some(1)}),
			IdToken:         Some(IdToken{IdToken: "04A1B2C3D4E5F6", Type: IdTokenEnumISO14443, AdditionalInfo: []AdditionalInfo{{AdditionalIdToken: "x", Type: "y"}}}),
			MeterValue:      benchValues(),
		},
	}
}

var benchOrder = []string{"BootNotification", "MeterValues", "TransactionEvent"}

func TestAllocations(t *testing.T) {
	for name, m := range benchMessages() {
		text, err := AppendJSON(nil, m, V201)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		buf := make([]byte, 0, len(text))
		if n := testing.AllocsPerRun(100, func() { AppendJSON(buf, m, V201) }); n != 0 {
			t.Errorf("%s: encode allocates %v times", name, n)
		}
		raw := rpc.AppendCall(nil, "1", name, text)
		var b rpc.Body
		if n := testing.AllocsPerRun(100, func() { readFrame(t, raw, &b, m) }); n > 1 {
			t.Errorf("%s: parse and decode allocate %v times, want the copy of the frame", name, n)
		}
	}
	var b rpc.Body
	x := &BootNotificationRequest{}
	raw := []byte(`[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"\u0041","vendorName":"\u0042","serialNumber":"\n","firmwareVersion":"\t"}}]`)
	if n := testing.AllocsPerRun(100, func() { readFrame(t, raw, &b, x) }); n > 2 {
		t.Errorf("with escapes: parse and decode allocate %v times, want at most 2", n)
	}
}

func readFrame(t testing.TB, raw []byte, b *rpc.Body, m Message) {
	f, err := rpc.Parse(raw, V201, rpc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b.Reset(f.Payload, rpc.Limits{})
	if err := Decode(b, m, V201); err != nil {
		t.Fatal(err)
	}
}

// plain* are the same messages for encoding/json, without any check.
type plainBoot struct {
	Reason          string `json:"reason"`
	ChargingStation struct {
		SerialNumber string `json:"serialNumber,omitempty"`
		Model        string `json:"model"`
		Modem        *struct {
			ICCID string `json:"iccid,omitempty"`
			IMSI  string `json:"imsi,omitempty"`
		} `json:"modem,omitempty"`
		VendorName      string `json:"vendorName"`
		FirmwareVersion string `json:"firmwareVersion,omitempty"`
	} `json:"chargingStation"`
}

type plainValue struct {
	Timestamp    time.Time `json:"timestamp"`
	SampledValue []struct {
		Value         float64 `json:"value"`
		Measurand     string  `json:"measurand,omitempty"`
		Context       string  `json:"context,omitempty"`
		Phase         string  `json:"phase,omitempty"`
		Location      string  `json:"location,omitempty"`
		UnitOfMeasure *struct {
			Unit       string `json:"unit,omitempty"`
			Multiplier *int   `json:"multiplier,omitempty"`
		} `json:"unitOfMeasure,omitempty"`
	} `json:"sampledValue"`
}

type plainValues struct {
	EVSEID     int          `json:"evseId"`
	MeterValue []plainValue `json:"meterValue"`
}

type plainEvent struct {
	EventType       string       `json:"eventType"`
	MeterValue      []plainValue `json:"meterValue,omitempty"`
	Timestamp       time.Time    `json:"timestamp"`
	TriggerReason   string       `json:"triggerReason"`
	SeqNo           int          `json:"seqNo"`
	TransactionInfo struct {
		TransactionID string `json:"transactionId"`
		ChargingState string `json:"chargingState,omitempty"`
	} `json:"transactionInfo"`
	EVSE *struct {
		ID          int  `json:"id"`
		ConnectorID *int `json:"connectorId,omitempty"`
	} `json:"evse,omitempty"`
	IdToken *struct {
		AdditionalInfo []struct {
			AdditionalIdToken string `json:"additionalIdToken"`
			Type              string `json:"type"`
		} `json:"additionalInfo,omitempty"`
		IdToken string `json:"idToken"`
		Type    string `json:"type"`
	} `json:"idToken,omitempty"`
}

func plain(name string) any {
	switch name {
	case "BootNotification":
		return &plainBoot{}
	case "MeterValues":
		return &plainValues{}
	}
	return &plainEvent{}
}

func BenchmarkEncode(b *testing.B) {
	messages := benchMessages()
	for _, name := range benchOrder {
		m := messages[name]
		text, _ := AppendJSON(nil, m, V201)
		b.Run(name+"/msg2", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			buf := make([]byte, 0, len(text))
			for b.Loop() {
				if _, err := AppendJSON(buf, m, V201); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encodingjson", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			v := plain(name)
			if err := json.Unmarshal(text, v); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	messages := benchMessages()
	for _, name := range benchOrder {
		m := messages[name]
		text, _ := AppendJSON(nil, m, V201)
		b.Run(name+"/msg2", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var body rpc.Body
			for b.Loop() {
				body.Reset(string(text), rpc.Limits{})
				if err := Decode(&body, m, V201); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/frame", func(b *testing.B) {
			b.ReportAllocs()
			raw := rpc.AppendCall(nil, "1", name, text)
			b.SetBytes(int64(len(raw)))
			var body rpc.Body
			for b.Loop() {
				readFrame(b, raw, &body, m)
			}
		})
		b.Run(name+"/encodingjson", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := json.Unmarshal(text, plain(name)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
