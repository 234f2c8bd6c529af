package iec61851

import (
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func TestDutyForCurrentNeverRaises(t *testing.T) {
	last := unit.Current(0)
	for limit := -unit.Ampere; limit <= 100*unit.Ampere; limit++ {
		d := DutyForCurrent(limit)
		got, meaning := CurrentForDuty(d)
		switch {
		case limit < MinimumOffer:
			if d != unit.DutyHigh {
				t.Fatalf("%v: duty %v, want no PWM", limit, d)
			}
			continue
		case meaning != DutyAnalog:
			t.Fatalf("%v: duty %v means %d", limit, d, meaning)
		case got > limit:
			t.Fatalf("%v: duty %v offers %v", limit, d, got)
		case got < last:
			t.Fatalf("%v: duty %v offers %v, less than a smaller limit does", limit, d, got)
		}
		loss := min(limit, MaximumOffer) - got
		if gap := limit >= 51*unit.Ampere && limit < 52525; loss >= 25 && !gap || gap && loss >= 1525 {
			t.Fatalf("%v: duty %v offers only %v", limit, d, got)
		}
		last = got
	}
}

func TestCurrentForDuty(t *testing.T) {
	for _, tc := range []struct {
		duty    unit.Duty
		want    unit.Current
		meaning DutyMeaning
	}{
		{unit.DutyLow, 0, DutyForbidden},
		{299, 0, DutyForbidden},
		{300, 0, DutyDigital},
		{500, 0, DutyDigital},
		{700, 0, DutyDigital},
		{701, 0, DutyForbidden},
		{799, 0, DutyForbidden},
		{800, 6 * unit.Ampere, DutyAnalog},
		{999, 6 * unit.Ampere, DutyAnalog},
		{1000, 6 * unit.Ampere, DutyAnalog},
		{2667, 16002, DutyAnalog},
		{5333, 31998, DutyAnalog},
		{8500, 51 * unit.Ampere, DutyAnalog},
		{8501, 52525, DutyAnalog},
		{8920, 63 * unit.Ampere, DutyAnalog},
		{9600, 80 * unit.Ampere, DutyAnalog},
		{9601, 80 * unit.Ampere, DutyAnalog},
		{9700, 80 * unit.Ampere, DutyAnalog},
		{9701, 0, DutyForbidden},
		{unit.DutyHigh, 0, DutyForbidden},
	} {
		got, meaning := CurrentForDuty(tc.duty)
		if got != tc.want || meaning != tc.meaning {
			t.Errorf("%v: got %v, meaning %d; want %v, %d", tc.duty, got, meaning, tc.want, tc.meaning)
		}
	}
}

// TestDutyRoundTrip: every duty that we could drive is read as a current that leads back to a duty that offers the same.
func TestDutyRoundTrip(t *testing.T) {
	for d := dutyLinearMin; d <= dutyTop; d++ {
		c, _ := CurrentForDuty(d)
		if back, _ := CurrentForDuty(DutyForCurrent(c)); back != c {
			t.Fatalf("%v offers %v, which comes back as %v", d, c, back)
		}
	}
}

func TestClassify(t *testing.T) {
	nominal := map[term.PilotState]unit.Voltage{
		term.StateA: 12000, term.StateB: 9000, term.StateC: 6000, term.StateD: 3000, term.StateE: 0, term.StateF: -12000,
	}
	for want, v := range nominal {
		for last := term.StateUnknown; last <= term.StateF; last++ {
			for _, off := range []unit.Voltage{-1000, 0, 1000} {
				if got := Classify(v+off, last); got != want {
					t.Errorf("%v after %v: got %v, want %v", v+off, last, got, want)
				}
			}
		}
	}
	if got := Classify(14*unit.Volt, term.StateA); got != term.StateE {
		t.Errorf("a foreign voltage reads as %v", got)
	}
}

func TestClassifyHysteresis(t *testing.T) {
	for _, tc := range []struct {
		threshold    unit.Voltage
		above, below term.PilotState
	}{
		{pilotThresholdAB, term.StateA, term.StateB}, {pilotThresholdBC, term.StateB, term.StateC},
		{pilotThresholdCD, term.StateC, term.StateD}, {pilotThresholdDE, term.StateD, term.StateE},
	} {
		for off := -pilotHysteresis + 1; off < pilotHysteresis; off++ {
			if got := Classify(tc.threshold+off, tc.above); got != tc.above {
				t.Fatalf("%v fell from %v to %v", tc.threshold+off, tc.above, got)
			}
			if got := Classify(tc.threshold+off, tc.below); got != tc.below {
				t.Fatalf("%v rose from %v to %v", tc.threshold+off, tc.below, got)
			}
		}
	}
}

func TestCableRating(t *testing.T) {
	for _, tc := range []struct {
		ohms   unit.Resistance
		phases uint8
		want   unit.Current
		state  CableState
	}{
		{0, 3, 0, CableError},
		{100 * unit.Ohm, 3, 63 * unit.Ampere, CablePresent},
		{100 * unit.Ohm, 1, 70 * unit.Ampere, CablePresent},
		{220 * unit.Ohm, 3, 32 * unit.Ampere, CablePresent},
		{680 * unit.Ohm, 3, 20 * unit.Ampere, CablePresent},
		{1500 * unit.Ohm, 3, 13 * unit.Ampere, CablePresent},
		{3000 * unit.Ohm, 3, 0, CableError},
		{1000 * unit.KiloOhm, 3, 0, CableAbsent},
	} {
		got, state := CableRating(tc.ohms, tc.phases)
		if got != tc.want || state != tc.state {
			t.Errorf("%v, %d lines: got %v %d, want %v %d", tc.ohms, tc.phases, got, state, tc.want, tc.state)
		}
	}
}

// TestCableRatingFallsWithResistance: a bad contact adds resistance, and may only take current away.
func TestCableRatingFallsWithResistance(t *testing.T) {
	last := 100 * unit.Ampere
	for r := 50 * unit.Ohm; r <= 5000*unit.Ohm; r += unit.Ohm {
		got, _ := CableRating(r, 3)
		if got > last {
			t.Fatalf("%v reads as %v, less as %v", r, got, last)
		}
		last = got
	}
}
