package station_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// A session is stopped while its contactor may just be closing: the end waits for its feedback, for a moment.
func TestEndWaitsForAContactorThatMayClose(t *testing.T) {
	for _, closes := range []bool{false, true} {
		s := newStation(t)
		now := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		s.Start(now, now)
		ref := term.Ref{EVSE: 2, Connector: 1}
		ended := time.Time{}
		var energy int64
		step := func(d time.Duration, ev station.Event) station.Output {
			t.Helper()
			now = now.Add(d)
			out := s.Step(now, ev)
			for _, r := range out.Reports {
				if ev, ok := r.Body.(*station.TransactionEvent); ok && ev.Phase == station.PhaseEnded {
					ended = now
					energy = ev.Values[len(ev.Values)-1].Sampled[0].Value
				}
			}
			return out
		}
		read := func(wh unit.Energy) station.MeterRead {
			return station.MeterRead{EVSE: 2, Reading: hal.MeterReading{At: now, Import: wh * unit.WattHour}}
		}
		step(0, station.LinkUp{Slot: 1})
		step(0, station.ReplyReceived{Of: station.BootNotification{}, Reply: station.BootReply{Status: station.RegistrationAccepted, Interval: time.Hour}})
		step(0, read(5))
		step(0, station.PilotChanged{Ref: ref, State: term.StateB})
		step(0, station.RequestReceived{ID: station.CSMSRequest, Request: station.RequestStart{EVSE: 2, Token: term.IdToken{Value: "A", Type: term.TokenCentral}}})
		step(time.Second, station.PilotChanged{Ref: ref, State: term.StateC})
		stopped := now.Add(50 * time.Millisecond)
		out := step(50*time.Millisecond, station.StopPressed{EVSE: 2})
		if !ended.IsZero() {
			t.Fatalf("closes %t: the end was told at once", closes)
		}
		if closes {
			step(100*time.Millisecond, station.PowerChanged{Ref: ref, Closed: true})
			step(time.Second, station.PowerChanged{Ref: ref})
			now = now.Add(20 * time.Millisecond)
			step(0, read(6))
			if ended != now || energy != 6000 {
				t.Errorf("closes: ended %v with %d mWh, want %v with the register behind the opening", ended, energy, now)
			}
			continue
		}
		if want := stopped.Add(700 * time.Millisecond); !out.Deadline.Equal(want) {
			t.Fatalf("deadline %v, want %v", out.Deadline, want)
		}
		step(out.Deadline.Sub(now), nil)
		if ended != now || energy != 5000 {
			t.Errorf("stays open: ended %v with %d mWh, want %v", ended, energy, now)
		}
	}
}

func TestReportIDKeys(t *testing.T) {
	for _, id := range []station.ReportID{0, 1, 0xabcdef0123456789, 1<<64 - 1} {
		if got, err := station.ParseReportID(id.Key()); err != nil || got != id {
			t.Errorf("%x: %x, %v", uint64(id), uint64(got), err)
		}
	}
	for _, bad := range []string{"", "0", "000000000000000g", "000000000000000G", "000000000000000/", "00000000000000001", "00000000000000:0", "-000000000000001"} {
		if id, err := station.ParseReportID(bad); err == nil {
			t.Errorf("%q: %x, want an error", bad, uint64(id))
		}
	}
}
