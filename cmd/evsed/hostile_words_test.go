package main

import (
	"fmt"
	"time"
)

// words are those of one version over a WebSocket.
type words struct {
	brief       bool                         // what every version shares is let loose by another one in every run
	versions    string                       // as in csms[].ocpp of a seed
	token       string                       // an entry of a local list: fmt of its number and its group
	listVersion string                       // member of SendLocalList
	much        string                       // action and payload of a request with a long answer
	answers     map[string]func() string     // payload of a CALLRESULT for CALLs of the station, where it is not {}
	everything  func(s *siege, p *peer) bool // asks for all there is, and tells whether it has come
	last        []ask                        // of an ordinary CSMS, when the hostile one has gone
	misshapen   []string                     // messages that are wrong in this version
	attacks     []attack                     // those that only this version has words for
}

// ask is a CALL to the station.
type ask struct {
	action, payload string
	want            string // is in the answer
	then            string // action of the CALL of the station that follows; "" for none
}

// answer is the payload with which a good CSMS answers.
func (w words) answer(action string) string {
	now := time.Now().UTC().Format(time.RFC3339)
	if action == "BootNotification" {
		return fmt.Sprintf(`{"currentTime":%q,"interval":300,"status":"Accepted"}`, now)
	}
	if action == "Heartbeat" {
		return fmt.Sprintf(`{"currentTime":%q}`, now)
	}
	if answer := w.answers[action]; answer != nil {
		return answer()
	}
	return `{}`
}
