package link

import (
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// A status that was not taken leaves its news to the one that comes instead: before it was sent, and while it was under way.
func TestNewsOfAStatusIsNotLost(t *testing.T) {
	free, used, over := station.ConnectorView{Status: station.StatusAvailable}, station.ConnectorView{Status: station.StatusOccupied},
		station.ConnectorView{Status: station.StatusOccupied, Over: true}
	status := func(was, is station.ConnectorView) *job {
		return &job{lane: laneLatest, report: station.Report{Class: station.Latest, Slot: "status/1.1",
			Body: station.StatusNotification{Ref: term.Ref{EVSE: 1, Connector: 1}, ConnectorView: is, Was: was}}}
	}
	for name, queue := range map[string]func(s *slots){
		"waits":     func(s *slots) { s.put(status(free, used)); s.put(status(used, over)) },
		"under way": func(s *slots) { s.put(status(used, over)); s.putBack(status(free, used)) },
	} {
		var s slots
		queue(&s)
		if body := s.jobs[0].report.Body.(station.StatusNotification); s.len() != 1 || body.Was != free || body.ConnectorView != over {
			t.Errorf("%s: %d wait, %+v after %+v", name, s.len(), body.ConnectorView, body.Was)
		}
	}
}
