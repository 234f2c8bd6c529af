package sampling

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// MaxValues is the most values that one Select appends: every supported measurand, with voltage and the two
// currents on three lines.
const MaxValues = 14 + 3*2

// Offer is what the station offers to the car. It is told, not measured.
type Offer struct {
	Current unit.Current // on each line
	Power   unit.Power   // on all lines together
}

// Series is one train of samples of one EVSE, say those of the Updated events. It remembers the registers of the
// last sample, from which the interval measurands are computed. The zero Series has had no sample.
type Series struct {
	imported, exported unit.Energy
	known              bool
}

// Select appends the values that a reading gives for the measurands, in their order, and returns the extended slice.
// It does not allocate where dst has room for MaxValues more. What the reading does not know is left out: the state
// of charge and the power factor where unknown, frequency and line values where there are no lines, intervals on the
// first sample of a series and after a register fell (another meter, J02.FR.16). Registers are told as the meter
// has them (J02.FR.17). The values belong to the time of the reading, not to that of their sending (J02.FR.18).
func (s *Series) Select(dst []term.SampledValue, r hal.MeterReading, offer Offer, measurands []term.Measurand,
	context term.ReadingContext) []term.SampledValue {
	interval := s.known && r.Import >= s.imported && r.Export >= s.exported
	for _, m := range measurands {
		v := term.SampledValue{Measurand: m, Context: context}
		switch m {
		case term.EnergyActiveImportInterval, term.EnergyActiveExportInterval:
			if interval {
				v.Value = s.since(r, m)
				dst = append(dst, v)
			}
		case term.Voltage, term.CurrentImport, term.CurrentExport:
			dst = appendLines(dst, r, v)
		default:
			if value, ok := whole(r, offer, m); ok {
				v.Value = value
				if m == term.SoC {
					v.Location = term.LocationEV
				}
				dst = append(dst, v)
			}
		}
	}
	s.imported, s.exported, s.known = r.Import, r.Export, true
	return dst
}

// since returns the energy of an interval measurand since the last sample.
func (s *Series) since(r hal.MeterReading, m term.Measurand) int64 {
	if m == term.EnergyActiveImportInterval {
		return int64(r.Import - s.imported)
	}
	return int64(r.Export - s.exported)
}

// whole returns a measurand that has one value for all lines; false where the reading does not know it.
func whole(r hal.MeterReading, offer Offer, m term.Measurand) (int64, bool) {
	switch m {
	case term.EnergyActiveImportRegister:
		return int64(r.Import), true
	case term.EnergyActiveExportRegister:
		return int64(r.Export), true
	case term.PowerActiveImport:
		return max(int64(r.Power), 0), true
	case term.PowerActiveExport:
		return max(-int64(r.Power), 0), true
	case term.PowerFactor:
		return int64(r.Factor), r.Factor != 0 && r.Phases > 0
	case term.PowerOffered:
		return int64(offer.Power), true
	case term.CurrentOffered:
		return int64(offer.Current), true
	case term.Frequency:
		return int64(r.Frequency), r.Frequency > 0 && r.Phases > 0
	case term.SoC:
		return int64(r.SoC), r.HasSoC
	}
	return 0, false
}

var (
	lines     = [3]term.Phase{term.PhaseL1, term.PhaseL2, term.PhaseL3}
	toNeutral = [3]term.Phase{term.PhaseL1N, term.PhaseL2N, term.PhaseL3N}
)

// appendLines appends a measurand that every line has: one value per line of a three-phase meter, from the meter's
// point of view (J01.FR.11, J02.FR.07), else one without phase. Current flows either way: the other way reads zero.
func appendLines(dst []term.SampledValue, r hal.MeterReading, v term.SampledValue) []term.SampledValue {
	n := 1
	if r.Phases == 3 {
		n = 3
	}
	for i := range n {
		switch v.Measurand {
		case term.Voltage:
			v.Value = int64(r.Voltage[i])
		case term.CurrentImport:
			v.Value = max(int64(r.Current[i]), 0)
		case term.CurrentExport:
			v.Value = max(-int64(r.Current[i]), 0)
		}
		if n == 3 {
			v.Phase = lines[i]
			if v.Measurand == term.Voltage {
				v.Phase = toNeutral[i]
			}
		}
		dst = append(dst, v)
	}
	return dst
}
