package schedule

import (
	"slices"
	"sort"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// NominalVoltage turns watts into amperes where Config names no other: the voltage of the area, never a measured one
// (K01.FR.50).
const NominalVoltage = 230 * unit.Volt

// DefaultPhases are assumed where a period names none (K01.FR.49, OCPP 1.6 errata 4.0, 3.69).
const DefaultPhases = 3

// Limits of what is computed with: beyond them a product would leave 64 bits.
const (
	MaxLimit   = 1_000_000_000_000    // of a period, thousandths of the unit: 10^9 A or W
	MaxVoltage = 1000 * unit.Volt     // Config.Voltage
	MaxCurrent = 100000 * unit.Ampere // Supply.Max
)

// Config is what a station gives its profiles.
type Config struct {
	Rules   Rules
	Voltage unit.Voltage // phase to neutral, at most MaxVoltage; 0: NominalVoltage
	Station Supply       // the grid connection; Max 0: the sum of the EVSEs
	EVSEs   []Supply     // EVSE i+1
}

// Supply is what an EVSE, or the station, can draw without any profile.
type Supply struct {
	Phases int          // lines that it has, 1 to 3; 0: 3
	Max    unit.Current // per phase, 0 to MaxCurrent
	Switch bool         // it can be held to one of its lines (Phases3to1, or wired with a single one)
	Phase  int8         // the line that it uses when it uses one; 0: not known, or any
}

// Rules are the values of the device model that profiles obey.
type Rules struct {
	MaxStackLevel int  // SmartChargingCtrlr.ProfileStackLevel
	MaxPeriods    int  // SmartChargingCtrlr.PeriodsPerSchedule
	MaxProfiles   int  // maxLimit of SmartChargingCtrlr.Entries[ChargingProfiles]
	Amperes       bool // SmartChargingCtrlr.RateUnit has A
	Watts         bool // SmartChargingCtrlr.RateUnit has W
	ChoosePhase   bool // SmartChargingCtrlr.ACPhaseSwitchingSupported
	Phases        int  // assumed where a period names none; 0: DefaultPhases

	// Loose takes what OCPP 1.6 allows and 2.x does not: a schedule without a start, or a Relative one for the whole
	// station, counts from the start of charging or from its arrival; a profile takes the place of one with its
	// purpose, stack level and EVSE; a TxProfile without a transaction is for the one that runs.
	Loose bool
}

// Source says who set a profile (OCPP ChargingLimitSourceEnumType).
type Source string

// Sources.
const (
	SourceEMS   Source = "EMS"
	SourceOther Source = "Other"
	SourceSO    Source = "SO"
	SourceCSO   Source = "CSO" // the CSMS
)

// Installed is a profile in its place.
type Installed struct {
	EVSE     term.EVSEID // 0: the station
	Source   Source
	Received time.Time // wall time
	Profile  Profile
}

// Set holds the profiles of a station. All times are wall time in UTC, of which fractions of a second are dropped: a
// day has 86400 seconds, whatever the clocks of a country do. It is not for use by two goroutines.
type Set struct {
	cfg  Config
	list []Installed // by ID
	use  []plan      // list, as it is computed with
	txs  []running   // by EVSE-1
	work work
}

// running is the transaction of an EVSE.
type running struct {
	id    term.TransactionID
	start time.Time // zero: not yet ready to deliver energy
}

// New returns an empty set.
func New(cfg Config) *Set {
	s := &Set{txs: make([]running, len(cfg.EVSEs))}
	s.Configure(cfg)
	return s
}

// Configure replaces the configuration; the number of EVSEs stays. Profiles that the new rules would refuse stay, too.
func (s *Set) Configure(cfg Config) {
	if len(cfg.EVSEs) != len(s.txs) {
		panic("schedule: the number of EVSEs has changed")
	}
	cfg.EVSEs = slices.Clone(cfg.EVSEs)
	if cfg.Voltage <= 0 {
		cfg.Voltage = NominalVoltage
	}
	cfg.Voltage = min(cfg.Voltage, MaxVoltage)
	if cfg.Rules.Phases < 1 || cfg.Rules.Phases > 3 {
		cfg.Rules.Phases = DefaultPhases
	}
	var sum unit.Current
	for i := range cfg.EVSEs {
		cfg.EVSEs[i].bound()
		sum += cfg.EVSEs[i].Max
	}
	if cfg.Station.Max <= 0 {
		cfg.Station.Max = sum
	}
	cfg.Station.bound()
	s.cfg = cfg
	for i := range s.list {
		s.use[i] = s.plan(&s.list[i])
	}
	s.changed()
}

func (y *Supply) bound() {
	if y.Phases < 1 || y.Phases > 3 {
		y.Phases = 3
	}
	y.Max = min(max(y.Max, 0), MaxCurrent)
}

// Len returns how many profiles are installed.
func (s *Set) Len() int { return len(s.list) }

// Get returns the profile with an ID.
func (s *Set) Get(id int) (Installed, bool) {
	if i, ok := s.find(id); ok {
		return s.list[i], true
	}
	return Installed{}, false
}

func (s *Set) find(id int) (int, bool) {
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].Profile.ID >= id })
	return i, i < len(s.list) && s.list[i].Profile.ID == id
}

// Put installs a profile that Check lets pass, and returns it as installed together with the IDs of those whose place
// it took, its own not among them.
func (s *Set) Put(o Offer) (in Installed, replaced []int, r *Refusal) {
	o.Starting = false // to install it is not the time before there is a transaction
	if r := s.Check(o); r != nil {
		return Installed{}, nil, r
	}
	s.complete(&o)
	for i := range s.list {
		if s.cfg.Rules.Loose && samePlace(&s.list[i], &o.Installed) && s.list[i].Profile.ID != o.Profile.ID {
			replaced = append(replaced, s.list[i].Profile.ID)
		}
	}
	for _, id := range replaced {
		s.Remove(id)
	}
	s.Restore(o.Installed)
	in, _ = s.Get(o.Profile.ID)
	return in, replaced, nil
}

// complete names the transaction of a TxProfile that may leave it out.
func (s *Set) complete(o *Offer) {
	if p := &o.Profile; s.cfg.Rules.Loose && !o.Starting && p.Purpose == PurposeTx && p.Transaction == "" &&
		o.EVSE > 0 && int(o.EVSE) <= len(s.txs) {
		p.Transaction = s.txs[o.EVSE-1].id
	}
}

// samePlace reports whether there is room for one of a and b only (OCPP 1.6 3.13.2).
func samePlace(a, b *Installed) bool {
	return a.EVSE == b.EVSE && a.Profile.Purpose == b.Profile.Purpose && a.Profile.StackLevel == b.Profile.StackLevel &&
		a.Profile.Transaction == b.Profile.Transaction && a.Source == b.Source
}

// Restore installs a profile without a question, in place of any with its ID: one that had been installed before a
// restart.
func (s *Set) Restore(in Installed) {
	if in.EVSE < 0 || int(in.EVSE) > len(s.txs) || len(in.Profile.Schedules) == 0 {
		return // of another station, or never valid
	}
	in.Profile = in.Profile.Clone()
	i, ok := s.find(in.Profile.ID)
	if !ok {
		s.list = slices.Insert(s.list, i, Installed{})
		s.use = slices.Insert(s.use, i, plan{})
	}
	s.list[i] = in
	s.use[i] = s.plan(&s.list[i])
	s.changed()
}

// Remove deletes the profile with an ID and reports whether there was one.
func (s *Set) Remove(id int) bool {
	i, ok := s.find(id)
	if ok {
		s.list = slices.Delete(s.list, i, i+1)
		s.use = slices.Delete(s.use, i, i+1)
		s.changed()
	}
	return ok
}

// Over returns the IDs of the profiles that say nothing at the wall time at nor later, ascending: their validity has passed
// (K01.FR.37), or the duration of their only occurrence (K01.FR.12).
func (s *Set) Over(at time.Time) (ids []int) {
	for i := range s.list {
		if s.use[i].over(at.Unix()) {
			ids = append(ids, s.list[i].Profile.ID)
		}
	}
	return ids
}

// Begin says that a transaction runs at an EVSE, and since when it has been ready to deliver energy: with a driver
// authorized and a car connected (K01.FR.42). A zero start is not yet. To say it again moves the start.
func (s *Set) Begin(evse term.EVSEID, id term.TransactionID, start time.Time) {
	if t := &s.txs[evse-1]; t.id != id || !t.start.Equal(start) {
		*t = running{id, start}
		s.changed()
	}
}

// End says that an EVSE has no transaction any more, and deletes the TxProfiles of the one that it had (K02.FR.05); it
// returns their IDs, ascending.
func (s *Set) End(evse term.EVSEID) (removed []int) {
	t := &s.txs[evse-1]
	for i := range s.list {
		if p := &s.list[i].Profile; p.Purpose == PurposeTx && p.Transaction == t.id && s.list[i].EVSE == evse {
			removed = append(removed, p.ID)
		}
	}
	for _, id := range removed {
		s.Remove(id)
	}
	if t.id != "" {
		*t = running{}
		s.changed()
	}
	return removed
}

// Clone returns a copy that shares nothing with p.
func (p Profile) Clone() Profile {
	p.Schedules = slices.Clone(p.Schedules)
	for i := range p.Schedules {
		p.Schedules[i].Periods = slices.Clone(p.Schedules[i].Periods)
	}
	return p
}
