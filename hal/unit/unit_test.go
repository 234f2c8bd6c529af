package unit

import (
	"math"
	"testing"
)

func TestPerPhaseNeverGrows(t *testing.T) {
	for _, tc := range []struct {
		p      Power
		v      Voltage
		phases int
		want   Current
	}{
		{11040 * Watt, 230 * Volt, 3, 16 * Ampere},
		{11041 * Watt, 230 * Volt, 3, 16001},
		{1 * Watt, 230 * Volt, 3, 1},
		{-11040 * Watt, 230 * Volt, 3, -16 * Ampere},
		{11040 * Watt, 0, 3, 0},
		{11040 * Watt, 230 * Volt, 0, 0},
	} {
		got := tc.p.PerPhase(tc.v, tc.phases)
		if got != tc.want {
			t.Errorf("%v on %d x %v: got %v, want %v", tc.p, tc.phases, tc.v, got, tc.want)
		}
		if back := Power(int64(got.Times(tc.v)) * int64(tc.phases)); tc.p > 0 && back > tc.p {
			t.Errorf("%v came back as %v: a limit grew by conversion", tc.p, back)
		}
	}
}

func TestOver(t *testing.T) {
	if got := (7360 * Watt).Over(3_600_000); got != 7360*WattHour {
		t.Errorf("got %v", got)
	}
	if got := (7360 * Watt).Over(1000); got != 2044 { // 2.0444 Wh
		t.Errorf("got %d mWh", got)
	}
}

func TestMulDivSaturates(t *testing.T) {
	if got := Current(math.MaxInt64).Times(230 * Volt); got <= 0 {
		t.Errorf("overflow turned sign: %v", got)
	}
	if got := Current(math.MinInt64).Times(230 * Volt); got >= 0 {
		t.Errorf("overflow turned sign: %v", got)
	}
}

func TestAppendMilli(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0", 1: "0.001", 10: "0.01", 100: "0.1", 1000: "1", 16500: "16.5", -250: "-0.25", 1234567: "1234.567",
		math.MinInt64: "-9223372036854775.808",
	} {
		if got := string(AppendMilli(nil, in)); got != want {
			t.Errorf("%d: got %q, want %q", in, got, want)
		}
	}
	if got := (53*DutyPercent + 33).String(); got != "53.33 %" {
		t.Errorf("duty: %q", got)
	}
}
