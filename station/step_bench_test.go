package station_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// charging returns a station with one car charging, online, and the time.
func charging(b *testing.B) (*station.Station, time.Time) {
	s := newStation(b)
	now := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Start(now, now)
	ref := term.Ref{EVSE: 2, Connector: 1}
	for _, ev := range []station.Event{
		station.LinkUp{Slot: 1}, station.ReplyReceived{Of: station.BootNotification{}, Reply: station.BootReply{Status: station.RegistrationAccepted, Interval: time.Hour}},
		station.MeterRead{EVSE: 2, Reading: hal.MeterReading{At: now, Import: 1}}, station.PilotChanged{Ref: ref, State: term.StateB},
		station.RequestReceived{ID: station.CSMSRequest, Request: station.RequestStart{EVSE: 2, Token: term.IdToken{Value: "A", Type: term.TokenCentral}}},
		station.OfferChanged{Ref: ref, Current: 16 * unit.Ampere}, station.PilotChanged{Ref: ref, State: term.StateC}, station.PowerChanged{Ref: ref, Closed: true},
	} {
		now = now.Add(time.Millisecond)
		s.Step(now, ev)
	}
	out := s.Step(now, station.RequestReceived{ID: 2, Request: station.GetDiagnosticState{}})
	if st := out.Responses[0].Body.(station.DiagnosticState); st.EVSEs[1].State != term.ChargingCharging {
		b.Fatalf("not charging: %+v", st)
	}
	return s, now
}

func BenchmarkStepNil(b *testing.B) {
	s, now := charging(b)
	b.ReportAllocs()
	for b.Loop() {
		s.Step(now, nil)
	}
}

// BenchmarkStepMeterRead is the steadiest event: two a second for each car that charges.
func BenchmarkStepMeterRead(b *testing.B) {
	s, now := charging(b)
	var ev station.Event = station.MeterRead{EVSE: 2, Reading: hal.MeterReading{At: now, Import: 2, Phases: 1}}
	b.ReportAllocs()
	for b.Loop() {
		s.Step(now, ev)
	}
}

// BenchmarkStepSample is a sampled TransactionEvent with its record: a deadline, a reading.
func BenchmarkStepSample(b *testing.B) {
	s, now := charging(b)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Minute)
		s.Step(now, nil)
		out := s.Step(now, station.MeterRead{EVSE: 2, Reading: hal.MeterReading{At: now, Import: 2, Phases: 1, Power: 3_680_000}})
		if len(out.Reports) == 0 {
			b.Fatal("no sample was told")
		}
	}
}

// BenchmarkStepPilot is a car that pauses and goes on: two changes of state, told each.
func BenchmarkStepPilot(b *testing.B) {
	s, now := charging(b)
	ref := term.Ref{EVSE: 2, Connector: 1}
	b.ReportAllocs()
	for b.Loop() {
		s.Step(now, station.PilotChanged{Ref: ref, State: term.StateB})
		s.Step(now, station.PilotChanged{Ref: ref, State: term.StateC})
	}
}

func BenchmarkStepToken(b *testing.B) {
	s, now := charging(b)
	ev := station.TokenRead{Token: term.IdToken{Value: "STRANGER", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{2}}
	b.ReportAllocs()
	for b.Loop() {
		out := s.Step(now, ev)
		for _, r := range out.Reports {
			s.Step(now, station.ReplyReceived{ID: r.ID, Of: r.Body, Reply: station.TokenReply{Has: true, Info: term.TokenInfo{Status: term.TokenInvalid}}})
		}
	}
}

// BenchmarkStepProfiles is a step while 64 profiles of 24 periods stand, one of them for the whole station.
func BenchmarkStepProfiles(b *testing.B) {
	s, now := charging(b)
	for id := range 64 {
		p := schedule.Profile{ID: id, StackLevel: id % 16, Purpose: schedule.PurposeDefault, Kind: schedule.Recurring, Recurrency: schedule.Daily,
			Schedules: []schedule.Schedule{{Start: now.Add(time.Duration(id) * time.Minute), Unit: schedule.Amperes}}}
		evse := term.EVSEID(1 + id%2)
		if id == 0 {
			evse, p.Purpose = 0, schedule.PurposeStation
		}
		if id >= 32 {
			p.ValidFrom = now.Add(time.Duration(id) * 24 * time.Hour)
			p.ValidTo = p.ValidFrom.Add(24 * time.Hour)
		}
		for h := range 24 {
			p.Schedules[0].Periods = append(p.Schedules[0].Periods, schedule.Period{Start: time.Duration(h) * time.Hour, Limit: int64(10_000 + 100*h)})
		}
		out := s.Step(now, station.RequestReceived{ID: station.CSMSRequest | station.RequestID(id), Request: station.SetChargingProfile{EVSE: evse, Profile: p, Loose: true}})
		if st := out.Responses[0].Body.(station.Status); st.Status != "Accepted" {
			b.Fatalf("profile %d: %+v", id, st)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		s.Step(now, nil)
	}
}
