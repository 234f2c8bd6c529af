package dialect16

import (
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// setChargingProfile reads 1.6, 5.16. A connector that does not exist is an error of the message (errata 3.39).
func (d *Dialect) setChargingProfile(m *msg16.SetChargingProfileRequest, t *ocpp.Table) (station.Request, error) {
	ref := d.topology.ref(m.ConnectorID)
	if ref == nowhere {
		return nil, invalid("connectorId", "no such connector")
	}
	p, err := profileOf(&m.CsChargingProfiles, t, "csChargingProfiles")
	if err != nil {
		return nil, err
	}
	return station.SetChargingProfile{EVSE: ref.EVSE, Profile: p, Loose: true}, nil
}

// profileOf reads a charging profile (1.6, 7.8), which has one schedule.
func profileOf(m *msg16.ChargingProfile, t *ocpp.Table, path string) (schedule.Profile, error) {
	p := schedule.Profile{
		ID:         m.ChargingProfileID,
		StackLevel: m.StackLevel,
		Purpose:    purposeOf(m.ChargingProfilePurpose),
		Kind:       schedule.Kind(m.ChargingProfileKind),
		Recurrency: schedule.Recurrency(m.RecurrencyKind),
		ValidFrom:  m.ValidFrom.V,
		ValidTo:    m.ValidTo.V,
	}
	if m.TransactionID.Has {
		p.Transaction = transactionOf(t, m.TransactionID.V)
	}
	s, err := scheduleOf(&m.ChargingSchedule, path+".chargingSchedule")
	p.Schedules = []schedule.Schedule{s}
	return p, err
}

func scheduleOf(m *msg16.ChargingSchedule, path string) (schedule.Schedule, error) {
	s := schedule.Schedule{
		Start:    m.StartSchedule.V,
		Duration: seconds(m.Duration.V),
		Unit:     schedule.Unit(m.ChargingRateUnit),
	}
	if m.Duration.Has && m.Duration.V <= 0 { // no second of it would be executed (1.6, 5.16.4), and as absent it would last for ever
		return s, invalid(path+".duration", "not above 0")
	}
	var err error
	s.MinRate, err = thousandths(m.MinChargingRate.V, path+".minChargingRate")
	for i := range m.ChargingSchedulePeriod {
		period := &m.ChargingSchedulePeriod[i]
		limit, bad := thousandths(period.Limit, path+".chargingSchedulePeriod.limit")
		if bad != nil {
			err = bad
		}
		if n := period.NumberPhases; n.Has && (n.V < 1 || n.V > 3) {
			err = invalid(path+".chargingSchedulePeriod.numberPhases", "not 1 to 3")
		}
		s.Periods = append(s.Periods, schedule.Period{Start: seconds(period.StartPeriod), Limit: limit, Phases: int8(period.NumberPhases.V)})
	}
	return s, err
}

// thousandths returns d in thousandths; what does not fit is no limit that anything could be held to.
func thousandths(d rpc.Decimal, path string) (int64, error) {
	v, ok := d.Milli()
	if !ok {
		return 0, invalid(path, "too large")
	}
	return v, nil
}

func purposeOf(m msg16.ChargingProfilePurpose) schedule.Purpose {
	if m == msg16.ChargingProfilePurposeChargePointMaxProfile {
		return schedule.PurposeStation
	}
	return schedule.Purpose(m)
}

// clearChargingProfile reads 1.6, 5.5: what has everything that is named, or the one with the id whatever else is named
// (errata 3.26).
func (d *Dialect) clearChargingProfile(m *msg16.ClearChargingProfileRequest) station.Request {
	if m.ID.Has {
		return station.ClearChargingProfile{Filter: station.ProfileFilter{IDs: []int{m.ID.V}}}
	}
	f := station.ProfileFilter{Purpose: purposeOf(m.ChargingProfilePurpose), HasStack: m.StackLevel.Has, Stack: m.StackLevel.V}
	if m.ConnectorID.Has {
		f.HasEVSE, f.EVSE = true, d.topology.ref(m.ConnectorID.V).EVSE
	}
	return station.ClearChargingProfile{Filter: f}
}

// getCompositeSchedule reads 1.6, 5.7.
func (d *Dialect) getCompositeSchedule(m *msg16.GetCompositeScheduleRequest) station.Request {
	return station.GetCompositeSchedule{
		EVSE:     d.topology.ref(m.ConnectorID).EVSE,
		Duration: seconds(m.Duration),
		Unit:     schedule.Unit(m.ChargingRateUnit),
	}
}

// compositeSchedule answers 1.6, 5.7. Its periods count from scheduleStart; startSchedule is left out (errata 3.57). Only
// Accepted comes with a schedule.
func (d *Dialect) compositeSchedule(b station.CompositeSchedule) msg16.Message {
	m := &msg16.GetCompositeScheduleResponse{Status: msg16.GetCompositeScheduleStatus(b.Status.Status)}
	if m.Status != msg16.GetCompositeScheduleStatusAccepted {
		return m
	}
	s := msg16.ChargingSchedule{
		Duration:         msg16.Some(int(b.Duration / time.Second)),
		ChargingRateUnit: msg16.ChargingRateUnit(b.Unit),
	}
	for _, p := range b.Periods {
		s.ChargingSchedulePeriod = append(s.ChargingSchedulePeriod, msg16.ChargingSchedulePeriod{
			StartPeriod:  int(p.Start / time.Second),
			Limit:        tenths(p.Limit),
			NumberPhases: msg16.Opt[int]{V: int(p.Phases), Has: p.Phases > 0},
		})
	}
	m.ConnectorID = msg16.Some(int(d.topology.number(term.Ref{EVSE: b.EVSE})))
	m.ScheduleStart = msg16.Some(b.Start)
	m.ChargingSchedule = msg16.Some(s)
	return m
}

// tenths tells a limit in thousandths with the one digit that 1.6 allows (1.6, 7.14), rounded down: less is promised rather
// than more.
func tenths(thousandths int64) rpc.Decimal { return rpc.Milli(thousandths / 100 * 100) }
