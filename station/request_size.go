package station

import (
	"fmt"

	"github.com/evsed/evsed/station/model"
)

// limits are the variables that bound one kind of request.
type limits struct {
	bytes, items model.ID
	count        int
}

func limitsOf(r Request) (limits, bool) {
	switch r := r.(type) {
	case GetVariables: // B06.FR.16, B06.FR.17
		return limits{model.BytesPerMessageGetVariables, model.ItemsPerMessageGetVariables, len(r.Items)}, true
	case SetVariables: // B05.FR.11, B05.FR.12
		return limits{model.BytesPerMessageSetVariables, model.ItemsPerMessageSetVariables, len(r.Items)}, true
	case GetReport: // B08.FR.17, B08.FR.18
		return limits{model.BytesPerMessageGetReport, model.ItemsPerMessageGetReport, len(r.Query.Variables)}, true
	case SendLocalList: // D01.FR.11
		return limits{model.BytesPerMessageSendLocalList, model.ItemsPerMessageSendLocalList, r.Staged}, true
	}
	return limits{}, false
}

// tooLarge refuses a request with more items or bytes than the device model promises to take.
func (s *Station) tooLarge(ev RequestReceived) *RequestError {
	l, ok := limitsOf(ev.Request)
	if !ok {
		return nil
	}
	if most := s.model.Int(l.items); l.count > most {
		return &RequestError{"OccurrenceConstraintViolation", fmt.Sprintf("%d items, at most %d", l.count, most)}
	}
	if most := s.model.Int(l.bytes); ev.Size > most {
		return &RequestError{"FormatViolation", fmt.Sprintf("%d bytes, at most %d", ev.Size, most)}
	}
	return nil
}
