package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// Lengths of EventDataType.techCode and techInfo, in characters.
const (
	maxEventCode = 50
	maxEventInfo = 500
)

// notifyEvent tells a problem, or its end, by the hard-wired notification of a component's variable Problem (N07, G05.FR.02).
func notifyEvent(b *station.NotifyEvent) msg2.Message {
	value := "false"
	if b.Problem {
		value = "true"
	}
	return &msg2.NotifyEventRequest{
		GeneratedAt: b.At,
		EventData: []msg2.EventData{{
			EventID:               b.EventID,
			Timestamp:             b.At,
			Trigger:               msg2.EventTriggerDelta,
			ActualValue:           value,
			TechCode:              optional(cut(b.Code, maxEventCode)),
			TechInfo:              optional(cut(b.Info, maxEventInfo)),
			Cleared:               rpc.Opt[bool]{V: true, Has: !b.Problem},
			Component:             component(&b.Component),
			EventNotificationType: msg2.EventNotificationHardWiredNotification,
			Variable:              variable(&model.Variable{Name: "Problem"}),
		}},
	}
}
