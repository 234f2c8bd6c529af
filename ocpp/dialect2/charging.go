package dialect2

import (
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// setChargingProfile reads K01.
func setChargingProfile(m *msg2.SetChargingProfileRequest) (station.Request, error) {
	p, beyond, err := profileOf(&m.ChargingProfile, "chargingProfile")
	if err != nil {
		return nil, err
	}
	return station.SetChargingProfile{EVSE: term.EVSEID(m.EVSEID), Profile: p, Beyond: beyond}, nil
}

// clearChargingProfile reads K10. An id alone names one profile (K10.FR.03); without an id the criteria do.
func clearChargingProfile(m *msg2.ClearChargingProfileRequest) station.Request {
	var f station.ProfileFilter
	if m.ChargingProfileID.Has {
		f.IDs = []int{m.ChargingProfileID.V}
		return station.ClearChargingProfile{Filter: f}
	}
	c := &m.ChargingProfileCriteria.V
	f.HasEVSE, f.EVSE = c.EVSEID.Has, term.EVSEID(c.EVSEID.V)
	f.Purpose = schedule.Purpose(c.ChargingProfilePurpose)
	f.HasStack, f.Stack = c.StackLevel.Has, c.StackLevel.V
	return station.ClearChargingProfile{Filter: f}
}

// getChargingProfiles reads K09.
func getChargingProfiles(m *msg2.GetChargingProfilesRequest) station.Request {
	c := &m.ChargingProfile
	r := station.GetChargingProfiles{RequestID: m.RequestID, Filter: station.ProfileFilter{
		IDs: slices.Clone(c.ChargingProfileID), HasEVSE: m.EVSEID.Has, EVSE: term.EVSEID(m.EVSEID.V),
		Purpose: schedule.Purpose(c.ChargingProfilePurpose), HasStack: c.StackLevel.Has, Stack: c.StackLevel.V,
	}}
	for _, s := range c.ChargingLimitSource {
		r.Sources = append(r.Sources, strings.Clone(string(s)))
	}
	return r
}

// getCompositeSchedule reads K08.
func getCompositeSchedule(m *msg2.GetCompositeScheduleRequest) (station.Request, error) {
	if m.Duration < 0 {
		return nil, invalid("duration", "below 0")
	}
	return station.GetCompositeSchedule{EVSE: term.EVSEID(m.EVSEID), Duration: time.Duration(m.Duration) * time.Second,
		Unit: schedule.Unit(m.ChargingRateUnit)}, nil
}

// compositeSchedule answers K08; a refusal bears no schedule.
func (d *Dialect) compositeSchedule(c *station.CompositeSchedule) msg2.Message {
	m := &msg2.GetCompositeScheduleResponse{Status: msg2.GenericStatus(c.Status.Status), StatusInfo: d.statusInfo(c.Reason, c.Info)}
	if len(c.Periods) == 0 {
		return m
	}
	m.Schedule = rpc.Some(msg2.CompositeSchedule{
		EVSEID: int(c.EVSE), Duration: int(c.Duration / time.Second), ScheduleStart: c.Start,
		ChargingRateUnit: msg2.ChargingRateUnit(c.Unit), ChargingSchedulePeriod: periodsTo(c.Periods),
	})
	return m
}

// chargingProfiles tells one part of the installed profiles (K09).
func chargingProfiles(r *station.ChargingProfiles) msg2.Message {
	m := &msg2.ReportChargingProfilesRequest{RequestID: r.RequestID, ChargingLimitSource: msg2.ChargingLimitSource(r.Source),
		Tbc: more(r.More), EVSEID: int(r.EVSE)}
	for i := range r.Profiles {
		m.ChargingProfile = append(m.ChargingProfile, profileTo(&r.Profiles[i]))
	}
	return m
}

// profileOf reads a charging profile. beyond names the first thing in it that the core has no word for; "" where there
// is none. A number that no limit can be is an error.
func profileOf(m *msg2.ChargingProfile, path string) (p schedule.Profile, beyond string, err error) {
	p = schedule.Profile{
		ID: m.ID, StackLevel: m.StackLevel, Purpose: schedule.Purpose(m.ChargingProfilePurpose), Kind: schedule.Kind(m.ChargingProfileKind),
		Recurrency: schedule.Recurrency(m.RecurrencyKind), ValidFrom: m.ValidFrom.V, ValidTo: m.ValidTo.V,
		Transaction: term.TransactionID(strings.Clone(m.TransactionID.V)),
	}
	beyond = beyondProfile(m)
	for i := range m.ChargingSchedule {
		s, b, err := scheduleOf(&m.ChargingSchedule[i], path+".chargingSchedule")
		if err != nil {
			return schedule.Profile{}, "", err
		}
		if beyond == "" {
			beyond = b
		}
		p.Schedules = append(p.Schedules, s)
	}
	return p, beyond, nil
}

// beyondProfile names what OCPP 2.1 added to profiles and this station does not have. It says so in its device model:
// the variables Supports... of SmartChargingCtrlr are absent.
func beyondProfile(m *msg2.ChargingProfile) string {
	switch {
	case m.MaxOfflineDuration.Has:
		return "maxOfflineDuration"
	case m.InvalidAfterOfflineDuration.V:
		return "invalidAfterOfflineDuration"
	case m.DynUpdateInterval.Has:
		return "dynUpdateInterval"
	case m.DynUpdateTime.Has:
		return "dynUpdateTime"
	case m.PriceScheduleSignature.Has:
		return "priceScheduleSignature"
	}
	return ""
}

func scheduleOf(m *msg2.ChargingSchedule, path string) (s schedule.Schedule, beyond string, err error) {
	s = schedule.Schedule{ID: m.ID, Start: m.StartSchedule.V, Duration: time.Duration(m.Duration.V) * time.Second,
		Unit: schedule.Unit(m.ChargingRateUnit), Periods: make([]schedule.Period, 0, len(m.ChargingSchedulePeriod))}
	if m.Duration.Has && m.Duration.V <= 0 {
		return s, "", invalid(path+".duration", "not above 0")
	}
	if m.MinChargingRate.Has {
		if s.MinRate, err = milli(m.MinChargingRate.V, path+".minChargingRate"); err != nil {
			return s, "", err
		}
	}
	beyond = beyondSchedule(m)
	for i := range m.ChargingSchedulePeriod {
		x := &m.ChargingSchedulePeriod[i]
		if b := beyondPeriod(x); b != "" && beyond == "" {
			beyond = b
		}
		limit, err := milli(x.Limit.V, path+".chargingSchedulePeriod.limit")
		if err != nil {
			return s, "", err
		}
		s.Periods = append(s.Periods, schedule.Period{Start: time.Duration(x.StartPeriod) * time.Second, Limit: limit,
			Phases: int8(x.NumberPhases.V), PhaseToUse: int8(x.PhaseToUse.V)})
	}
	return s, beyond, nil
}

// milli reads a limit in thousandths; digits behind them are dropped, as a limit never grows by conversion.
func milli(d rpc.Decimal, path string) (int64, error) {
	v, ok := d.Milli()
	if !ok {
		return 0, invalid(path, "no such limit")
	}
	return v, nil
}

func beyondSchedule(m *msg2.ChargingSchedule) string {
	switch {
	case m.LimitAtSoC.Has: // K01.FR.125
		return "limitAtSoC"
	case m.UseLocalTime.V: // K01.FR.123
		return "useLocalTime"
	case m.RandomizedDelay.V > 0: // K01.FR.124
		return "randomizedDelay"
	case m.PowerTolerance.Has:
		return "powerTolerance"
	case m.SignatureID.Has:
		return "signatureId"
	case m.DigestValue.Has:
		return "digestValue"
	case m.SalesTariff.Has: // for ISO 15118, which nobody speaks here
		return "salesTariff"
	case m.AbsolutePriceSchedule.Has:
		return "absolutePriceSchedule"
	case m.PriceLevelSchedule.Has:
		return "priceLevelSchedule"
	}
	return ""
}

// beyondPeriod names what a period asks for beside one limit for all phases.
func beyondPeriod(m *msg2.ChargingSchedulePeriod) string {
	switch {
	case m.EVSESleep.V: // K01.FR.126
		return "evseSleep"
	case m.OperationMode != "" && m.OperationMode != msg2.OperationModeChargingOnly:
		return "operationMode " + string(m.OperationMode)
	case m.LimitL2.Has || m.LimitL3.Has:
		return "limit_L2 or limit_L3"
	case m.DischargeLimit.Has || m.DischargeLimitL2.Has || m.DischargeLimitL3.Has:
		return "dischargeLimit"
	case m.Setpoint.Has || m.SetpointL2.Has || m.SetpointL3.Has || m.SetpointReactive.Has || m.SetpointReactiveL2.Has || m.SetpointReactiveL3.Has:
		return "setpoint"
	case m.PreconditioningRequest.V:
		return "preconditioningRequest"
	case m.V2XBaseline.Has || len(m.V2XFreqWattCurve) > 0 || len(m.V2XSignalWattCurve) > 0:
		return "v2x"
	case !m.Limit.Has: // 2.1 lets it go where there is a setpoint
		return "a period without limit"
	}
	return ""
}

// profileTo tells a profile as it was set.
func profileTo(p *schedule.Profile) msg2.ChargingProfile {
	m := msg2.ChargingProfile{
		ID: p.ID, StackLevel: p.StackLevel, ChargingProfilePurpose: msg2.ChargingProfilePurpose(p.Purpose),
		ChargingProfileKind: msg2.ChargingProfileKind(p.Kind), RecurrencyKind: msg2.RecurrencyKind(p.Recurrency),
		ValidFrom: instant(p.ValidFrom), ValidTo: instant(p.ValidTo), TransactionID: optional(string(p.Transaction)),
	}
	for i := range p.Schedules {
		s := &p.Schedules[i]
		m.ChargingSchedule = append(m.ChargingSchedule, msg2.ChargingSchedule{
			ID: s.ID, StartSchedule: instant(s.Start), Duration: rpc.Opt[int]{V: int(s.Duration / time.Second), Has: s.Duration > 0},
			ChargingRateUnit:       msg2.ChargingRateUnit(s.Unit),
			MinChargingRate:        rpc.Opt[rpc.Decimal]{V: rpc.Milli(s.MinRate), Has: s.MinRate != 0},
			ChargingSchedulePeriod: periodsTo(s.Periods),
		})
	}
	return m
}

func periodsTo(ps []schedule.Period) []msg2.ChargingSchedulePeriod {
	ms := make([]msg2.ChargingSchedulePeriod, 0, len(ps))
	for _, p := range ps {
		ms = append(ms, msg2.ChargingSchedulePeriod{
			StartPeriod: int(p.Start / time.Second), Limit: rpc.Some(rpc.Milli(p.Limit)),
			NumberPhases: rpc.Opt[int]{V: int(p.Phases), Has: p.Phases != 0},
			PhaseToUse:   rpc.Opt[int]{V: int(p.PhaseToUse), Has: p.PhaseToUse != 0},
		})
	}
	return ms
}

// instant is a time that is absent while zero.
func instant(t time.Time) rpc.Opt[time.Time] { return rpc.Opt[time.Time]{V: t, Has: !t.IsZero()} }
