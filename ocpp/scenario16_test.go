package ocpp_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

// The stories are told in the core's words or in messages of 2.x. How a CSMS of 1.6 would say the same, and how it answers
// what later messages rest on, is here.

// generation1 is what a script of 1.x needs besides.
type generation1 struct {
	numbers map[term.TransactionID]int // that the CSMS gave
}

func script16() *script {
	return &script{Dialect: dialect16.New(stationtest.DefaultEVSEs()), suffix: ".v16.json", table: ocpp.NewTable(), old: &generation1{numbers: map[term.TransactionID]int{}}}
}

// answer gives the CSMS's answer to a call that begins a transaction, as soon as it is sent. A CSMS gives a transaction one
// number, however often it hears of its begin.
func (d *script) answer(c ocpp.Call) error {
	if d.old == nil || c.Transaction == "" {
		return nil
	}
	n, ok := d.old.numbers[c.Transaction]
	if !ok {
		n = 100 + len(d.old.numbers)
		d.old.numbers[c.Transaction] = n
	}
	_, err := d.Result(c, fmt.Sprintf(`{"idTagInfo":{"status":"Accepted"},"transactionId":%d}`, n), d.table)
	return err
}

// ask says a request as a CSMS of 1.6 does, and checks that the dialect understands the same kind of request. What no
// message of 1.6 says is not said.
func (d *script) ask(at time.Duration, r station.Request) error {
	for _, m := range d.old.messages(d.before(r)) {
		if !d.has(m.action) {
			continue
		}
		d.add(at, "<", "CALL", m.action, []byte(m.payload))
		got, err := d.Request(m.action, m.payload, d.table, nowhere{})
		if err != nil {
			return fmt.Errorf("%s %s: %w", m.action, m.payload, err)
		}
		if reflect.TypeOf(got) != reflect.TypeOf(r) {
			return fmt.Errorf("%s %s: understood as %T", m.action, m.payload, got)
		}
	}
	return nil
}

// called is a message of 1.6 that the CSMS sent.
type called struct {
	request station.Request
	action  string
}

// callOwn lets the CSMS send a message of 1.6: "call ACTION {...}" in a story that is told in 1.6 alone.
func (s *story) callOwn(line string) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) != 3 || !json.Valid([]byte(words[2])) {
		return fmt.Errorf("want call ACTION {...}")
	}
	d, action := s.scripts[0], words[1]
	d.add(s.ear.Now(), "<", "CALL", action, []byte(words[2]))
	r, err := d.Request(action, words[2], d.table, s.ear)
	if refused, ok := err.(*ocpp.RequestError); ok {
		d.refuse(s.ear.Now(), action, refused.Code, refused.Description)
		return nil
	}
	if list, ok := r.(station.SendLocalList); ok {
		r = s.ear.Staged(list)
	}
	s.called = append(s.called, called{r, action})
	return s.ear.Ask(r)
}

// action16 is the action that a response answers.
func (s *story) action16(r station.Request) string {
	for i := len(s.called) - 1; i >= 0; i-- {
		if reflect.DeepEqual(s.called[i].request, r) {
			return s.called[i].action
		}
	}
	return action16(r)
}

// TestScenarios16 plays stories whose CSMS speaks 1.6, for what only a message of 1.6 asks for.
func TestScenarios16(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario16/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".txt")
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := play(t, string(text), []*script{script16()})[0]
			compare(t, name+s.suffix, s.golden())
		})
	}
}

// answers are the answers to the messages that a request is: where it is said in 1.6 too, there is one for each variable
// that was set.
func (d *script) answers(body station.ResponseBody, too bool) []station.ResponseBody {
	s, ok := body.(station.VariablesSet)
	if d.old == nil || !ok || !too {
		return []station.ResponseBody{body}
	}
	var each []station.ResponseBody
	for _, r := range s.Results {
		each = append(each, station.VariablesSet{Results: []model.SetResult{r}})
	}
	return each
}

// action16 is the action of 1.6 by which a request of the core could have come, "" if there is none.
func action16(r station.Request) string {
	switch r := r.(type) {
	case station.RequestStart:
		return "RemoteStartTransaction"
	case station.RequestStop:
		return "RemoteStopTransaction"
	case station.SetVariables:
		return "ChangeConfiguration"
	case station.Reset:
		if r.Kind != station.ResetImmediate || r.EVSE != 0 {
			return ""
		}
	case station.UpdateFirmware: // whose certificate was left out no message of 1.6 can be
		switch {
		case r.Plain:
			return "UpdateFirmware"
		case r.Certificate == "" || r.Signature == "":
			return ""
		}
		return "SignedUpdateFirmware"
	case station.TriggerMessage:
		switch r.Message {
		case "BootNotification", "LogStatusNotification", "FirmwareStatusNotification", "Heartbeat", "MeterValues", "StatusNotification":
		case "SignChargingStationCertificate":
			return "ExtendedTriggerMessage"
		default:
			return ""
		}
	case station.SetChargingProfile: // one schedule, and no purpose for external constraints
		if len(r.Profile.Schedules) != 1 || r.Profile.Purpose == schedule.PurposeExternal {
			return ""
		}
	case station.ClearChargingProfile:
		if len(r.Filter.IDs) > 1 || r.Filter.Purpose == schedule.PurposeExternal {
			return ""
		}
	case station.GetInstalledCertificateIds: // one use at a time
		if len(r.Uses) != 1 || use16(r.Uses[0]) == "" {
			return ""
		}
	case station.InstallCertificate:
		if use16(r.Use) == "" {
			return ""
		}
	case station.CertificateSigned:
		if r.Use != cert.ChargingStationCertificate {
			return ""
		}
	case station.GetVariables, station.GetBaseReport, station.GetReport, station.GetTransactionStatus, station.CustomerInformation,
		station.SetNetworkProfile, station.GetChargingProfiles:
		return ""
	}
	return actionOf(r)
}

// use16 is what 1.6 calls the use of a root, "" for one that it does not have.
func use16(u cert.Use) string {
	switch u {
	case cert.CSMSRootCertificate:
		return "CentralSystemRootCertificate"
	case cert.ManufacturerRootCertificate:
		return string(u)
	}
	return ""
}

// message is a CALL of 1.6.
type message struct{ action, payload string }

// messages says a request in 1.6: one message, or one for each variable that is set.
func (g *generation1) messages(r station.Request) []message {
	action := action16(r)
	if action == "" {
		return nil
	}
	if s, ok := r.(station.SetVariables); ok {
		var ms []message
		for _, i := range s.Items {
			ms = append(ms, say(action, "key", key16(i), "value", i.Value))
		}
		return ms
	}
	return []message{g.message(action, r)}
}

func (g *generation1) message(action string, r station.Request) message {
	switch r := r.(type) {
	case station.ChangeAvailability:
		kind := "Inoperative"
		if r.Operative {
			kind = "Operative"
		}
		return say(action, "connectorId", number16(r.Ref), "type", kind)
	case station.DataTransfer:
		return say(action, "vendorId", r.VendorID)
	case station.RequestStart:
		m := []any{"idTag", r.Token.Value}
		if r.EVSE != 0 {
			m = append(m, "connectorId", number16(term.Ref{EVSE: r.EVSE}))
		}
		if r.HasProfile {
			m = append(m, "chargingProfile", g.profile(r.Profile))
		}
		return say(action, m...)
	case station.SetChargingProfile:
		return say(action, "connectorId", number16(term.Ref{EVSE: r.EVSE}), "csChargingProfiles", g.profile(r.Profile))
	case station.ClearChargingProfile:
		return say(action, clear16(r.Filter)...)
	case station.GetCompositeSchedule:
		m := []any{"connectorId", number16(term.Ref{EVSE: r.EVSE}), "duration", int(r.Duration / time.Second)}
		if r.Unit != "" {
			m = append(m, "chargingRateUnit", r.Unit)
		}
		return say(action, m...)
	case station.RequestStop:
		n, ok := g.numbers[r.Transaction]
		if !ok {
			n = 99
		}
		return say(action, "transactionId", n)
	case station.Reset:
		return say(action, "type", "Soft")
	case station.SendLocalList:
		return say(action, "listVersion", max(r.Version, 1), "updateType", map[bool]string{true: "Full", false: "Differential"}[r.Full])
	case station.TriggerMessage:
		m := []any{"requestedMessage", strings.NewReplacer("LogStatus", "DiagnosticsStatus", "ChargingStation", "ChargePoint").Replace(r.Message)}
		if r.HasEVSE {
			m = append(m, "connectorId", number16(r.Ref))
		}
		return say(action, m...)
	case station.UnlockConnector:
		return say(action, "connectorId", number16(r.Ref))
	case station.ReserveNow:
		return say(action, "connectorId", number16(term.Ref{EVSE: r.EVSE}), "expiryDate", r.Expiry.Format(time.RFC3339), "idTag", r.Token.Value, "reservationId", r.ID)
	case station.GetLog:
		m := []any{"logType", r.LogType, "requestId", r.RequestID, "log", map[string]string{"remoteLocation": r.URL}}
		if r.HasRetries {
			m = append(m, "retries", r.Retries)
		}
		if r.RetryInterval != 0 {
			m = append(m, "retryInterval", int(r.RetryInterval/time.Second))
		}
		return say(action, m...)
	case station.InstallCertificate:
		return say(action, "certificateType", use16(r.Use), "certificate", r.PEM)
	case station.GetInstalledCertificateIds:
		return say(action, "certificateType", use16(r.Uses[0]))
	case station.DeleteCertificate:
		return say(action, "certificateHashData", map[string]string{"hashAlgorithm": r.Hash.Algorithm, "issuerNameHash": r.Hash.IssuerNameHash,
			"issuerKeyHash": r.Hash.IssuerKeyHash, "serialNumber": r.Hash.Serial})
	case station.CertificateSigned:
		return say(action, "certificateChain", r.Chain)
	case station.CancelReservation:
		return say(action, "reservationId", r.ID)
	case station.ClearCache, station.GetLocalListVersion:
		return say(action)
	}
	panic(fmt.Sprintf("no message of 1.6 is written for %T", r))
}

// profile says a charging profile.
func (g *generation1) profile(p schedule.Profile) json.RawMessage {
	s := p.Schedules[0]
	var periods []json.RawMessage
	for _, period := range s.Periods {
		m := []any{"startPeriod", int(period.Start / time.Second), "limit", json.Number(rpc.Milli(period.Limit / 100 * 100).String())}
		if period.Phases != 0 {
			m = append(m, "numberPhases", period.Phases)
		}
		periods = append(periods, json.RawMessage(say("", m...).payload))
	}
	plan := []any{"chargingRateUnit", s.Unit, "chargingSchedulePeriod", periods}
	if s.Duration != 0 {
		plan = append(plan, "duration", int(s.Duration/time.Second))
	}
	if !s.Start.IsZero() {
		plan = append(plan, "startSchedule", s.Start.Format(time.RFC3339))
	}
	m := []any{"chargingProfileId", p.ID, "stackLevel", p.StackLevel, "chargingProfilePurpose", strings.Replace(string(p.Purpose), "ChargingStation", "ChargePoint", 1),
		"chargingProfileKind", p.Kind, "chargingSchedule", json.RawMessage(say("", plan...).payload)}
	if p.Recurrency != "" {
		m = append(m, "recurrencyKind", p.Recurrency)
	}
	if p.Transaction != "" {
		m = append(m, "transactionId", g.numbers[p.Transaction])
	}
	if !p.ValidFrom.IsZero() {
		m = append(m, "validFrom", p.ValidFrom.Format(time.RFC3339))
	}
	if !p.ValidTo.IsZero() {
		m = append(m, "validTo", p.ValidTo.Format(time.RFC3339))
	}
	return json.RawMessage(say("", m...).payload)
}

func clear16(f station.ProfileFilter) []any {
	var m []any
	if len(f.IDs) > 0 {
		m = append(m, "id", f.IDs[0])
	}
	if f.HasEVSE {
		m = append(m, "connectorId", number16(term.Ref{EVSE: f.EVSE}))
	}
	if f.Purpose != "" {
		m = append(m, "chargingProfilePurpose", strings.Replace(string(f.Purpose), "ChargingStation", "ChargePoint", 1))
	}
	if f.HasStack {
		m = append(m, "stackLevel", f.Stack)
	}
	return m
}

// say writes a message with members in their order.
func say(action string, members ...any) message {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(members); i += 2 {
		value, err := json.Marshal(members[i+1])
		if err != nil {
			panic(err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(members[i].(string)) + ":" + string(value))
	}
	return message{action, b.String() + "}"}
}

// key16 is the name of a variable that is no key of the standard, and that of those that the stories set.
func key16(i model.SetItem) string {
	name := i.Component.String() + "." + i.Variable.String()
	for key, variable := range map[string]string{
		"MeterValueSampleInterval": "SampledDataCtrlr.TxUpdatedInterval", "MeterValuesSampledData": "SampledDataCtrlr.TxUpdatedMeasurands",
		"ClockAlignedDataInterval": "AlignedDataCtrlr.Interval", "StopTxnAlignedData": "AlignedDataCtrlr.TxEndedMeasurands",
		"LocalPreAuthorize": "AuthCtrlr.LocalPreAuthorize", "ConnectionTimeOut": "TxCtrlr.EVConnectionTimeOut",
	} {
		if name == variable {
			return key
		}
	}
	return name
}

// number16 is the number of a connector: those of the stories' station are 1 and 2 at EVSE 1, and 3 at EVSE 2.
func number16(r term.Ref) int {
	n := 0
	for _, e := range stationtest.DefaultEVSEs() {
		for _, c := range e.Connectors {
			n++
			if e.ID == r.EVSE && (c.ID == r.Connector || r.Connector == 0) {
				return n
			}
		}
	}
	if r.EVSE == 0 {
		return 0
	}
	return n + 1
}
