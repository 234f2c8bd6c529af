package boards

import (
	"testing"
)

func TestQuantities(t *testing.T) {
	for _, tt := range []struct {
		q    *quantity
		in   string
		want int64
		show string
	}{
		{qCurrent, "32 A", 32_000, "32 A"}, {qCurrent, "500 mA", 500, "500 mA"}, {qCurrent, "6.5 A", 6500, "6.5 A"}, {qCurrent, "0 A", 0, "0 A"},
		{qVoltage, "-0.42 V", -420, "-420 mV"}, {qPower, "4.2 kW", 4_200_000, "4.2 kW"}, {qTime, "300 ms", 300e6, "300 ms"}, {qTime, "24 h", 86400e9, "24 h"},
		{qTime, "20 us", 20_000, "20 us"}, {qTime, "1.5 s", 1500e6, "1.5 s"}, {qGain, "11.31 mV", 11_310_000, "11.31 mV"}, {qGain, "-11.27 mV", -11_270_000, "-11.27 mV"},
		{qResistance, "4.7 kOhm", 4_700_000, "4.7 kOhm"}, {qTemperature, "-40 C", -40_000, "-40 C"}, {qPercent, "60 %", 60_000, "60 %"},
	} {
		got, err := tt.q.parse(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%s: %d, %v: want %d", tt.in, got, err, tt.want)
		}
		show := tt.q.show(got)
		if again, err := tt.q.parse(show); err != nil || again != got {
			t.Errorf("%s is shown as %q, which is %d, %v", tt.in, show, again, err)
		}
		if show != tt.show {
			t.Errorf("%s is shown as %s, want %s", tt.in, show, tt.show)
		}
	}
	for _, in := range []string{"", "32", "32A", "32  A", "A", " A", "+1 A", "1e3 A", "0x10 A", "1. A", ".5 A", "01 A", "1,5 A", "0.0001 A", "99999999999999999999 A", "NaN A", "3 V", "--1 A", "1 A "} {
		if v, err := qCurrent.parse(in); err == nil {
			t.Errorf("%q is %d", in, v)
		}
	}
}
