package station_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// A status that takes the place of one that was never told brings the older one's news along.
func TestInstead(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	view := func(s station.ConnectorStatus, wanted bool) station.ConnectorView {
		return station.ConnectorView{Status: s, Wanted: wanted}
	}
	report := func(was, is station.ConnectorView, at time.Time) station.Report {
		return station.Report{Class: station.Latest, Slot: "status/1.1", Body: station.StatusNotification{At: at, Ref: term.Ref{EVSE: 1, Connector: 1},
			ConnectorView: is, Was: was}}
	}
	free, wanted, used := view(station.StatusAvailable, false), view(station.StatusAvailable, true), view(station.StatusOccupied, true)
	for _, tt := range []struct {
		name       string
		old, newer station.Report
		want       station.Report
	}{
		{"since the older one the word is true", report(free, used, at), report(used, view(station.StatusOccupied, false), at.Add(1)),
			report(free, view(station.StatusOccupied, false), at)},
		{"another word", report(free, wanted, at), report(wanted, used, at.Add(1)), report(free, used, at.Add(1))},
		{"the newer one rests on nothing", report(free, used, at), report(station.ConnectorView{}, free, at.Add(1)), report(station.ConnectorView{}, free, at.Add(1))},
		{"the older one rests on nothing", report(station.ConnectorView{}, used, at), report(used, free, at.Add(1)), report(station.ConnectorView{}, free, at.Add(1))},
		{"no status", station.Report{Body: station.Heartbeat{}}, report(free, used, at), report(free, used, at)},
	} {
		if got := tt.newer.Instead(tt.old); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// What the dialect has no word for says nothing of the CSMS: only an answer makes the station online.
func TestUntoldIsNoSignOfLife(t *testing.T) {
	s := newStation(t)
	now := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Start(now, now)
	step := func(ev station.Event) station.Output { now = now.Add(time.Second); return s.Step(now, ev) }
	online := func() bool {
		for _, r := range step(station.RequestReceived{Request: station.GetDiagnosticState{}}).Responses {
			return r.Body.(station.DiagnosticState).Connected
		}
		return false
	}
	step(station.LinkUp{Slot: 1})
	step(station.ReplyReceived{Of: station.BootNotification{}, Reply: station.BootReply{Status: station.RegistrationAccepted, Interval: time.Hour}})
	step(station.LinkDown{})
	step(station.LinkUp{Slot: 1})
	if step(station.ReplyReceived{Class: station.Latest, Of: station.StatusNotification{}, Reply: station.Untold{}}); online() {
		t.Error("online after a report that was not sent")
	}
	if step(station.ReplyReceived{Class: station.Latest, Of: station.StatusNotification{}, Reply: station.Acknowledged{}}); !online() {
		t.Error("not online after an answer")
	}
}
