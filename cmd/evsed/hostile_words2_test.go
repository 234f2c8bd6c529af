package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// words2 are those of 2.x.
var words2 = words{
	versions:    `"ocpp2.1","ocpp2.0.1"`,
	token:       `{"idToken":{"idToken":"%014X","type":"ISO14443"},"idTokenInfo":{"status":"Accepted","cacheExpiryDateTime":"2031-01-01T00:00:00Z","groupIdToken":{"idToken":"GROUP%06d","type":"Central"}}}`,
	listVersion: "versionNumber",
	much:        `"GetVariables",{"getVariableData":[` + strings.Repeat(item+",", 60) + item + `]}`,
	answers:     map[string]func() string{"Authorize": func() string { return `{"idTokenInfo":{"status":"Accepted"}}` }},
	everything:  wholeReport,
	last: []ask{
		{"TriggerMessage", `{"requestedMessage":"Heartbeat"}`, "Accepted", "Heartbeat"},
		{"GetBaseReport", `{"requestId":77,"reportBase":"FullInventory"}`, "Accepted", "NotifyReport"},
	},
	misshapen: []string{`[2,"m21","ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":-1}}]`,
		`[2,"m22","ChangeAvailability",{"operationalStatus":"Inoperative","evse":{"id":99999999999}}]`, `[2,"m23","UnlockConnector",{"evseId":2147483648,"connectorId":0}]`,
		`[2,"m24","GetBaseReport",{"requestId":1.5,"reportBase":"FullInventory"}]`, `[2,"m25","RequestStartTransaction",{"remoteStartId":1,"idToken":{"idToken":"","type":""}}]`,
		`[2,"m26","SetNetworkProfile",{"configurationSlot":-1,"connectionData":{}}]`, `[2,"m27","TriggerMessage",{"requestedMessage":"StatusNotification","evse":{"id":0,"connectorId":9}}]`,
		`[2,"m28","CustomerInformation",{"requestId":1,"report":true,"clear":true}]`, `[2,"m29","SendLocalList",{"versionNumber":0,"updateType":"Full","localAuthorizationList":[]}]`},
	attacks: []attack{
		{name: "number of 500 kB", run: stuffed(`[2,"s6","GetBaseReport",{"reportBase":"FullInventory","requestId":`, "9", 5e5, `}]`)},
		{name: "GetVariables of 10^6 items", run: stuffed(`[2,"l1","GetVariables",{"getVariableData":[`, item+",", 1e6, item+"]}]")},
		{name: "GetVariables of 5000 items", quick: true, run: stuffed(`[2,"l2","GetVariables",{"getVariableData":[`, item+",", 5e3, item+"]}]")},
		{name: "SetVariables of 4000 items", run: stuffed(`[2,"l3","SetVariables",{"setVariableData":[`, setting+",", 4e3, setting+"]}]")},
		{name: "members: 10^5 in one object", quick: true, run: stuffed(`[2,"l4","Reset",{"customData":{"vendorId":"x"`, `,"a":1`, 8e4, `}}]`)},
		{name: "flood: GetVariables", run: flood(2e3, func(int) string { return `"GetVariables",{"getVariableData":[` + item + `]}` })},
		{name: "flood: GetBaseReport", run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"GetBaseReport",{"requestId":%d,"reportBase":"FullInventory"}`, i+1e6)
		})},
		{name: "flood: triggered transaction events", wrote: mostWrote, run: flood(2e3, func(int) string {
			return `"TriggerMessage",{"requestedMessage":"TransactionEvent","evse":{"id":1}}`
		})},
		{name: "flood: SetVariables", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"SetVariables",{"setVariableData":[{"attributeValue":"%d","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}]}`, 300+i%1000)
		})},
		{name: "flood: ChangeAvailability", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"ChangeAvailability",{"operationalStatus":%q,"evse":{"id":2}}`, [...]string{"Inoperative", "Operative"}[i%2])
		})},
		{name: "flood: SendLocalList", run: flood(500, func(i int) string {
			return fmt.Sprintf(`"SendLocalList",{"versionNumber":%d,"updateType":"Full","localAuthorizationList":[{"idToken":{"idToken":"T%d","type":"Central"},"idTokenInfo":{"status":"Accepted"}}]}`, i+1, i)
		})},
		{name: "flood: remote starts", wrote: mostWrote, run: flood(2e3, func(i int) string {
			return fmt.Sprintf(`"RequestStartTransaction",{"remoteStartId":%d,"evseId":2,"idToken":{"idToken":"R%d","type":"Central"}}`, i, i)
		})},
	},
}

const (
	item    = `{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}`
	setting = `{"attributeValue":"300","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}`
)

// wholeReport asks for the whole device model and waits for the last part of it.
func wholeReport(s *siege, p *peer) bool {
	s.report++
	done := make(chan struct{})
	s.foe.mu.Lock()
	s.foe.inform[strconv.Itoa(s.report)] = done
	s.foe.mu.Unlock()
	if !strings.Contains(p.askFor("GetBaseReport", fmt.Sprintf(`{"requestId":%d,"reportBase":"FullInventory"}`, s.report), 2*time.Second), `"Accepted"`) {
		return false
	}
	select {
	case <-done:
		return true
	case <-time.After(10 * time.Second):
		return false
	}
}
