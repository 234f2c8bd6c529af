package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

// maxTechInfo is the length of SecurityEventNotification.techInfo, in characters.
const maxTechInfo = 255

// securityEvent tells A04.
func securityEvent(b *station.SecurityEvent) msg2.Message {
	return &msg2.SecurityEventNotificationRequest{
		Type:      b.Type,
		Timestamp: b.At,
		TechInfo:  optional(cut(b.Info, maxTechInfo)),
	}
}
