package station

import (
	"bytes"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// charging is what the station knows of charging profiles, and what follows from them now.
type charging struct {
	set     *schedule.Set
	loose   bool      // whoever set the last profile goes by looser rules (SetChargingProfile.Loose)
	next    time.Time // when a limit may change, monotonic; zero: never
	limited bool      // some EVSE was held below what it has at the last look
	reports []listing // profiles that are being told

	outside [limit.Owners]outside // what the station as a whole is allowed by others

	queue     []*evse // who shares the station's limit, and how: room for the next look
	want, got []unit.Current

	// starting are the profiles of remote starts whose transaction waits for its car, as restored.
	starting map[term.TransactionID]*schedule.Profile
}

// profileRules are the values of the device model that profiles obey.
func (s *Station) profileRules() schedule.Rules {
	m := s.model
	return schedule.Rules{
		MaxStackLevel: m.Int(model.ProfileStackLevel), MaxPeriods: m.Int(model.PeriodsPerSchedule), MaxProfiles: model.ChargingProfilesMax,
		Amperes: m.Has(model.RateUnit, string(schedule.Amperes)), Watts: m.Has(model.RateUnit, string(schedule.Watts)), Loose: s.charging.loose,
	}
}

// configureProfiles gives the profiles what they rest on. The station's own fixed limit is the sum of its EVSEs (K04.FR.02).
func (s *Station) configureProfiles() {
	c := schedule.Config{Rules: s.profileRules(), Voltage: NominalVoltage}
	for _, e := range s.cfg.EVSEs {
		c.EVSEs = append(c.EVSEs, schedule.Supply{Phases: e.Phases, Max: e.MaxCurrent})
		c.Station.Phases = max(c.Station.Phases, e.Phases)
	}
	if s.charging.set == nil {
		s.charging.set = schedule.New(c)
		return
	}
	s.charging.set.Configure(c)
}

// profileRequest answers what is asked about profiles; a station without smart charging refuses it (K01.FR.29).
func (s *Station) profileRequest(id RequestID, r Request) {
	if !s.settings.smart {
		s.refuse(id, "NotSupported", "SmartChargingCtrlr.Enabled is false")
		return
	}
	switch r := r.(type) {
	case SetChargingProfile:
		s.answer(id, s.setChargingProfile(r))
	case ClearChargingProfile:
		s.answer(id, s.clearChargingProfile(r))
	case GetChargingProfiles:
		s.getChargingProfiles(id, r)
	case GetCompositeSchedule:
		s.answer(id, s.compositeSchedule(r))
	}
}

// setChargingProfile (K01).
func (s *Station) setChargingProfile(r SetChargingProfile) Status {
	if refused, why := s.refuseProfile(&r.Profile, r.Beyond); refused {
		return why
	}
	s.goBy(r.Loose)
	s.makeRoom()
	before, known := s.charging.set.Get(r.Profile.ID)
	in, replaced, refusal := s.charging.set.Put(s.offered(r.EVSE, r.Profile))
	if refusal != nil {
		return refusedProfile(refusal)
	}
	for _, id := range replaced {
		s.forgetProfile(id)
	}
	if !known || !sameProfile(before, in) {
		s.keepProfile(in)
	}
	return accepted()
}

// sameProfile reports whether two profiles say the same, as far as that does not depend on when they came: what a CSMS
// repeats every few seconds is not written again.
func sameProfile(a, b schedule.Installed) bool {
	if a.Profile.Purpose != schedule.PurposeTx && a.Profile.Purpose != schedule.PurposeDefault {
		return false
	}
	b.Received = a.Received
	return bytes.Equal(EncodeProfile(&a), EncodeProfile(&b))
}

// makeRoom deletes the profiles that are over once there is no room for another.
func (s *Station) makeRoom() {
	if s.charging.set.Len() < model.ChargingProfilesMax || !s.clock.known {
		return
	}
	for _, id := range s.charging.set.Over(s.wall()) {
		s.charging.set.Remove(id)
		s.forgetProfile(id)
	}
}

// offered is a profile of the CSMS that came now.
func (s *Station) offered(evse term.EVSEID, p schedule.Profile) schedule.Offer {
	return schedule.Offer{Installed: schedule.Installed{EVSE: evse, Source: schedule.SourceCSO, Received: s.wall(), Profile: p}}
}

// goBy lets the rules of whoever asks hold.
func (s *Station) goBy(loose bool) {
	if s.charging.loose != loose {
		s.charging.loose = loose
		s.configureProfiles()
	}
}

// refuseProfile refuses what no rule of profiles has to look at: purposes and kinds that this station does not have
// (K01.FR.120, K01.FR.121), fields that it does not know (K01.FR.122 to .126), and what could not be kept (K01.FR.27).
func (s *Station) refuseProfile(p *schedule.Profile, beyond string) (bool, Status) {
	switch p.Purpose {
	case schedule.PurposeStation, schedule.PurposeDefault, schedule.PurposeTx, schedule.PurposeExternal:
	default:
		return true, rejected("UnsupportedPurpose", "purpose-unsupported: "+string(p.Purpose))
	}
	switch p.Kind {
	case schedule.Absolute, schedule.Recurring, schedule.Relative:
	default:
		return true, rejected("UnsupportedKind", "kind-unsupported: "+string(p.Kind))
	}
	switch beyond {
	case "":
	case "maxOfflineDuration", "invalidAfterOfflineDuration", "dynUpdateInterval", "dynUpdateTime", "priceScheduleSignature":
		return true, rejected(schedule.ReasonProfile, "field-unsupported: "+beyond)
	default:
		return true, rejected(schedule.ReasonSchedule, "field-unsupported: "+beyond)
	}
	if s.storage != "" {
		return true, rejected(schedule.ReasonStorage, s.storage)
	}
	return false, Status{}
}

// refusedProfile tells why a profile was not taken: the stable code, and the rule in words.
func refusedProfile(r *schedule.Refusal) Status { return rejected(r.Reason, r.Code+": "+r.Text) }

// clearChargingProfile (K10).
func (s *Station) clearChargingProfile(r ClearChargingProfile) Status {
	removed := s.charging.set.Clear(r.Filter.filter())
	if len(removed) == 0 {
		return Status{Status: "Unknown"} // K10.FR.01, K10.FR.08, K10.FR.09
	}
	for _, id := range removed {
		s.forgetProfile(id)
	}
	return accepted()
}

func (f ProfileFilter) filter() schedule.Filter { return schedule.Filter(f) }

// maxComposite bounds what is looked ahead, and maxCompositePeriods what one answer holds (part 2, ChargingScheduleType).
const (
	maxComposite        = 31 * 24 * time.Hour
	maxCompositePeriods = 1024
)

// compositeSchedule (K08).
func (s *Station) compositeSchedule(r GetCompositeSchedule) CompositeSchedule {
	reject := func(reason, info string) CompositeSchedule { return CompositeSchedule{Status: rejected(reason, info)} }
	switch {
	case r.Duration < 0:
		return reject("ValueOutOfRange", "duration-negative: 0 to 31 days")
	case r.Duration > maxComposite:
		return reject("ValueOutOfRange", "duration-too-long: at most 31 days")
	}
	c, refusal := s.charging.set.Compose(r.EVSE, s.wall(), r.Duration, r.Unit, make([]schedule.Period, 0, maxCompositePeriods))
	if refusal != nil {
		return CompositeSchedule{Status: refusedProfile(refusal)}
	}
	floorPeriods(&c, s.linesOf(r.EVSE))
	return CompositeSchedule{Status: accepted(), EVSE: c.EVSE, Start: c.Start, Duration: c.Duration, Unit: c.Unit, Periods: c.Periods}
}

// linesOf is how many lines an EVSE has; 0 for the station.
func (s *Station) linesOf(id term.EVSEID) int {
	if e := s.evse(id); e != nil {
		return max(e.cfg.Phases, 1)
	}
	return 0
}

// floorPeriods tells of an EVSE what it will offer: below 6 A a control pilot offers nothing (IEC 61851-1 Annex A, SC.04).
func floorPeriods(c *schedule.Composite, lines int) {
	if lines == 0 {
		return
	}
	kept := c.Periods[:0]
	for _, p := range c.Periods {
		least := int64(MinOffer)
		if c.Unit == schedule.Watts {
			least = int64(MinOffer.Times(NominalVoltage)) * int64(max(p.Phases, 1))
		}
		if p.Limit < least {
			p.Limit = 0
		}
		if n := len(kept); n > 0 && kept[n-1].Limit == p.Limit && kept[n-1].Phases == p.Phases && kept[n-1].PhaseToUse == p.PhaseToUse {
			continue
		}
		kept = append(kept, p)
	}
	c.Periods = kept
}

// startProfile checks the profile of a remote start (K05): it is a TxProfile (K05.FR.02) that names no transaction
// (F01.FR.11), and good for every EVSE at which the session may begin. Where there is no smart charging it is ignored
// (K05.FR.04).
func (s *Station) startProfile(r *RequestStart) (*schedule.Profile, *Status) {
	if !r.HasProfile || !s.settings.smart {
		return nil, nil
	}
	if refused, why := s.refuseProfile(&r.Profile, r.Beyond); refused {
		return nil, &why
	}
	if r.Profile.Purpose != schedule.PurposeTx {
		why := rejected(schedule.ReasonProfile, "start-purpose: the profile of a remote start is a TxProfile")
		return nil, &why
	}
	s.goBy(r.Loose)
	s.makeRoom()
	for i := range s.evses {
		id := s.evses[i].cfg.ID
		if r.EVSE != 0 && r.EVSE != id {
			continue
		}
		o := s.offered(id, r.Profile)
		o.Starting = true
		if refusal := s.charging.set.Check(o); refusal != nil {
			why := refusedProfile(refusal)
			return nil, &why
		}
	}
	p := r.Profile.Clone()
	return &p, nil
}

// adoptProfile installs the profile of a remote start for the transaction that has begun with it. It was checked when it
// came.
func (s *Station) adoptProfile(e *evse) {
	p := e.starting
	if p == nil || e.tx == nil {
		return
	}
	e.starting = nil
	p.Transaction = e.tx.ID
	in := schedule.Installed{EVSE: e.cfg.ID, Source: schedule.SourceCSO, Received: s.wall(), Profile: *p}
	s.followTransaction(e)
	s.charging.set.Restore(in)
	s.keepProfile(in)
}

// endProfiles deletes what was set for the transaction that has ended (K02.FR.05).
func (s *Station) endProfiles(e *evse) {
	e.starting = nil
	for _, id := range s.charging.set.End(e.cfg.ID) {
		s.forgetProfile(id)
	}
}

// followTransaction tells the profiles which transaction runs and since when it could draw energy.
func (s *Station) followTransaction(e *evse) {
	if e.tx == nil {
		return
	}
	start := e.tx.Ready
	if now := s.wall(); start.After(now) {
		start = now // the clock has lost the time since: the schedule begins anew rather than not at all
	}
	s.charging.set.Begin(e.cfg.ID, e.tx.ID, start)
}

// markReady notes when a driver is authorized and a car connected: from there on relative schedules count (K01.FR.42).
func (s *Station) markReady(e *evse) {
	if e.tx == nil || !e.tx.Ready.IsZero() || !e.facts.Connected || !e.facts.Authorized {
		return
	}
	e.tx.Ready, e.ready = s.stampNow(), s.now
}

// moveReady keeps what has passed since a session was ready where the wall clock was moved under it.
func (s *Station) moveReady() {
	for i := range s.evses {
		e := &s.evses[i]
		if e.tx == nil || e.ready.IsZero() {
			continue
		}
		e.tx.Ready = s.clock.at(e.ready).Truncate(time.Millisecond)
		s.saveTransaction(e.tx)
	}
}

// changedRate reports whether a limit differs by more than LimitChangeSignificance from the one told before (SC.03).
func (s *Station) changedRate(was, is unit.Current) bool {
	diff := max(was-is, is-was)
	return diff > 0 && int64(diff)*100_000 >= int64(s.settings.significance)*int64(was)
}
