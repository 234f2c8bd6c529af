package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// sample is one message as it stands in a station's log: what all codecs are given.
type sample struct {
	action string
	text   string
}

// samples are the three messages of the goals. The two with meter values carry nine, as a three-phase meter gives them.
func samples() []sample {
	values := meterValues()
	return []sample{
		{"BootNotification", `{"chargingStation":{"serialNumber":"0000012345","model":"Model 3","modem":{"iccid":"89310410106543789301",` +
			`"imsi":"310170845466094"},"vendorName":"evsed","firmwareVersion":"1.2.3"},"reason":"PowerUp"}`},
		{"MeterValues", `{"evseId":1,"meterValue":` + values + `}`},
		{"TransactionEvent", `{"eventType":"Updated","meterValue":` + values + `,"timestamp":"2026-11-22T07:01:35.120Z",` +
			`"triggerReason":"MeterValuePeriodic","seqNo":42,"transactionInfo":{"transactionId":"6b1d7a40-1f0e-4b65-9e8f-0c3f6c1f6f11",` +
			`"chargingState":"Charging"},"evse":{"id":1,"connectorId":1},"idToken":{"additionalInfo":[{"additionalIdToken":"x",` +
			`"type":"y"}],"idToken":"04A1B2C3D4E5F6","type":"ISO14443"}}`},
	}
}

func meterValues() string {
	var parts []string
	for _, phase := range []string{"L1-N", "L2-N", "L3-N"} {
		for _, m := range [][2]string{{"Current.Import", "A"}, {"Voltage", "V"}, {"Power.Active.Import", "W"}} {
			parts = append(parts, fmt.Sprintf(`{"value":230.15,"measurand":"%s","context":"Sample.Periodic","phase":"%s","unitOfMeasure":`+
				`{"unit":"%s","multiplier":0},"location":"Outlet"}`, m[0], phase, m[1]))
		}
	}
	return `[{"sampledValue":[` + strings.Join(parts, ",") + `],"timestamp":"2026-11-22T07:01:35.120Z"}]`
}

// call is the sample as a CALL on the wire.
func (s sample) call() []byte {
	return []byte(`[2,"` + callID + `","` + s.action + `",` + s.text + `]`)
}

const callID = "5f2c9a52-6c0b-4a53-a0a1-0d9d9f8f3f01"

// message is the sample as msg2 has it.
func (s sample) message() (msg2.Message, error) {
	m, ok := msg2.NewRequest(s.action, rpc.V201)
	if !ok {
		return nil, fmt.Errorf("no message %s", s.action)
	}
	var b rpc.Body
	b.Reset(s.text, rpc.Limits{})
	return m, msg2.Decode(&b, m, rpc.V201)
}

// plain is the sample as encoding/json has it: types of our own, nothing checked.
func (s sample) plain() any {
	switch s.action {
	case "BootNotification":
		return new(plainBoot)
	case "MeterValues":
		return new(plainValues)
	}
	return new(plainEvent)
}

type plainBoot struct {
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
	Reason string `json:"reason"`
}

type plainValue struct {
	SampledValue []plainSample `json:"sampledValue"`
	Timestamp    time.Time     `json:"timestamp"`
}

type plainSample struct {
	Value         float64 `json:"value"`
	Measurand     string  `json:"measurand,omitempty"`
	Context       string  `json:"context,omitempty"`
	Phase         string  `json:"phase,omitempty"`
	UnitOfMeasure *struct {
		Unit       string `json:"unit,omitempty"`
		Multiplier *int   `json:"multiplier,omitempty"`
	} `json:"unitOfMeasure,omitempty"`
	Location string `json:"location,omitempty"`
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
