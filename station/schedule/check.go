package schedule

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Hard bounds of one profile: those of the message (OCPP 2.0.1 part 2, 2.10 and 2.12).
const (
	maxSchedules = 3
	maxPeriods   = 1024
)

// Offer is a profile that wants to be installed.
type Offer struct {
	Installed
	Starting   bool // a TxProfile that came with the request to start its transaction, which has none yet (K05)
	Negotiated bool // the car of the transaction chooses its schedule itself (ISO 15118): up to 3 may be offered
}

// Refusal says why a profile is not installed.
type Refusal struct {
	Code   string // stable, for people and machines alike: one for each rule
	Reason string // OCPP 2.x reasonCode (part 2, appendix 5)
	Text   string
}

func (r *Refusal) Error() string { return r.Text }

// Reasons of OCPP 2.x that a Refusal gives.
const (
	ReasonDuplicate   = "DuplicateProfile"
	ReasonProfile     = "InvalidProfile"
	ReasonSchedule    = "InvalidSchedule"
	ReasonStackLevel  = "InvalidStackLevel"
	ReasonStorage     = "OutOfStorage"
	ReasonTooMany     = "TooManyElements"
	ReasonTransaction = "TxNotFound"
	ReasonEVSE        = "UnknownEvse"
	ReasonUnit        = "UnsupportedRateUnit"
)

func refuse(reason, code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// Check says why a profile cannot be installed; nil: it can.
func (s *Set) Check(o Offer) *Refusal {
	s.complete(&o)
	for _, check := range [...]func(*Offer) *Refusal{
		s.checkPlace, s.checkTransaction, s.checkKind, s.checkSchedules, s.checkDuplicate, s.checkRoom,
	} {
		if r := check(&o); r != nil {
			return r
		}
	}
	return nil
}

// checkPlace: the EVSE exists (K01.FR.28) and has profiles of this purpose.
func (s *Set) checkPlace(o *Offer) *Refusal {
	p := &o.Profile
	if o.EVSE < 0 || int(o.EVSE) > len(s.txs) {
		return refuse(ReasonEVSE, "evse-unknown", "no EVSE %d", o.EVSE)
	}
	switch p.Purpose {
	case PurposeExternal:
		if o.Source == SourceCSO { // K01.FR.22
			return refuse(ReasonProfile, "purpose-external", "external constraints are not set by the CSMS")
		}
	case PurposeStation:
		if o.EVSE != 0 {
			return refuse(ReasonProfile, "station-profile-on-evse", "a ChargingStationMaxProfile is for EVSE 0")
		}
	case PurposeTx:
		if o.EVSE == 0 { // K01.FR.16
			return refuse(ReasonProfile, "tx-profile-on-station", "a TxProfile is for one EVSE")
		}
	case PurposeDefault:
	default:
		return refuse(ReasonProfile, "purpose-unknown", "unknown purpose %q", p.Purpose)
	}
	if p.StackLevel < 0 || p.StackLevel > s.cfg.Rules.MaxStackLevel {
		return refuse(ReasonStackLevel, "stack-level", "stack level %d is not 0 to %d", p.StackLevel, s.cfg.Rules.MaxStackLevel)
	}
	return nil
}

// checkTransaction: a TxProfile has the transaction that runs at its EVSE (K01.FR.03, .09, .33), any other has none.
func (s *Set) checkTransaction(o *Offer) *Refusal {
	p := &o.Profile
	if p.Purpose != PurposeTx {
		if p.Transaction != "" {
			return refuse(ReasonProfile, "transaction-not-allowed", "only a TxProfile has a transaction")
		}
		return nil
	}
	run := s.txs[o.EVSE-1].id
	switch {
	case o.Starting && p.Transaction != "": // F01.FR.11
		return refuse(ReasonProfile, "transaction-not-allowed", "the profile of a start names no transaction")
	case o.Starting:
	case run == "":
		return refuse(ReasonTransaction, "no-transaction", "no transaction at EVSE %d", o.EVSE)
	case p.Transaction == "" && !s.cfg.Rules.Loose:
		return refuse(ReasonProfile, "transaction-missing", "a TxProfile names its transaction")
	case p.Transaction != "" && p.Transaction != run:
		return refuse(ReasonTransaction, "transaction-unknown", "no such transaction at EVSE %d", o.EVSE)
	}
	return nil
}

// checkKind: kind, recurrency and validity fit together.
func (s *Set) checkKind(o *Offer) *Refusal {
	p := &o.Profile
	switch p.Kind {
	case Absolute:
	case Relative:
		if p.Purpose == PurposeStation && !s.cfg.Rules.Loose { // K01.FR.38
			return refuse(ReasonProfile, "station-profile-relative", "a ChargingStationMaxProfile is not Relative")
		}
	case Recurring:
		if p.Recurrency != Daily && p.Recurrency != Weekly {
			return refuse(ReasonProfile, "recurrency-missing", "a Recurring profile is Daily or Weekly")
		}
	default:
		return refuse(ReasonProfile, "kind-unknown", "unknown kind %q", p.Kind)
	}
	if p.Recurrency != "" && p.Kind != Recurring { // OCPP 1.6 errata 4.0, 3.56
		return refuse(ReasonProfile, "recurrency-not-allowed", "only a Recurring profile has a recurrency")
	}
	if !p.ValidFrom.IsZero() && !p.ValidTo.IsZero() && !p.ValidFrom.Before(p.ValidTo) {
		return refuse(ReasonProfile, "validity-empty", "validTo is not after validFrom")
	}
	return nil
}

// checkSchedules: one schedule, or a choice of three for a car that negotiates (K01.FR.34); one of them in a unit that
// the station follows (K01.FR.26), and each sound.
func (s *Set) checkSchedules(o *Offer) *Refusal {
	p := &o.Profile
	switch n := len(p.Schedules); {
	case n == 0:
		return refuse(ReasonProfile, "schedule-missing", "no schedule")
	case n > maxSchedules:
		return refuse(ReasonTooMany, "schedules-too-many", "%d schedules; at most %d", n, maxSchedules)
	case n > 1 && !(o.Negotiated && p.Purpose == PurposeTx):
		return refuse(ReasonProfile, "schedules-without-negotiation", "several schedules without an ISO 15118 session")
	}
	for i := range p.Schedules {
		c := &p.Schedules[i]
		if r := s.checkSchedule(o, c); r != nil {
			return r
		}
		if r := s.checkPeriods(o, c); r != nil {
			return r
		}
	}
	if s.pick(p) < 0 {
		return refuse(ReasonUnit, "unit-unsupported", "charging rate unit %s is not supported", p.Schedules[0].Unit)
	}
	return nil
}

func (s *Set) checkSchedule(o *Offer, c *Schedule) *Refusal {
	switch {
	case c.Unit != Amperes && c.Unit != Watts:
		return refuse(ReasonSchedule, "unit-unknown", "unknown charging rate unit %q", c.Unit)
	case c.Duration < 0 || c.Duration%time.Second != 0:
		return refuse(ReasonSchedule, "duration", "duration %v is not whole seconds", c.Duration)
	case c.MinRate < 0 || c.MinRate > MaxLimit:
		return refuse(ReasonSchedule, "min-rate", "minimum charging rate is out of range")
	case s.cfg.Rules.Loose: // OCPP 1.6 7.13: a schedule without a start is relative to the start of charging
	case o.Profile.Kind == Relative && !c.Start.IsZero(): // K01.FR.41
		return refuse(ReasonSchedule, "start-not-allowed", "a Relative profile has no startSchedule")
	case o.Profile.Kind != Relative && c.Start.IsZero(): // K01.FR.40
		return refuse(ReasonSchedule, "start-missing", "a profile of kind %s has a startSchedule", o.Profile.Kind)
	}
	return nil
}

// checkPeriods: the first begins at 0 (K01.FR.31), the others later and later (K01.FR.35).
func (s *Set) checkPeriods(o *Offer, c *Schedule) *Refusal {
	most := min(s.cfg.Rules.MaxPeriods, maxPeriods)
	switch n := len(c.Periods); {
	case n == 0:
		return refuse(ReasonSchedule, "period-missing", "no period")
	case n > most:
		return refuse(ReasonTooMany, "periods-too-many", "%d periods; at most %d", n, most)
	case c.Periods[0].Start != 0:
		return refuse(ReasonSchedule, "first-period", "the first period starts at %d s, not 0", c.Periods[0].seconds())
	}
	for i := range c.Periods {
		d := &c.Periods[i]
		if i > 0 && d.Start <= c.Periods[i-1].Start || d.Start%time.Second != 0 {
			return refuse(ReasonSchedule, "period-order", "period %d does not start after the one before", i+1)
		}
		if d.Limit < 0 || d.Limit > MaxLimit {
			return refuse(ReasonSchedule, "period-limit", "limit of period %d is out of range", i+1)
		}
		if r := s.checkPhases(o, d, i); r != nil {
			return r
		}
	}
	return nil
}

func (s *Set) checkPhases(o *Offer, d *Period, i int) *Refusal {
	switch {
	case d.Phases < 0 || d.Phases > 3 || d.PhaseToUse < 0 || d.PhaseToUse > 3:
		return refuse(ReasonSchedule, "phases-range", "phases of period %d are not 1 to 3", i+1)
	case d.PhaseToUse != 0 && d.Phases != 1: // K01.FR.19
		return refuse(ReasonSchedule, "phase-to-use-alone", "period %d names the phase to use and not 1 as the number of phases", i+1)
	}
	first, last := o.EVSE, o.EVSE
	if o.EVSE == 0 && o.Profile.Purpose == PurposeDefault && len(s.txs) > 0 { // it is for every EVSE (K01.FR.14)
		first, last = 1, term.EVSEID(len(s.txs))
	}
	for e := first; e <= last; e++ {
		y := s.supply(e)
		if d.Phases != 0 && int(d.Phases) < y.Phases && !y.Switch { // K01.FR.43
			return refuse(ReasonSchedule, "phases-not-ensured", "EVSE %d cannot be held to %d of its %d phases", e, d.Phases, y.Phases)
		}
		if d.PhaseToUse != 0 && !s.cfg.Rules.ChoosePhase && d.PhaseToUse != y.Phase { // K01.FR.20, .48
			return refuse(ReasonSchedule, "phase-to-use", "EVSE %d cannot be held to phase %d", e, d.PhaseToUse)
		}
	}
	return nil
}

// checkDuplicate: no two profiles that say something of the same moment with the same right.
func (s *Set) checkDuplicate(o *Offer) *Refusal {
	n := &o.Profile
	for i := range s.list {
		h := &s.list[i].Profile
		at := s.list[i].EVSE
		switch {
		case h.ID == n.ID:
			if h.Purpose == PurposeExternal && o.Source == SourceCSO { // K01.FR.05
				return refuse(ReasonProfile, "external-not-replaced", "profile %d is an external constraint", n.ID)
			}
		case s.use[i].over(o.Received.Unix()): // it is in nobody's way any more
		case s.cfg.Rules.Loose || h.Purpose != n.Purpose || h.StackLevel != n.StackLevel:
		case n.Purpose == PurposeTx: // K01.FR.39
			if at == o.EVSE && h.Transaction == n.Transaction {
				return refuse(ReasonDuplicate, "duplicate-tx", "profile %d has stack level %d of this transaction", h.ID, h.StackLevel)
			}
		case n.Purpose == PurposeDefault && at != o.EVSE: // K01.FR.52, .53
			if at == 0 || o.EVSE == 0 {
				return refuse(ReasonDuplicate, "duplicate-evse", "profile %d of EVSE %d has stack level %d", h.ID, at, h.StackLevel)
			}
		case at == o.EVSE && overlap(h, n): // K01.FR.06
			return refuse(ReasonDuplicate, "duplicate", "profile %d has this purpose and stack level, too", h.ID)
		}
	}
	return nil
}

func overlap(a, b *Profile) bool {
	before := func(x, y *Profile) bool {
		return !x.ValidTo.IsZero() && !y.ValidFrom.IsZero() && !y.ValidFrom.Before(x.ValidTo)
	}
	return !before(a, b) && !before(b, a)
}

// checkRoom: the station keeps so many and no more.
func (s *Set) checkRoom(o *Offer) *Refusal {
	n := 1
	for i := range s.list {
		same := s.list[i].Profile.ID == o.Profile.ID || s.cfg.Rules.Loose && samePlace(&s.list[i], &o.Installed)
		if !same {
			n++
		}
	}
	if n > s.cfg.Rules.MaxProfiles {
		return refuse(ReasonStorage, "profiles-too-many", "%d profiles are installed; there is no room for more", len(s.list))
	}
	return nil
}

// supply of an EVSE, or of the station.
func (s *Set) supply(e term.EVSEID) Supply {
	if e == 0 {
		return s.cfg.Station
	}
	return s.cfg.EVSEs[e-1]
}

// pick returns the schedule that the station follows: the first in a unit that it supports, since of several offered
// ones the order is the preference of the CSMS and the car has not chosen (K15.FR.22 counts them in order, too);
// -1 for none.
func (s *Set) pick(p *Profile) int {
	for i := range p.Schedules {
		u := p.Schedules[i].Unit
		if u == Amperes && s.cfg.Rules.Amperes || u == Watts && s.cfg.Rules.Watts {
			return i
		}
	}
	return -1
}
