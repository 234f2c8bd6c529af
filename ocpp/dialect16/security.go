package dialect16

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// maxTechInfo is the length of SecurityEventNotification.techInfo, in characters.
const maxTechInfo = 255

// eventNames are the security events that the whitepaper calls otherwise than 2.x (edition 3, chapter 8).
var eventNames = map[string]string{
	"FailedToAuthenticateAtCsms":        "FailedToAuthenticationAtCentralSystem",
	"CsmsFailedToAuthenticate":          "CentralSystemFailedToAuthentication",
	"InvalidCsmsCertificate":            "InvalidCentralSystemCertificate",
	"InvalidChargingStationCertificate": "InvalidChargePointCertificate",
}

// securityEvent tells whitepaper A04.
func securityEvent(b *station.SecurityEvent) msg16.Message {
	kind := b.Type
	if name, ok := eventNames[kind]; ok {
		kind = name
	}
	return &msg16.SecurityEventNotificationRequest{
		Type:      kind,
		Timestamp: b.At,
		TechInfo:  optional(cut(b.Info, maxTechInfo)),
	}
}

// A status of an upload or an update is told by one message of the core profile and one of the whitepaper. wordsRow and
// what was triggered is the row that notes by which of them the CSMS asked last.
const (
	wordsRow          = "16/words/"
	wordsOfCore       = "core"
	wordsOfWhitepaper = "whitepaper"
)

func usesWhitepaper(message string, t *ocpp.Table) bool {
	words, _ := t.Get(wordsRow + message)
	return words == wordsOfWhitepaper
}
