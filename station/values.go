package station

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/term"
)

// beginValues are the configured values at the start (E01.FR.09); nil where the meter has not been read yet.
func (s *Station) beginValues(e *evse) []term.MeterValue {
	return s.valuesOf(e, trainNone, s.settings.sampling.TxStarted, term.TransactionBegin)
}

// endValues are the values for the Ended event: those kept during the transaction, and the last ones (E06.FR.11).
func (s *Station) endValues(e *evse) []term.MeterValue {
	values := e.meter.kept.Values
	if last := s.signEnd(e, s.valuesOf(e, trainEnded, s.endMeasurands(e), term.TransactionEnd)); last != nil {
		values = append(values[:len(values):len(values)], last...)
	}
	return values
}

// valuesOf selects from the newest reading. While the contactor has been open since, its registers still hold.
func (s *Station) valuesOf(e *evse, t train, ms []term.Measurand, c term.ReadingContext) []term.MeterValue {
	if !e.read || len(ms) == 0 {
		return nil
	}
	r := e.reading
	if s.now.Sub(r.At) > freshReading {
		ms = registersOnly(ms)
	}
	single := sampling.Series{}
	series := &single
	if t != trainNone {
		series = &e.meter.series[t]
	}
	sv := series.Select(make([]term.SampledValue, 0, len(ms)), r, e.offer(), ms, c)
	if len(sv) == 0 {
		return nil
	}
	at := s.clock.at(r.At).Truncate(time.Millisecond)
	if c == term.SampleClock { // all that belongs to one instant bears its time; the meters were read within meterPatience of it
		at = e.meter.instant
	}
	return []term.MeterValue{{At: at, Sampled: sv}}
}

// freshReading is the age up to which a reading tells what is; beyond it only its registers are told.
const freshReading = 5 * time.Second

func registersOnly(ms []term.Measurand) []term.Measurand {
	var rs []term.Measurand
	for _, m := range ms {
		switch m {
		case term.EnergyActiveImportRegister, term.EnergyActiveExportRegister:
			rs = append(rs, m)
		}
	}
	return rs
}

func (e *evse) offer() sampling.Offer {
	var o sampling.Offer
	if e.active >= 0 {
		o.Current = e.conns[e.active].offer
		v := NominalVoltage
		if e.read && e.reading.Voltage[0] > 0 {
			v = e.reading.Voltage[0]
		}
		o.Power = unit.Power(int64(o.Current.Times(v)) * int64(max(e.cfg.Phases, 1)))
	}
	return o
}
