package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// quietPlan is a station in a world without any trouble.
func quietPlan() *plan {
	p := newPlan(1)
	p.kinds, p.cruise, p.jitter, p.sessions, p.latency = 0, time.Minute, 0, 12, 50*time.Millisecond
	p.evses = []station.EVSE{{ID: 1, Phases: 3, MaxCurrent: 16 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}},
		{ID: 2, Phases: 1, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}}
	p.set("TxStartPoint", "PowerPathClosed")
	p.set("TxStopPoint", "PowerPathClosed")
	p.set("OfflineTxForUnknownIdEnabled", "false")
	p.set("StopTxOnEVSideDisconnect", "true")
	p.set("TxUpdatedInterval", "60")
	p.store.MaxOutboxEntries = 100_000
	return p
}

// set changes a variable that was drawn.
func (p *plan) set(variable, value string) {
	for i := range p.settings {
		if p.settings[i].variable == variable {
			p.settings[i].value = value
		}
	}
	p.values[variable] = value
}

// bench is a story that a test tells step by step.
func bench(t *testing.T, l liars) *sim {
	t.Helper()
	dir, err := os.MkdirTemp(scratch(), "years")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSim(quietPlan(), filepath.Join(dir, "state"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(); _ = os.RemoveAll(dir) })
	s.liars = l
	s.start()
	return s
}

// sticky is a contactor that does not open again.
type sticky struct{ hal.Contactor }

func (k sticky) Set(closed bool, phases uint8) error {
	if !closed {
		return nil
	}
	return k.Contactor.Set(true, phases)
}

// TestTheCheckerSeesIt: a station that is broken on purpose is found out, and by the invariant that it breaks.
func TestTheCheckerSeesIt(t *testing.T) {
	replace := func(old, new string) func([]byte) []byte {
		return func(f []byte) []byte { return bytes.ReplaceAll(f, []byte(old), []byte(new)) }
	}
	for _, test := range []struct {
		name, want string
		liars      liars
		do         func(*sim)
	}{
		{"nothing is wrong", "", liars{}, nil},
		{"energy for nobody", "I1", liars{permit: func(p term.Permit) term.Permit {
			p.Close, p.Fail, p.Max, p.Phases = true, false, 10*unit.Ampere, 1
			return p
		}, device: func(ref term.Ref, d *hal.Devices) { d.Pilot = d.Pilot.(spy).ControlPilot }}, nil},
		{"the stop button does nothing", "I1", liars{}, func(s *sim) {
			charging(s)
			s.check.withdrawn(0, "the stop button was pressed")
		}},
		{"a contactor that stays closed", "I2", liars{device: func(_ term.Ref, d *hal.Devices) { d.Contactor = sticky{d.Contactor} }}, nil},
		{"more current than permitted", "I3", liars{permit: func(p term.Permit) term.Permit {
			p.Max *= 2
			return p
		}}, func(s *sim) {
			s.plan.evses[0].MaxCurrent, s.plan.evses[1].MaxCurrent = 10*unit.Ampere, 10*unit.Ampere
		}},
		{"a message that never comes", "I4", liars{}, func(s *sim) { s.csms.books.promised[promise{"tx-lost", 3}] = true }},
		{"more current than a profile allows", "I3", liars{}, func(s *sim) {
			charging(s)
			s.believes(&chargingProfile{id: 1, purpose: msg2.ChargingProfilePurposeTxDefaultProfile, kind: msg2.ChargingProfileKindRelative,
				unit: msg2.ChargingRateUnitW, periods: []chargingPeriod{{milli: 3 * 7 * 230_000}}})
		}},
		{"more current than a profile allows the station", "I3", liars{}, func(s *sim) {
			charging(s)
			s.believes(&chargingProfile{id: 1, purpose: msg2.ChargingProfilePurposeChargingStationMaxProfile, kind: msg2.ChargingProfileKindRecurring,
				every: msg2.RecurrencyKindDaily, start: begin, unit: msg2.ChargingRateUnitA, periods: []chargingPeriod{{milli: 6_000}}})
		}},
		{"a profile that is gone", "I3", liars{}, func(s *sim) { s.believes(ampleProfile()) }},
		{"a profile that was cleared and lives", "I3", liars{}, func(s *sim) {
			s.accepted(ampleProfile())
			s.csms.limits.slots = nil
		}},
		{"a profile that was changed", "I3", liars{frame: replace(`"limit":40.5`, `"limit":40.6`)}, func(s *sim) { s.accepted(ampleProfile()) }},
		{"a profile that outlives its power cut", "", liars{}, func(s *sim) {
			s.accepted(ampleProfile())
			s.cutPower()
		}},
		{"a composite schedule that says more", "I3", liars{frame: replace(`"limit":10.5`, `"limit":10.6`)}, func(s *sim) {
			p := ampleProfile()
			p.periods[0].milli = 10_500
			s.accepted(p)
			s.play(s.now.Add(time.Minute))
			s.csms.ask("GetCompositeSchedule", `{"evseId":1,"duration":600,"chargingRateUnit":"A"}`, s.csms.composed(""))
		}},
		{"energy for somebody else than who has reserved", "I8", liars{}, func(s *sim) {
			ref := charging(s)
			s.promised(&reservation{id: 1, evse: ref.EVSE, token: "NOBODY"})
			s.check.relay(s.check.byRef[ref], halsim.Event{Kind: halsim.EventRelay, Ref: ref, At: s.now, On: true})
		}},
		{"more cars than is room for beside what is promised", "I8", liars{}, func(s *sim) {
			s.promised(&reservation{id: 1, token: "NOBODY"})
			s.promised(&reservation{id: 2, token: "NOBODY"})
		}},
		{"a reservation that is gone", "I7", liars{}, func(s *sim) {
			s.play(s.now.Add(time.Hour))
			s.promised(&reservation{id: 1, evse: 1, token: "NOBODY"})
			s.calm = true
			s.check.unsettled()
		}},
		{"a reservation that cannot be cancelled", "I8", liars{}, func(s *sim) {
			s.play(s.now.Add(time.Hour))
			s.promised(&reservation{id: 1, token: "NOBODY"})
			s.csms.cancel(1)
		}},
		{"a reservation for who has not reserved", "I8", liars{}, func(s *sim) {
			s.promised(&reservation{id: 1, token: "ALICE"})
			s.csms.reservations.used(1, &msg2.TransactionEventRequest{IdToken: rpc.Some(msg2.IdToken{IdToken: "BOB"})})
		}},
		{"a number that is left out", "I4", liars{}, func(s *sim) { charging(s); s.csms.books.account(promise{s.csms.books.order[0], 0}).next-- }},
		{"a transaction that never ends", "I4", liars{}, func(s *sim) { s.csms.books.account(promise{"tx-open", 0}) }},
		{"a message that cannot leave", "I12", liars{outbox: func(e link.Entry) bool {
			h, _, err := station.ParseOutboxHeader(e.Value)
			return err != nil || h.SeqNo != 2
		}}, nil},
		{"two beginnings", "I4", liars{frame: replace(`"eventType":"Updated"`, `"eventType":"Started"`)}, nil},
		{"a register that falls", "I5", liars{frame: replace(`"context":"Transaction.End"`, `"context":"Transaction.End","unitOfMeasure":{"unit":"Wh","multiplier":-1}`)}, nil},
		{"energy that nobody pays", "I5", liars{}, func(s *sim) {
			charging(s)
			s.csms.books.meters[1].last--
			s.csms.books.meters[2].last--
		}},
		{"two calls at once", "I6", liars{}, func(s *sim) {
			s.play(s.now.Add(time.Minute))
			for _, id := range []string{"a", "b"} {
				s.wire.fromStation(rpc.AppendCall(nil, id, "Heartbeat", []byte("{}")))
			}
		}},
		{"a message that is none", "I6", liars{frame: replace(`"seqNo"`, `"seqNumber"`)}, nil},
		{"a status that is not true", "I7", liars{frame: replace(`"connectorStatus":"Occupied"`, `"connectorStatus":"Available"`)}, nil},
		{"energy out of service", "I8", liars{}, func(s *sim) { s.check.outOfService(term.Ref{}, true) }},
		{"a password in a message", "I9", liars{}, func(s *sim) {
			s.liars.frame = replace(`"vendorName":"Years"`, `"vendorName":"`+s.plan.password+`"`)
			s.kill(time.Second)
		}},
		{"a queue that is never drained", "I12", liars{}, func(s *sim) {
			s.play(s.now.Add(time.Hour))
			s.liars.outbox = func(link.Entry) bool { return false }
			s.kill(time.Second)
		}},
		{"an EVSE opens the contactor of another", "I14", liars{}, func(s *sim) {
			ref := charging(s)
			s.play(s.now.Add(time.Minute))
			s.check.evses[ref.EVSE].cause = epoch // it is long since anything happened there
			d, _ := s.world.Devices(ref)
			_ = d.Contactor.Set(false, 0)
			s.worldAt = time.Time{}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := bench(t, test.liars)
			if test.do != nil {
				test.do(s)
			}
			s.play(s.now.Add(day))
			s.demand(true)
			got := ""
			if s.err != nil {
				got = s.err.Name
			}
			if got != test.want {
				t.Errorf("got %v, want %q\n%s", s.err, test.want, s.trace.tail(20))
			}
		})
	}
}

// ampleProfile is one that changes nothing.
func ampleProfile() *chargingProfile {
	return &chargingProfile{id: 4, purpose: msg2.ChargingProfilePurposeTxDefaultProfile, kind: msg2.ChargingProfileKindAbsolute, start: begin,
		unit: msg2.ChargingRateUnitA, periods: []chargingPeriod{{milli: 40_500}}}
}

// believes makes the CSMS believe that it has set a profile.
func (s *sim) believes(p *chargingProfile) {
	s.plan.kinds |= kindSmart
	s.csms.limits.slot(p.id).may = []*chargingProfile{p}
}

// accepted sets a profile.
func (s *sim) accepted(p *chargingProfile) {
	s.plan.kinds |= kindSmart
	s.play(s.now.Add(time.Minute))
	s.csms.setProfile(p)
	s.play(s.now.Add(time.Minute))
	if s.count.profiles != 1 {
		s.broken("I0", "the profile was not accepted")
	}
}

// promised makes the CSMS believe that somebody has reserved.
func (s *sim) promised(r *reservation) {
	s.plan.kinds |= kindReserve
	r.accepted, r.expiry = true, s.wall().Add(20*day)
	s.csms.reservations.list = append(s.csms.reservations.list, r)
}

// charging plays until a car charges, and returns where.
func charging(s *sim) term.Ref {
	for s.err == nil && s.since() < 3*day {
		s.play(s.now.Add(10 * time.Second))
		for _, p := range s.check.places {
			if p.contact {
				return p.ref
			}
		}
	}
	return term.Ref{}
}

// TestRepetitionSaysTheSame: an event that comes again with other content is found out (I4).
func TestRepetitionSaysTheSame(t *testing.T) {
	s := bench(t, liars{})
	b := s.csms.books
	x := &msg2.TransactionEventRequest{EventType: msg2.TransactionEventStarted, TransactionInfo: msg2.Transaction{TransactionID: "tx"}}
	b.enter(x, `{"a":1}`, rpc.V21)
	b.enter(x, `{"a":1}`, rpc.V21)
	if s.err != nil || s.count.repeats != 1 {
		t.Fatalf("%v after %d repetitions", s.err, s.count.repeats)
	}
	b.enter(x, `{"a":2}`, rpc.V21)
	if s.err == nil || s.err.Name != "I4" {
		t.Errorf("other content: %v", s.err)
	}
}

// TestGrowthIsSeen (I11): a heap, files, goroutines and plans that grow are found out.
func TestGrowthIsSeen(t *testing.T) {
	for _, test := range []struct {
		name string
		grow func(*look, int)
		want bool
	}{
		{"flat", func(*look, int) {}, false},
		{"heap", func(l *look, n int) { l.heap += uint64(n) << 19 }, true},
		{"files", func(l *look, n int) { l.descriptor += n }, true},
		{"goroutines", func(l *look, n int) { l.goroutines += n }, true},
		{"plans", func(l *look, n int) { l.queue += 50 * n }, true},
	} {
		s := bench(t, liars{})
		s.now = epoch.Add(year)
		var f flatness
		for n := range 12 {
			l := look{at: time.Duration(n+1) * 30 * day, heap: 5 << 20, queue: 10, descriptor: 12, goroutines: 1}
			test.grow(&l, n)
			f.looks = append(f.looks, l)
		}
		f.slope = f.fit()
		f.check(s)
		if got := s.err != nil && s.err.Name == "I11"; got != test.want {
			t.Errorf("%s: %v", test.name, s.err)
		}
	}
}
