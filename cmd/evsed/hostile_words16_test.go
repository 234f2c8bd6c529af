package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// words16 are those of 1.6.
var words16 = words{
	brief:       true,
	versions:    `"ocpp1.6"`,
	token:       `{"idTag":"%014X","idTagInfo":{"status":"Accepted","expiryDate":"2031-01-01T00:00:00Z","parentIdTag":"GROUP%06d"}}`,
	listVersion: "listVersion",
	much:        `"GetConfiguration",{}`,
	answers: map[string]func() string{
		"Authorize": func() string { return `{"idTagInfo":{"status":"Accepted"}}` },
		"StartTransaction": func() string {
			return fmt.Sprintf(`{"transactionId":%d,"idTagInfo":{"status":"Accepted"}}`, numbers.Add(1))
		},
		"DataTransfer": func() string { return `{"status":"UnknownVendorId"}` },
	},
	everything: wholeConfiguration,
	last: []ask{
		{"TriggerMessage", `{"requestedMessage":"Heartbeat"}`, "Accepted", "Heartbeat"},
		{"GetConfiguration", `{}`, `"MeterValueSampleInterval"`, ""},
	},
	misshapen: []string{`[2,"x1","TriggerMessage"]`, `[2,"x2","ClearCache",{"":{}}]`, `[3,"x3",[]]`, `[3,"x4","Accepted"]`, `[4,"x5","GenericError"]`,
		`[4,"x6",{},[],""]`, `[3,7,{}]`, `[2,"x7","clearCache",{}]`, `[2,"x8","CLEARCACHE",{}]`, `[2,"x9","Reset",{"type":"Soft","type":"Soft"}]`},
	attacks: attacks16(),
}

// numbers are those of transactions.
var numbers atomic.Int64

func attacks16() []attack {
	const (
		keys   = `[2,"l1","GetConfiguration",{"key":[`
		period = `{"startPeriod":0,"limit":16.0,"numberPhases":3}`
	)
	return append([]attack{
		{name: "wrong words of 1.6", quick: true, run: refused(wrong16...)},
		{name: "StartTransaction: wrong answers", quick: true, run: starts(wrongStarts...)},
		{name: "number of 500 kB", run: stuffed(`[2,"s6","UnlockConnector",{"connectorId":`, "9", 5e5, `}]`)},
		{name: "GetConfiguration of 10^6 keys", run: stuffed(keys, `"HeartbeatInterval",`, 1e6, `"x"]}]`)},
		{name: "GetConfiguration of 5000 keys", quick: true, run: stuffed(keys, `"HeartbeatInterval",`, 5e3, `"x"]}]`)},
		{name: "GetConfiguration of 1000 long keys", run: stuffed(keys, `"`+strings.Repeat("k", 100)+`",`, 1e3, `"x"]}]`)},
		{name: "ChangeConfiguration of 500 kB", run: stuffed(`[2,"l3","ChangeConfiguration",{"key":"MeterValuesSampledData","value":"`, "Voltage,", 6e4, `Voltage"}]`)},
		{name: "ChangeConfiguration of 100 kB", quick: true, run: stuffed(`[2,"l3","ChangeConfiguration",{"key":"MeterValuesSampledData","value":"`, "Voltage,", 12e3, `Voltage"}]`)},
		{name: "members: 10^5 in one object", quick: true, run: stuffed(`[2,"l4","Reset",{"x":1`, `,"a":1`, 8e4, `}]`)},
		{name: "members: 10^4 in one object", run: stuffed(`[2,"l4","Reset",{"x":1`, `,"a":1`, 1e4, `}]`)},
		{name: "SetChargingProfile of 2000 periods", quick: true, run: stuffed(`[2,"p1","SetChargingProfile",`+profile("1", period+","), period+",", 2e3, period+"]}}}]")},
		{name: "SetChargingProfile of 10^5 periods", run: stuffed(`[2,"p2","SetChargingProfile",`+profile("1", period+","), period+",", 1e5, period+"]}}}]")},
		{name: "RemoteStartTransaction with 2000 periods", run: stuffed(`[2,"p3","RemoteStartTransaction",{"idTag":"R",`+strings.TrimPrefix(strings.Replace(profile("2", ""), "csChargingProfiles", "chargingProfile", 1), "{"), period+",", 2e3, period+"]}}}]")},
	}, floods16()...)
}

// profile begins the payload of SetChargingProfile, as far as into its periods.
func profile(connector, periods string) string {
	return `{"connectorId":` + connector + `,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative",` +
		`"chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[` + periods
}

func floods16() []attack {
	return []attack{
		{name: "flood: GetConfiguration", run: flood(2e3, func(int) string { return `"GetConfiguration",{}` })},
		{name: "flood: triggered meter values", run: flood(2e3, func(int) string { return `"TriggerMessage",{"requestedMessage":"MeterValues","connectorId":1}` })},
		{name: "flood: triggered statuses", run: flood(2e3, func(int) string { return `"TriggerMessage",{"requestedMessage":"StatusNotification"}` })},
		{name: "flood: ChangeConfiguration", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"ChangeConfiguration",{"key":"HeartbeatInterval","value":"%d"}`, 300+i%1000)
		})},
		{name: "flood: ChangeAvailability", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"ChangeAvailability",{"type":%q,"connectorId":2}`, [...]string{"Inoperative", "Operative"}[i%2])
		})},
		{name: "flood: SendLocalList", run: flood(500, func(i int) string {
			return fmt.Sprintf(`"SendLocalList",{"listVersion":%d,"updateType":"Full","localAuthorizationList":[{"idTag":"T%d","idTagInfo":{"status":"Accepted"}}]}`, i+1, i)
		})},
		{name: "flood: remote starts", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"RemoteStartTransaction",{"connectorId":2,"idTag":"R%d"}`, i)
		})},
		{name: "flood: remote stops", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"RemoteStopTransaction",{"transactionId":%d}`, 1e6+i)
		})},
		{name: "flood: ReserveNow", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"ReserveNow",{"connectorId":3,"expiryDate":%q,"idTag":"R%d","parentIdTag":"P","reservationId":%d}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339), i, i)
		})},
		{name: "flood: SetChargingProfile", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"SetChargingProfile",%s{"startPeriod":0,"limit":%d}]}}}`, strings.Replace(profile("2", ""), `"chargingProfileId":1`, fmt.Sprintf(`"chargingProfileId":%d`, i), 1), 6+i%10)
		})},
		{name: "flood: GetCompositeSchedule", run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"GetCompositeSchedule",{"connectorId":%d,"duration":2147483647,"chargingRateUnit":"W"}`, i%4)
		})},
		{name: "flood: DataTransfer", run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"DataTransfer",{"vendorId":"v%d","messageId":"m","data":"d"}`, i)
		})},
		{name: "flood: UnlockConnector", wrote: mostWrote, run: flood(2e3, func(i int) string { return `"UnlockConnector",{"connectorId":3}` })},
	}
}

// wrong16 are requests, action and payload, that a station of 1.6 must refuse.
var wrong16 = [][2]string{
	{"Reset", `{}`}, {"Reset", `{"type":"soft"}`}, {"Reset", `{"type":["Soft"]}`}, {"Reset", `{"type":"Soft","type":"Hard"}`}, {"Reset", `{"type":null}`},
	{"ChangeAvailability", `{"connectorId":-1,"type":"Inoperative"}`}, {"ChangeAvailability", `{"connectorId":"1","type":"Inoperative"}`},
	{"ChangeAvailability", `{"connectorId":1.5,"type":"Inoperative"}`}, {"ChangeAvailability", `{"connectorId":1e30,"type":"Inoperative"}`},
	{"ChangeAvailability", `{"connectorId":9,"type":"Inoperative"}`}, {"ChangeAvailability", `{"connectorId":1,"type":"Broken"}`}, {"ChangeAvailability", `{"type":"Inoperative"}`},
	{"ChangeConfiguration", `{"key":7,"value":"1"}`}, {"ChangeConfiguration", `{"key":"HeartbeatInterval","value":300}`}, {"ChangeConfiguration", `{"key":"HeartbeatInterval"}`},
	{"ChangeConfiguration", `{"key":"HeartbeatInterval","value":"-1"}`}, {"ChangeConfiguration", `{"key":"HeartbeatInterval","value":"1e3"}`}, {"ChangeConfiguration", `{"key":"NumberOfConnectors","value":"7"}`},
	{"ChangeConfiguration", `{"key":"HeartbeatInterval","value":"99999999999999999999"}`}, {"ChangeConfiguration", `{"key":"MeterValuesSampledData","value":"Everything"}`},
	{"GetConfiguration", `{"key":"HeartbeatInterval"}`}, {"GetConfiguration", `{"key":[7]}`}, {"GetConfiguration", `{"key":[[]]}`}, {"GetConfiguration", `{"key":[null]}`},
	{"UnlockConnector", `{"connectorId":0}`}, {"UnlockConnector", `{"connectorId":-2147483649}`}, {"UnlockConnector", `{"connectorId":[1]}`}, {"UnlockConnector", `[1]`},
	{"RemoteStartTransaction", `{"idTag":7}`}, {"RemoteStartTransaction", `{"idTag":"123456789012345678901"}`}, {"RemoteStartTransaction", `{"connectorId":0,"idTag":"A"}`}, {"RemoteStartTransaction", `{"connectorId":true,"idTag":"A"}`},
	{"RemoteStopTransaction", `{"transactionId":1e30}`}, {"RemoteStopTransaction", `{"transactionId":"1"}`}, {"RemoteStopTransaction", `{"transactionId":-1}`}, {"RemoteStopTransaction", `{"transactionId":null}`},
	{"ReserveNow", `{"connectorId":3,"expiryDate":"tomorrow","idTag":"A","reservationId":1}`}, {"ReserveNow", `{"connectorId":3,"expiryDate":1893456000,"idTag":"A","reservationId":1}`},
	{"ReserveNow", `{"connectorId":3,"expiryDate":"2000-01-01T00:00:00Z","idTag":"A","reservationId":{}}`}, {"CancelReservation", `{"reservationId":"1"}`}, {"CancelReservation", `{"reservationId":4294967297}`},
	{"SendLocalList", `{"listVersion":"1","updateType":"Full"}`}, {"SendLocalList", `{"listVersion":1,"updateType":"Both"}`}, {"SendLocalList", `{"listVersion":1,"updateType":"Full","localAuthorizationList":{}}`},
	{"SetChargingProfile", profile("1", `{"startPeriod":0,"limit":"16"}]}}}`)}, {"SetChargingProfile", profile("1", `{"startPeriod":0,"limit":1e400}]}}}`)}, {"SetChargingProfile", profile("1", `{"startPeriod":0,"limit":-6}]}}}`)},
	{"SetChargingProfile", profile("1", `]}}}`)}, {"SetChargingProfile", profile("1", `{"startPeriod":5,"limit":6}]}}}`)}, {"SetChargingProfile", profile("9", `{"startPeriod":0,"limit":6}]}}}`)},
	{"SetChargingProfile", `{"connectorId":1,"csChargingProfiles":[]}`}, {"GetCompositeSchedule", `{"connectorId":1,"duration":-1}`}, {"GetCompositeSchedule", `{"connectorId":1,"duration":1e30}`}, {"GetCompositeSchedule", `{"connectorId":99,"duration":60}`},
	{"TriggerMessage", `{"requestedMessage":"Everything"}`}, {"TriggerMessage", `{"requestedMessage":"MeterValues","connectorId":99}`}, {"TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":"1"}`},
	{"DataTransfer", `{"vendorId":7}`}, {"DataTransfer", `{"data":"x"}`}, {"GetDiagnostics", `{"location":7}`}, {"UpdateFirmware", `{"location":"ftp://x"}`}, {"UpdateFirmware", `{"location":"ftp://x","retrieveDate":"never"}`},
	{"StartTransaction", `{"connectorId":1,"idTag":"A","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}`}, {"Heartbeat", `{}`}, {"GetBaseReport", `{"requestId":1,"reportBase":"FullInventory"}`}, {"ClearCache", `"x"`}, {"ClearChargingProfile", `{"id":"1"}`},
}

// refused sends requests that must be answered, and not be granted.
func refused(all ...[2]string) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		for _, r := range all {
			answer := p.ask(r[0], r[1])
			if answer == "" || !strings.HasPrefix(answer, "[4,") && (strings.Contains(answer, `"Accepted"`) || strings.Contains(answer, `"Unlocked"`) || strings.Contains(answer, `"Scheduled"`)) {
				s.t.Errorf("%s %.100s: answered %.200q", r[0], r[1], answer)
			}
		}
	}
}

// wrongStarts are payloads of StartTransaction.conf that no CSMS may send.
var wrongStarts = []string{`{"transactionId":"7","idTagInfo":{"status":"Accepted"}}`, `{"transactionId":1e30,"idTagInfo":{"status":"Accepted"}}`, `{"transactionId":2147483648,"idTagInfo":{"status":"Accepted"}}`,
	`{"transactionId":1.5,"idTagInfo":{"status":"Accepted"}}`, `{"idTagInfo":{"status":"Accepted"}}`, `{"transactionId":null,"idTagInfo":null}`,
	`{"transactionId":8,"idTagInfo":{"status":"Fine"}}`, `{"transactionId":9,"idTagInfo":{"status":"Accepted","expiryDate":"never"}}`, `{"transactionId":[10],"idTagInfo":[]}`}

// starts begins transactions at the other EVSE until each answer has been given to a StartTransaction. What the answers are
// worth does not matter, but the transactions end, and nothing of them stays in the queue.
func starts(payloads ...string) func(*siege) {
	return func(s *siege) {
		var next atomic.Int64
		s.foe.misbehave(nil, func(p *peer, c call) bool {
			if c.Action != "StartTransaction" {
				return false
			}
			p.write(fmt.Sprintf(`[3,%q,%s]`, c.ID, payloads[int(next.Add(1)-1)%len(payloads)]))
			return true
		})
		for next.Load() < int64(len(payloads)) {
			was := next.Load()
			s.do("/evses/2/plug", `{"connector":1,"ev":{"socPercent":5,"capacityWh":1000000}}`)
			var swiped time.Time
			s.until("StartTransaction is sent", func() bool {
				if st := s.state(); len(st.EVSEs) == 2 && st.EVSEs[1].Transaction == nil && time.Since(swiped) > 3*time.Second { // refused where the CSMS could not be asked
					s.do("/swipe", `{"idToken":"BOB","type":"ISO14443","evses":[2]}`)
					swiped = time.Now()
				}
				return next.Load() > was
			})
			s.do("/evses/2/unplug", `{}`)
			s.until("the transaction is over and told", func() bool {
				st := s.state()
				return len(st.EVSEs) == 2 && st.EVSEs[1].Transaction == nil && (st.Station.PendingMessages == 0 || next.Load() >= int64(len(payloads)))
			})
		}
		s.foe.behave()
		s.until("the queue is empty", func() bool { return s.state().Station.PendingMessages == 0 })
	}
}

// wholeConfiguration asks for every key.
func wholeConfiguration(_ *siege, p *peer) bool {
	answer := p.askFor("GetConfiguration", `{}`, 10*time.Second)
	return strings.HasPrefix(answer, "[3,") && strings.Contains(answer, `"HeartbeatInterval"`) && strings.Contains(answer, `"MeterValueSampleInterval"`)
}
