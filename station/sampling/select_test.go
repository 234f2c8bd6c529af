package sampling

import (
	"slices"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func threePhase() hal.MeterReading {
	return hal.MeterReading{
		At: t0, Phases: 3, Import: 1234567 * unit.WattHour, Export: 17 * unit.WattHour, Power: 11 * unit.KiloWatt,
		Voltage: [3]unit.Voltage{230100, 229800, 231000}, Current: [3]unit.Current{16000, 15900, 16100},
		Frequency: 50 * unit.Hertz, Factor: 998, SoC: 42 * unit.OnePercent, HasSoC: true,
	}
}

var offer = Offer{Current: 16 * unit.Ampere, Power: 11040 * unit.Watt}

func value(m term.Measurand, p term.Phase, v int64) term.SampledValue {
	return term.SampledValue{Measurand: m, Phase: p, Value: v}
}

func TestSelect(t *testing.T) {
	single := hal.MeterReading{Phases: 1, Voltage: [3]unit.Voltage{230000}, Current: [3]unit.Current{6000}, Frequency: 49980}
	dc := hal.MeterReading{Voltage: [3]unit.Voltage{400000}, Current: [3]unit.Current{-25000}, Power: -10 * unit.KiloWatt, Factor: 1000, Frequency: 50000}
	idle := hal.MeterReading{Phases: 3, Voltage: [3]unit.Voltage{230000, 230000, 230000}, Frequency: 50000}
	back := threePhase()
	back.Power, back.Current = -2*unit.KiloWatt, [3]unit.Current{-3000, 0, 100}
	blind := single
	blind.Frequency = 0
	tests := []struct {
		name string
		r    hal.MeterReading
		ms   []term.Measurand
		want []term.SampledValue
	}{
		{"registers have no phase", threePhase(), []term.Measurand{term.EnergyActiveImportRegister, term.EnergyActiveExportRegister}, []term.SampledValue{
			value(term.EnergyActiveImportRegister, 0, 1234567000), value(term.EnergyActiveExportRegister, 0, 17000)}},
		{"order is that of the list", threePhase(), []term.Measurand{term.PowerActiveImport, term.EnergyActiveImportRegister}, []term.SampledValue{
			value(term.PowerActiveImport, 0, 11000000), value(term.EnergyActiveImportRegister, 0, 1234567000)}},
		{"three lines", threePhase(), []term.Measurand{term.Voltage, term.CurrentImport}, []term.SampledValue{
			value(term.Voltage, term.PhaseL1N, 230100), value(term.Voltage, term.PhaseL2N, 229800), value(term.Voltage, term.PhaseL3N, 231000),
			value(term.CurrentImport, term.PhaseL1, 16000), value(term.CurrentImport, term.PhaseL2, 15900), value(term.CurrentImport, term.PhaseL3, 16100)}},
		{"idle lines are told", idle, []term.Measurand{term.CurrentImport}, []term.SampledValue{
			value(term.CurrentImport, term.PhaseL1, 0), value(term.CurrentImport, term.PhaseL2, 0), value(term.CurrentImport, term.PhaseL3, 0)}},
		{"one line", single, []term.Measurand{term.Voltage, term.CurrentImport, term.Frequency}, []term.SampledValue{
			value(term.Voltage, 0, 230000), value(term.CurrentImport, 0, 6000), value(term.Frequency, 0, 49980)}},
		{"DC has neither frequency nor power factor", dc, []term.Measurand{term.Voltage, term.CurrentExport, term.CurrentImport, term.Frequency, term.PowerFactor}, []term.SampledValue{
			value(term.Voltage, 0, 400000), value(term.CurrentExport, 0, 25000), value(term.CurrentImport, 0, 0)}},
		{"the other way reads zero", back, []term.Measurand{term.PowerActiveImport, term.PowerActiveExport, term.CurrentExport}, []term.SampledValue{
			value(term.PowerActiveImport, 0, 0), value(term.PowerActiveExport, 0, 2000000),
			value(term.CurrentExport, term.PhaseL1, 3000), value(term.CurrentExport, term.PhaseL2, 0), value(term.CurrentExport, term.PhaseL3, 0)}},
		{"offered", single, []term.Measurand{term.CurrentOffered, term.PowerOffered}, []term.SampledValue{
			value(term.CurrentOffered, 0, 16000), value(term.PowerOffered, 0, 11040000)}},
		{"state of charge is the car's", threePhase(), []term.Measurand{term.SoC, term.PowerFactor}, []term.SampledValue{
			{Measurand: term.SoC, Value: 42000, Location: term.LocationEV}, value(term.PowerFactor, 0, 998)}},
		{"unknown is left out", idle, []term.Measurand{term.SoC, term.PowerFactor, term.EnergyActiveImportInterval}, nil},
		{"a meter without frequency", blind, []term.Measurand{term.Frequency}, nil},
		{"nothing configured", threePhase(), nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, context := range []term.ReadingContext{term.SamplePeriodic, term.TransactionEnd} {
				var s Series
				got := s.Select(nil, tt.r, offer, tt.ms, context)
				want := slices.Clone(tt.want)
				for i := range want {
					want[i].Context = context
				}
				if !slices.Equal(got, want) {
					t.Errorf("got  %v\nwant %v", got, want)
				}
			}
		})
	}
}

func TestIntervalIsSinceTheLastSampleOfTheSeries(t *testing.T) {
	ms := []term.Measurand{term.EnergyActiveImportInterval, term.EnergyActiveExportInterval}
	var s Series
	r := threePhase()
	step := func(imported, exported unit.Energy, want ...int64) {
		t.Helper()
		r.Import, r.Export = r.Import+imported, r.Export+exported
		var got []int64
		for _, v := range s.Select(nil, r, offer, ms, term.SampleClock) {
			got = append(got, v.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	step(0, 0)
	step(1500, 0, 1500, 0)
	step(0, 20, 0, 20)
	step(-1000000, 0) // another meter
	step(7, 0, 7, 0)
	step(7, -1)
	step(0, 1, 0, 1)
}

func TestSelectAllSupported(t *testing.T) {
	var s Series
	ms := Supported()
	s.Select(nil, threePhase(), offer, ms, term.SamplePeriodic)
	dst := make([]term.SampledValue, 0, MaxValues)
	all := s.Select(dst, threePhase(), offer, ms, term.SamplePeriodic)
	if len(all) != MaxValues {
		t.Errorf("%d values, want MaxValues %d", len(all), MaxValues)
	}
	for _, m := range ms {
		if !slices.ContainsFunc(all, func(v term.SampledValue) bool { return v.Measurand == m }) {
			t.Errorf("%v is listed as supported but never given", m)
		}
	}
	for m := range term.MeasurandCount {
		given := s.Select(nil, threePhase(), offer, []term.Measurand{m}, term.SamplePeriodic)
		if (len(given) > 0) != slices.Contains(ms, m) {
			t.Errorf("%v: %d values, supported %v", m, len(given), slices.Contains(ms, m))
		}
	}
	r := threePhase()
	if n := testing.AllocsPerRun(100, func() { s.Select(dst, r, offer, ms, term.SampleClock) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConfig(t *testing.T) {
	all := Config{
		SampledEnabled: true, TxStarted: Supported(), TxUpdated: Supported(), TxEnded: Supported(), TxUpdatedInterval: 1, TxEndedInterval: 2,
		AlignedEnabled: true, Aligned: Supported(), AlignedTxEnded: Supported(), AlignedInterval: 3, AlignedTxEndedInterval: 4,
	}
	if got := all.Effective(); len(got.TxStarted) == 0 || len(got.AlignedTxEnded) == 0 || got.TxEndedInterval != 2 || got.AlignedInterval != 3 {
		t.Errorf("all on: got %+v", got)
	}
	all.SampledEnabled = false
	if got := all.Effective(); got.TxStarted != nil || got.TxUpdated != nil || got.TxEnded != nil || got.TxUpdatedInterval+got.TxEndedInterval != 0 || got.Aligned == nil {
		t.Errorf("sampled off: got %+v", got)
	}
	all.SampledEnabled, all.AlignedEnabled = true, false
	if got := all.Effective(); got.Aligned != nil || got.AlignedTxEnded != nil || got.AlignedInterval+got.AlignedTxEndedInterval != 0 || got.TxEnded == nil {
		t.Errorf("aligned off: got %+v", got)
	}
	for _, tt := range []struct{ station, evse, busy, anyBusy, want bool }{
		{false, false, true, true, true},
		{false, true, true, true, false}, // J01.FR.19
		{false, true, false, true, true},
		{true, false, false, true, false}, // J01.FR.20
		{true, true, false, false, true},
	} {
		if got := (Config{SendDuringIdle: tt.station}).SendsAligned(tt.evse, tt.busy, tt.anyBusy); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}
