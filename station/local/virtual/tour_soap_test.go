package virtual

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
)

const toursSOAP = 12

// Over SOAP every message of the tour goes through an envelope on its way. In the older versions the CSMS's words are put into
// those of 1.6 behind it, and back, so that the books are the same.
func TestTourSOAP15(t *testing.T) { tourSOAP(t, toursSOAP, rpc.V16, soap.V15) }

func TestTourSOAP16(t *testing.T) { tourSOAP(t, toursSOAP/2, rpc.V16, soap.V16) }

func TestTourSOAP12(t *testing.T) { tourSOAP(t, toursSOAP/2, rpc.V16, soap.V12) }

// tourSOAP is not for the race detector: a tour has one goroutine, and 20 of TestTour are enough for it.
func tourSOAP(t *testing.T, n int, v rpc.Version, over soap.Version) {
	if testing.Short() {
		t.Skip("short: TestTour and TestTour16 stand for the tours over SOAP")
	}
	tourAll(t, n, v, over)
}

// post carries frames in envelopes. The zero value carries them as they are.
type post struct {
	version soap.Version
	asked   map[string]string // the action of a message by its id, of the station's calls with a minus in front
}

// toCSMS returns a frame of the station as a CSMS of 1.6 gets it.
func (p *post) toCSMS(frame []byte) ([]byte, error) {
	if p.version == 0 {
		return frame, nil
	}
	return p.carry(frame, soap.CentralSystem, soap.ChargePoint, "-", "", p.newer)
}

// toStation returns a frame of a CSMS of 1.6 as the station gets it.
func (p *post) toStation(frame []byte) ([]byte, error) {
	if p.version == 0 {
		return frame, nil
	}
	return p.carry(frame, soap.ChargePoint, soap.CentralSystem, "", "-", p.older)
}

// carry sends a frame through an envelope: calls ask one service, answers are those of the other. Words are changed on the
// CSMS's side.
func (p *post) carry(frame []byte, asks, answers soap.Side, mine, others string, words func(action, payload string, response bool) (string, error)) ([]byte, error) {
	f, err := rpc.Parse(frame, rpc.V16, rpc.Limits{})
	if err != nil {
		return nil, err
	}
	if p.asked == nil {
		p.asked = map[string]string{}
	}
	side, action, response := asks, f.Action, f.Type != rpc.Call
	if response {
		side, action = answers, p.asked[others+f.ID]
	} else {
		p.asked[mine+f.ID] = action
	}
	if f.Type == rpc.CallError {
		raw := soap.AppendFault(nil, p.version, side, soap.Header{}, soap.FaultOf(f.ErrorCode, f.ErrorDescription))
		m, err := soap.Parse(raw, side)
		if err != nil {
			return nil, err
		}
		return rpc.AppendCallError(nil, f.ID, m.Fault.ErrorCode(), m.Fault.Reason), nil
	}
	payload := f.Payload
	if mine == "" {
		if payload, err = words(action, payload, response); err != nil {
			return nil, err
		}
	}
	if payload, err = p.through(side, action, payload, response); err != nil {
		return nil, fmt.Errorf("%s: %w", frame, err)
	}
	if mine != "" {
		if payload, err = words(action, payload, response); err != nil {
			return nil, err
		}
	}
	if response {
		return rpc.AppendCallResult(nil, f.ID, []byte(payload)), nil
	}
	return rpc.AppendCall(nil, f.ID, action, []byte(payload)), nil
}

// through writes a payload as an envelope and reads that.
func (p *post) through(side soap.Side, action, payload string, response bool) (string, error) {
	write := soap.AppendRequest
	if response {
		write = soap.AppendResponse
	}
	raw, err := write(nil, p.version, side, action, soap.Header{Identity: name, MessageID: "urn:x"}, payload)
	if err != nil {
		return "", err
	}
	m, err := soap.Parse(raw, side)
	if err == nil && (m.Operation != action || m.Version != p.version || m.Response != response) {
		err = fmt.Errorf("read as %s of %s", m.Operation, m.Version)
	}
	return string(m.Payload), err
}

type object = map[string]any

// newer puts what the station says into the words of 1.6.
func (p *post) newer(action, payload string, response bool) (string, error) {
	if p.version == soap.V16 || response {
		return payload, nil
	}
	return edit(payload, func(m object) {
		switch action {
		case "StatusNotification":
			if m["status"] == "Occupied" {
				m["status"] = "Preparing"
			}
			if m["errorCode"] == "Mode3Error" {
				m["errorCode"] = "EVCommunicationError"
			}
		case "MeterValues":
			m["meterValue"] = newValues(m["values"].([]any))
			delete(m, "values")
		case "StopTransaction":
			if data, ok := m["transactionData"].([]any); ok {
				m["transactionData"] = newValues(data[0].(object)["values"].([]any))
			}
		}
	})
}

// newValues are meter values as 1.6 has them.
func newValues(values []any) []any {
	for _, v := range values {
		m := v.(object)
		samples, ok := m["value"].([]any)
		if !ok { // 1.2
			samples = []any{object{"value": fmt.Sprint(m["value"])}}
		}
		for _, s := range samples {
			if unit, ok := s.(object)["unit"].(string); ok {
				s.(object)["unit"] = strings.NewReplacer("Amp", "A", "Volt", "V").Replace(unit)
			}
		}
		m["sampledValue"] = samples
		delete(m, "value")
	}
	return values
}

// older puts what the CSMS says into the words of the version.
func (p *post) older(action, payload string, response bool) (string, error) {
	if p.version == soap.V16 || action != "BootNotification" || !response {
		return payload, nil
	}
	return edit(payload, func(m object) {
		m["heartbeatInterval"] = m["interval"]
		delete(m, "interval")
		if m["status"] == "Pending" { // which they do not know
			m["status"] = "Rejected"
		}
	})
}

func edit(payload string, change func(object)) (string, error) {
	d := json.NewDecoder(strings.NewReader(payload))
	d.UseNumber()
	m := object{}
	if err := d.Decode(&m); err != nil {
		return "", err
	}
	change(m)
	out, err := json.Marshal(m)
	return string(out), err
}
