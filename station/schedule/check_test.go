package schedule

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// narrow is a station with little room: EVSE 1 has three phases and no way to use fewer, EVSE 2 is wired with line 2
// alone, EVSE 3 can switch. A transaction T runs at EVSE 1.
func narrow(r Rules) *Set {
	r.MaxStackLevel, r.MaxPeriods, r.MaxProfiles = 3, 4, 3
	s := New(Config{Rules: r, EVSEs: []Supply{
		{Phases: 3, Max: 32 * unit.Ampere},
		{Phases: 1, Max: 16 * unit.Ampere, Phase: 2},
		{Phases: 3, Max: 32 * unit.Ampere, Switch: true},
	}})
	s.Begin(1, "T", t0)
	return s
}

// valid is a profile that nothing is wrong with, and f what is.
func offer(evse term.EVSEID, f func(*Offer)) Offer {
	o := Offer{Installed: Installed{EVSE: evse, Source: SourceCSO, Received: t0,
		Profile: profile(1, 0, PurposeDefault, Absolute, absolute(0, 600, amps(0, 16, 60, 10)))}}
	if f != nil {
		f(&o)
	}
	return o
}

// covers: K01.FR.03 K01.FR.09 K01.FR.16 K01.FR.19 K01.FR.20 K01.FR.22 K01.FR.28 K01.FR.31 K01.FR.33 K01.FR.34 K01.FR.35 K01.FR.38 K01.FR.40 K01.FR.41 K01.FR.43 K01.FR.45 K01.FR.48
func TestCheck(t *testing.T) {
	isTx := func(o *Offer) { o.Profile.Purpose, o.Profile.Transaction = PurposeTx, "T" }
	first := func(o *Offer) *Period { return &o.Profile.Schedules[0].Periods[0] }
	for _, c := range []struct {
		name  string
		evse  term.EVSEID
		f     func(*Offer)
		code  string // OCPP 2.x
		loose string // OCPP 1.6
	}{
		{"sound", 1, nil, "", ""},
		{"no such EVSE", 4, nil, "evse-unknown", "evse-unknown"},
		{"EVSE -1", -1, nil, "evse-unknown", "evse-unknown"},
		{"no purpose", 1, func(o *Offer) { o.Profile.Purpose = "" }, "purpose-unknown", "purpose-unknown"},
		{"external constraints of the CSMS", 1, func(o *Offer) { o.Profile.Purpose = PurposeExternal }, "purpose-external", "purpose-external"},
		{"external constraints of another", 1, func(o *Offer) { o.Profile.Purpose, o.Source = PurposeExternal, SourceEMS }, "", ""},
		{"station profile on an EVSE", 1, func(o *Offer) { o.Profile.Purpose = PurposeStation }, "station-profile-on-evse", "station-profile-on-evse"},
		{"TxProfile on the station", 0, isTx, "tx-profile-on-station", "tx-profile-on-station"},
		{"TxProfile", 1, isTx, "", ""},
		{"TxProfile without a transaction at the EVSE", 2, isTx, "no-transaction", "no-transaction"},
		{"TxProfile of another transaction", 1, func(o *Offer) { isTx(o); o.Profile.Transaction = "U" }, "transaction-unknown", "transaction-unknown"},
		{"TxProfile that names none", 1, func(o *Offer) { isTx(o); o.Profile.Transaction = "" }, "transaction-missing", ""},
		{"TxDefaultProfile with a transaction", 1, func(o *Offer) { o.Profile.Transaction = "T" }, "transaction-not-allowed", "transaction-not-allowed"},
		{"highest stack level", 1, func(o *Offer) { o.Profile.StackLevel = 3 }, "", ""},
		{"stack level too high", 1, func(o *Offer) { o.Profile.StackLevel = 4 }, "stack-level", "stack-level"},
		{"stack level negative", 1, func(o *Offer) { o.Profile.StackLevel = -1 }, "stack-level", "stack-level"},
		{"no kind", 1, func(o *Offer) { o.Profile.Kind = "" }, "kind-unknown", "kind-unknown"},
		{"recurring without recurrency", 1, func(o *Offer) { o.Profile.Kind = Recurring }, "recurrency-missing", "recurrency-missing"},
		{"recurring", 1, func(o *Offer) { o.Profile.Kind, o.Profile.Recurrency = Recurring, Weekly }, "", ""},
		{"absolute with recurrency", 1, func(o *Offer) { o.Profile.Recurrency = Daily }, "recurrency-not-allowed", "recurrency-not-allowed"},
		{"valid for no time", 1, func(o *Offer) { o.Profile.ValidFrom, o.Profile.ValidTo = t0, t0 }, "validity-empty", "validity-empty"},
		{"relative", 1, func(o *Offer) { o.Profile.Kind, o.Profile.Schedules[0].Start = Relative, time.Time{} }, "", ""},
		{"relative with a start", 1, func(o *Offer) { o.Profile.Kind = Relative }, "start-not-allowed", ""},
		{"absolute without a start", 1, func(o *Offer) { o.Profile.Schedules[0].Start = time.Time{} }, "start-missing", ""},
		{"relative for the station", 0, func(o *Offer) {
			o.Profile.Purpose, o.Profile.Kind, o.Profile.Schedules[0].Start = PurposeStation, Relative, time.Time{}
		}, "station-profile-relative", ""},
		{"no schedule", 1, func(o *Offer) { o.Profile.Schedules = nil }, "schedule-missing", "schedule-missing"},
		{"two schedules", 1, func(o *Offer) { isTx(o); o.Profile.Schedules = append(o.Profile.Schedules, o.Profile.Schedules[0]) },
			"schedules-without-negotiation", "schedules-without-negotiation"},
		{"two schedules to choose from", 1, func(o *Offer) {
			isTx(o)
			o.Negotiated = true
			o.Profile.Schedules = append(o.Profile.Schedules, o.Profile.Schedules[0])
		}, "", ""},
		{"four schedules", 1, func(o *Offer) {
			isTx(o)
			c := o.Profile.Schedules[0]
			o.Negotiated, o.Profile.Schedules = true, []Schedule{c, c, c, c}
		}, "schedules-too-many", "schedules-too-many"},
		{"unknown unit", 1, func(o *Offer) { o.Profile.Schedules[0].Unit = "kW" }, "unit-unknown", "unit-unknown"},
		{"duration negative", 1, func(o *Offer) { o.Profile.Schedules[0].Duration = -time.Second }, "duration", "duration"},
		{"duration of a fraction", 1, func(o *Offer) { o.Profile.Schedules[0].Duration = time.Millisecond }, "duration", "duration"},
		{"minimum negative", 1, func(o *Offer) { o.Profile.Schedules[0].MinRate = -1 }, "min-rate", "min-rate"},
		{"no period", 1, func(o *Offer) { o.Profile.Schedules[0].Periods = nil }, "period-missing", "period-missing"},
		{"periods to the brim", 1, func(o *Offer) { o.Profile.Schedules[0].Periods = amps(0, 1, 1, 2, 2, 3, 3, 4) }, "", ""},
		{"too many periods", 1, func(o *Offer) { o.Profile.Schedules[0].Periods = amps(0, 1, 1, 2, 2, 3, 3, 4, 4, 5) }, "periods-too-many", "periods-too-many"},
		{"first period later", 1, func(o *Offer) { first(o).Start = time.Second }, "first-period", "first-period"},
		{"periods of one moment", 1, func(o *Offer) { o.Profile.Schedules[0].Periods = amps(0, 1, 5, 2, 5, 3) }, "period-order", "period-order"},
		{"periods backwards", 1, func(o *Offer) { o.Profile.Schedules[0].Periods = amps(0, 1, 5, 2, 4, 3) }, "period-order", "period-order"},
		{"limit negative", 1, func(o *Offer) { first(o).Limit = -1 }, "period-limit", "period-limit"},
		{"limit beyond reason", 1, func(o *Offer) { first(o).Limit = MaxLimit + 1 }, "period-limit", "period-limit"},
		{"limit of no limit", 1, func(o *Offer) { first(o).Limit = 999999_000 }, "", ""},
		{"four phases", 1, func(o *Offer) { first(o).Phases = 4 }, "phases-range", "phases-range"},
		{"one phase where there are always three", 1, func(o *Offer) { first(o).Phases = 1 }, "phases-not-ensured", "phases-not-ensured"},
		{"one phase of one", 2, func(o *Offer) { first(o).Phases = 1 }, "", ""},
		{"three phases of one", 2, func(o *Offer) { first(o).Phases = 3 }, "", ""},
		{"one phase of three that can be switched", 3, func(o *Offer) { first(o).Phases = 1 }, "", ""},
		{"one phase for all EVSEs", 0, func(o *Offer) { first(o).Phases = 1 }, "phases-not-ensured", "phases-not-ensured"},
		{"the phase that there is", 2, func(o *Offer) { first(o).Phases, first(o).PhaseToUse = 1, 2 }, "", ""},
		{"another phase than there is", 2, func(o *Offer) { first(o).Phases, first(o).PhaseToUse = 1, 1 }, "phase-to-use", "phase-to-use"},
		{"one phase of two", 3, func(o *Offer) { first(o).Phases, first(o).PhaseToUse = 2, 1 }, "phase-to-use-alone", "phase-to-use-alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := strict
			for _, want := range []string{c.code, c.loose} {
				s := narrow(r)
				got := ""
				if x := s.Check(offer(c.evse, c.f)); x != nil {
					got = x.Code
					if x.Reason == "" || x.Text == "" || len(x.Text) > 512 || x.Error() != x.Text {
						t.Errorf("the refusal %+v does not say enough", x)
					}
				}
				if got != want {
					t.Errorf("loose %t: got %q, want %q", r.Loose, got, want)
				}
				_, _, x := s.Put(offer(c.evse, c.f))
				if (x == nil) != (want == "") || (s.Len() == 1) != (want == "") {
					t.Errorf("loose %t: put said %v, and %d profiles are installed", r.Loose, x, s.Len())
				}
				r.Loose = true
			}
		})
	}
}

// TestCheckOfStart: a profile that comes with the request to start its transaction (K05) is checked before there is one,
// and installed when there is.
//
// covers: K05.FR.05
func TestCheckOfStart(t *testing.T) {
	for _, isLoose := range []bool{false, true} {
		r := strict
		r.Loose = isLoose
		s := narrow(r)
		o := offer(3, func(o *Offer) { o.Profile.Purpose, o.Starting = PurposeTx, true })
		if x := s.Check(o); x != nil {
			t.Errorf("loose %t: %v", isLoose, x)
		}
		if _, _, x := s.Put(o); x == nil || x.Code != "no-transaction" {
			t.Errorf("loose %t: installed too early: %v", isLoose, x)
		}
		o.Profile.Transaction = "T" // F01.FR.11
		if x := s.Check(o); x == nil || x.Code != "transaction-not-allowed" {
			t.Errorf("loose %t: with a transaction: %v", isLoose, x)
		}
	}
}

// covers: K01.FR.26 K08.FR.05 K08.FR.07
func TestCheckUnits(t *testing.T) {
	r := strict
	r.Watts = false
	s := narrow(r)
	o := offer(1, func(o *Offer) { o.Profile.Schedules[0].Unit = Watts })
	if x := s.Check(o); x == nil || x.Reason != ReasonUnit {
		t.Errorf("watts: %v, want %s", x, ReasonUnit)
	}
	// Of several the first that can be followed.
	amperes := o.Profile.Schedules[0]
	amperes.Unit, amperes.Periods = Amperes, amps(0, 9)
	o.Profile.Purpose, o.Profile.Transaction, o.Negotiated = PurposeTx, "T", true
	o.Profile.Schedules = append(o.Profile.Schedules, amperes)
	if _, _, x := s.Put(o); x != nil {
		t.Fatal(x)
	}
	if got := compose(t, s, 1, t0, 60, Amperes); got != "0:9x3" {
		t.Errorf("got %s", got)
	}
	if _, x := s.Compose(1, t0, time.Minute, Watts, nil); x == nil || x.Reason != ReasonUnit {
		t.Errorf("a schedule in watts: %v, want %s", x, ReasonUnit) // K08.FR.07
	}
	if _, x := s.Compose(9, t0, time.Minute, "", nil); x == nil || x.Reason != ReasonEVSE {
		t.Errorf("a schedule of EVSE 9: %v, want %s", x, ReasonEVSE) // K08.FR.05
	}
	if c, x := s.Compose(1, t0, time.Minute, "", nil); x != nil || c.Unit != Amperes {
		t.Errorf("a schedule in any unit: %v %v", c, x)
	}
}

// covers: K01.FR.06 K01.FR.39 K01.FR.52 K01.FR.53
func TestCheckDuplicates(t *testing.T) {
	valid := func(from, to int) func(*Offer) {
		return func(o *Offer) { o.Profile.ValidFrom, o.Profile.ValidTo = at(from), at(to) }
	}
	isTx := func(o *Offer) { o.Profile.Purpose, o.Profile.Transaction = PurposeTx, "T" }
	for _, c := range []struct {
		name           string
		evse           term.EVSEID
		f              func(*Offer)
		evse2          term.EVSEID
		f2             func(*Offer)
		code, replaced string // by OCPP 2.x; whether 1.6 replaces
	}{
		{"the same place", 1, nil, 1, nil, "duplicate", "1"},
		{"another level", 1, nil, 1, func(o *Offer) { o.Profile.StackLevel = 1 }, "", ""},
		{"another purpose", 1, nil, 1, isTx, "", ""},
		{"another EVSE", 1, nil, 2, nil, "", ""},
		{"after one another", 1, valid(0, 10), 1, valid(10, 20), "", "1"},
		{"overlapping by a second", 1, valid(0, 11), 1, valid(10, 20), "duplicate", "1"},
		{"of all EVSEs and of one", 0, nil, 2, nil, "duplicate-evse", ""},
		{"of one EVSE and of all", 2, nil, 0, valid(700, 800), "duplicate-evse", ""},
		{"one that is over", 1, nil, 1, func(o *Offer) { o.Received = at(600) }, "", "1"},
		{"one that is not quite over", 1, nil, 1, func(o *Offer) { o.Received = at(599) }, "duplicate", "1"},
		{"one no longer valid, of all EVSEs", 0, valid(0, 10), 2, func(o *Offer) { o.Received = at(10) }, "", ""},
		{"of the transaction, at other times", 1, func(o *Offer) { isTx(o); valid(0, 10)(o) }, 1, func(o *Offer) { isTx(o); valid(20, 30)(o) }, "duplicate-tx", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := offer(c.evse2, c.f2)
			second.Profile.ID = 2
			for _, isLoose := range []bool{false, true} {
				r := strict
				r.Loose = isLoose
				s := narrow(r)
				if _, _, x := s.Put(offer(c.evse, c.f)); x != nil {
					t.Fatal(x)
				}
				_, replaced, x := s.Put(second)
				got := ""
				if x != nil {
					got = x.Code
				}
				if isLoose && (x != nil || (len(replaced) == 1) != (c.replaced != "")) {
					t.Errorf("loose: %v, replaced %v", x, replaced)
				}
				if !isLoose && (got != c.code || len(replaced) != 0) {
					t.Errorf("got %q, want %q; replaced %v", got, c.code, replaced)
				}
				if _, there := s.Get(1); there == (len(replaced) == 1) {
					t.Errorf("loose %t: replaced %v, and the first is there: %t", isLoose, replaced, there)
				}
			}
		})
	}
}

// TestSameIDReplaces: whatever else has changed (K01.FR.05), but no external constraint.
//
// covers: K01.FR.05
func TestSameIDReplaces(t *testing.T) {
	s := narrow(strict)
	for _, o := range []Offer{offer(1, nil), offer(2, nil), offer(0, func(o *Offer) { o.Profile.Purpose = PurposeStation })} {
		if _, replaced, x := s.Put(o); x != nil || len(replaced) != 0 || s.Len() != 1 {
			t.Fatalf("%v, replaced %v, %d profiles", x, replaced, s.Len())
		}
	}
	if in, _ := s.Get(1); in.Profile.Purpose != PurposeStation {
		t.Errorf("installed is %+v", in)
	}
	external := offer(1, func(o *Offer) { o.Profile.Purpose, o.Source = PurposeExternal, SourceSO })
	if _, _, x := s.Put(external); x != nil {
		t.Fatal(x)
	}
	if x := s.Check(offer(1, nil)); x == nil || x.Code != "external-not-replaced" {
		t.Errorf("got %v", x)
	}
}

func TestRoom(t *testing.T) {
	s := narrow(strict)
	id := func(n int) func(*Offer) { return func(o *Offer) { o.Profile.ID, o.Profile.StackLevel = n, n } }
	for n := range 3 {
		if _, _, x := s.Put(offer(1, id(n))); x != nil {
			t.Fatal(x)
		}
	}
	if x := s.Check(offer(1, id(3))); x == nil || x.Reason != ReasonStorage {
		t.Errorf("a fourth profile: %v", x)
	}
	if x := s.Check(offer(2, id(2))); x != nil {
		t.Errorf("one in place of another: %v", x)
	}
}
