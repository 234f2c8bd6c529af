package dialect16

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Every measurand, phase, context and location of the core has a word in 1.6; what has a unit there is told with it.
func TestEveryWordOfAValue(t *testing.T) {
	w := newWire(t)
	for m := range term.MeasurandCount {
		line := w.line(oneValue(term.SampledValue{Value: -1, Measurand: m}))
		want := m.Unit()
		if m == term.Frequency {
			want = "" // errata 3.86
		}
		if unit := strings.Contains(line, `"unit":"`+want+`"`); unit != (want != "") || !strings.Contains(line, `"value":"-0.001"`) {
			t.Errorf("%s: %s", m, line)
		}
	}
	for p := term.PhaseNone; p <= term.PhaseL3L1; p++ {
		if line := w.line(oneValue(term.SampledValue{Phase: p})); strings.Contains(line, `"phase"`) != (p != term.PhaseNone) {
			t.Errorf("%s: %s", p, line)
		}
	}
	for c := term.SamplePeriodic; c <= term.InterruptionEnd; c++ {
		w.line(oneValue(term.SampledValue{Context: c})) // an unknown word would be an error
	}
	for l := term.LocationOutlet; l <= term.LocationBody; l++ {
		w.line(oneValue(term.SampledValue{Location: l}))
	}
}

func oneValue(s term.SampledValue) station.MeterValues {
	return station.MeterValues{EVSE: 2, Values: []term.MeterValue{{At: at, Sampled: []term.SampledValue{s}}}}
}

// Rounded down each time, what several transactions take adds up to what the meter says, and a register that rises never
// seems to fall.
func TestWattHoursAddUp(t *testing.T) {
	sum, last := 0, 0
	for e := unit.Energy(0); e < 40*unit.WattHour; e += 777 {
		wh := wattHours(e)
		if wh < last {
			t.Fatalf("%d mWh is %d Wh, after %d", e, wh, last)
		}
		sum += wh - last
		last = wh
	}
	if sum != last {
		t.Errorf("%d Wh in all, the meter says %d", sum, last)
	}
	if got := wattHours(999); got != 0 {
		t.Errorf("0.999 Wh is %d", got)
	}
}

// Values that a trigger brought are those of the transaction that runs, once its number is known.
func TestTriggeredValues(t *testing.T) {
	w := newWire(t)
	v := oneValue(term.SampledValue{Value: 1000})
	v.Transaction = "A"
	if line := w.line(v); strings.Contains(line, "transactionId") {
		t.Errorf("without a number: %s", line)
	}
	w.begin("A", 0)
	if line := w.line(v); !strings.Contains(line, `"transactionId":0`) {
		t.Errorf("with a number: %s", line)
	}
}
