package station

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Security events of the OCPP appendix that this station raises.
const (
	FailedToAuthenticateAtCsms          = "FailedToAuthenticateAtCsms"
	SettingSystemTime                   = "SettingSystemTime"
	StartupOfTheDevice                  = "StartupOfTheDevice"
	ResetOrReboot                       = "ResetOrReboot"
	ReconfigurationOfSecurityParameters = "ReconfigurationOfSecurityParameters"
	MemoryExhaustion                    = "MemoryExhaustion"
	InvalidMessages                     = "InvalidMessages"
	TamperDetectionActivated            = "TamperDetectionActivated"
	InvalidCsmsCertificate              = "InvalidCsmsCertificate"
	InvalidTLSVersion                   = "InvalidTLSVersion"
	InvalidTLSCipherSuite               = "InvalidTLSCipherSuite"
	CsmsFailedToAuthenticate            = "CsmsFailedToAuthenticate"
	StorageDamaged                      = "StorageDamaged" // our own word: the appendix has none for a quarantined database
)

// keptEvents are delivered even if the station was offline when they happened: the critical ones (A04.FR.02), and the
// change of a password, which is followed by a new connection at once.
var keptEvents = map[string]bool{
	ReconfigurationOfSecurityParameters: true,
	SettingSystemTime:                   true, StartupOfTheDevice: true, ResetOrReboot: true, MemoryExhaustion: true, TamperDetectionActivated: true, StorageDamaged: true,
	InvalidCsmsCertificate: true, InvalidTLSVersion: true, InvalidTLSCipherSuite: true,
}

// maxTechInfo is the longest techInfo in bytes (SecurityEventNotificationRequest.techInfo: 255 characters).
const maxTechInfo = 255

// securityEvent reports a security event; those that are not kept are told while online alone.
func (s *Station) securityEvent(kind, info string) {
	body := SecurityEvent{Type: kind, At: s.stampNow(), Info: cutText(info, maxTechInfo)}
	if keptEvents[kind] {
		s.report(Kept, "", body)
		s.out.MustSync = true
		return
	}
	if s.online() {
		s.report(Now, "", body)
	}
}

// invalidEvery is how often invalid messages are told at most: a CSMS that answers each telling with another one must not
// keep the line busy.
const invalidEvery = time.Minute

func (s *Station) badMessage(ev BadMessage) {
	if s.invalid.IsZero() || s.now.Sub(s.invalid) >= invalidEvery {
		s.invalid = s.now
		s.securityEvent(InvalidMessages, ev.Info)
	}
}

// cutText shortens a text to n bytes without breaking a character; what is no UTF-8 is replaced.
func cutText(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
