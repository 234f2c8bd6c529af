package station

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Security events of the OCPP appendix (2.0.1 and 2.1) that this station raises, and one of our own.
const (
	FirmwareUpdated                     = "FirmwareUpdated"
	FailedToAuthenticateAtCsms          = "FailedToAuthenticateAtCsms"
	CsmsFailedToAuthenticate            = "CsmsFailedToAuthenticate"
	SettingSystemTime                   = "SettingSystemTime"
	StartupOfTheDevice                  = "StartupOfTheDevice"
	ResetOrReboot                       = "ResetOrReboot"
	SecurityLogWasCleared               = "SecurityLogWasCleared"
	ReconfigurationOfSecurityParameters = "ReconfigurationOfSecurityParameters"
	MemoryExhaustion                    = "MemoryExhaustion"
	InvalidMessages                     = "InvalidMessages"
	AttemptedReplayAttacks              = "AttemptedReplayAttacks"
	TamperDetectionActivated            = "TamperDetectionActivated"
	InvalidFirmwareSignature            = "InvalidFirmwareSignature"
	InvalidFirmwareSigningCertificate   = "InvalidFirmwareSigningCertificate"
	InvalidCsmsCertificate              = "InvalidCsmsCertificate"
	InvalidChargingStationCertificate   = "InvalidChargingStationCertificate"
	DiscardedRenewedClientCertificate   = "DiscardedRenewedClientCertificate" // new in 2.1
	InvalidTLSVersion                   = "InvalidTLSVersion"
	InvalidTLSCipherSuite               = "InvalidTLSCipherSuite"
	StorageDamaged                      = "StorageDamaged" // our own word: the appendix has none for a quarantined database
)

// securityKind is what there is to know of a kind of event.
type securityKind struct {
	name     string
	critical bool          // told even if the station was offline when it happened (A04.FR.01, A04.FR.02)
	burst    int           // how many in a row are told one by one
	every    time.Duration // after that, and of one like another, one in this time; it doubles while they go on, to rateCeiling
	each     bool          // one like another is told nevertheless
}

// securityKinds are the events in the order of the appendix. MaintenanceLoginAccepted and MaintenanceLoginFailed are not among
// them: this station has no interface for maintenance, nor any login but the CSMS's.
var securityKinds = [...]securityKind{
	{FirmwareUpdated, true, 8, time.Minute, true},
	{FailedToAuthenticateAtCsms, false, 1, time.Hour, false},
	{CsmsFailedToAuthenticate, false, 2, time.Hour, false},
	{SettingSystemTime, true, 32, 10 * time.Minute, true}, // a meter's readings rest on it
	{StartupOfTheDevice, true, 1, time.Minute, true},
	{ResetOrReboot, true, 4, time.Minute, true},
	{SecurityLogWasCleared, true, 8, time.Hour, false},
	// Not critical, but a new password is followed by a new connection at once: it is kept for that.
	{ReconfigurationOfSecurityParameters, true, 16, time.Minute, true},
	{MemoryExhaustion, true, 4, 10 * time.Minute, false},
	{InvalidMessages, false, 1, time.Minute, false}, // a CSMS that answers each telling with another one must not keep the line busy
	{AttemptedReplayAttacks, false, 1, time.Minute, false},
	{TamperDetectionActivated, true, 4, 10 * time.Minute, false},
	{InvalidFirmwareSignature, true, 4, time.Minute, false},
	{InvalidFirmwareSigningCertificate, true, 4, time.Minute, false},
	// One telling serves for all attempts that fail alike (A00.FR.316, A00.FR.419).
	{InvalidCsmsCertificate, true, 4, time.Hour, false},
	{InvalidChargingStationCertificate, true, 4, time.Minute, false},
	{DiscardedRenewedClientCertificate, true, 4, time.Hour, false},
	{InvalidTLSVersion, true, 2, time.Hour, false},
	{InvalidTLSCipherSuite, true, 2, time.Hour, false},
	{StorageDamaged, true, 16, time.Hour, false},
}

// securityKindOf finds a row by the name of its event, -1 for none.
func securityKindOf(name string) int {
	for i := range securityKinds {
		if securityKinds[i].name == name {
			return i
		}
	}
	return -1
}

// maxTechInfo is the longest techInfo in bytes (SecurityEventNotificationRequest.techInfo: 255 characters).
const maxTechInfo = 255

// securityEvent raises an event of securityKinds: it goes into the security log (A04.FR.04) and to the CSMS, at once or, if it
// is critical, when there is one (A04.FR.02). Those that come too often are counted and told as one. info may hold no secret,
// and nobody's name.
func (s *Station) securityEvent(kind, info string) {
	i := securityKindOf(kind)
	if i < 0 {
		panic("station: no security event " + kind)
	}
	info = cutText(info, maxTechInfo)
	if s.security.rates[i].admit(&securityKinds[i], s.now, info) {
		s.tellSecurity(&securityKinds[i], info)
	}
}

// tellSecurity keeps and reports an event.
func (s *Station) tellSecurity(k *securityKind, info string) {
	body := SecurityEvent{Type: k.name, At: s.stampNow(), Info: info}
	s.logSecurity(body)
	if k.critical {
		s.report(Kept, "", body)
		s.out.MustSync = true
		return
	}
	if s.online() {
		s.report(Now, "", body)
	}
}

func (s *Station) badMessage(ev BadMessage) { s.securityEvent(InvalidMessages, ev.Info) }

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

// SecurityEvents lists the events that a station can raise, in the order of the appendix.
func SecurityEvents() []string {
	names := make([]string, len(securityKinds))
	for i := range securityKinds {
		names[i] = securityKinds[i].name
	}
	return names
}
