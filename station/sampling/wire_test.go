package sampling

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

// updated is a usual Updated event of a three-phase EVSE: 12 values.
func updated(i int) term.MeterValue {
	r := threePhase()
	r.Import += 30000 * 1000
	r.Power += 137
	ms := []term.Measurand{term.EnergyActiveImportRegister, term.PowerActiveImport, term.CurrentImport, term.Voltage,
		term.CurrentOffered, term.PowerOffered, term.Frequency, term.SoC}
	return term.MeterValue{At: t0.Add(time.Duration(i) * time.Minute), Sampled: new(Series).Select(nil, r, offer, ms, term.SamplePeriodic)}
}

// signed is a value with what a meter signed of it.
func signed(v term.MeterValue, data string, key []byte) term.MeterValue {
	v.Signed = &term.SignedMeterValue{SigningMethod: "ECDSA-secp256r1-SHA256", EncodingMethod: "OCMF"}
	if data != "" {
		v.Signed.Data = []byte(data)
	}
	if len(key) > 0 {
		v.Signed.PublicKey = key
	}
	return v
}

func roundTrip(t *testing.T, values []term.MeterValue) []byte {
	t.Helper()
	data := AppendBinary(nil, values)
	got, rest, err := ParseBinary(append(bytes.Clone(data), "rest"...))
	if err != nil || string(rest) != "rest" || !reflect.DeepEqual(got, values) {
		t.Fatalf("got %v, rest %q, error %v; want %v", got, rest, err, values)
	}
	return data
}

func TestBinaryRoundTrip(t *testing.T) {
	extreme := []term.SampledValue{
		{Value: math.MinInt64}, {Value: math.MaxInt64},
		{Value: -1, Measurand: term.MeasurandCount - 1, Phase: term.PhaseL3L1, Context: term.InterruptionEnd, Location: term.LocationBody},
	}
	flipped := []term.SampledValue{{Value: math.MaxInt64}, {Value: math.MinInt64}, extreme[2]}
	for name, values := range map[string][]term.MeterValue{
		"none":             nil,
		"usual":            {updated(0), updated(1), updated(2)},
		"no sampled value": {{At: t0}, {At: t0}},
		"extremes":         {{At: t0, Sampled: extreme}, {At: t0.Add(-time.Hour), Sampled: flipped}},
		"signed":           {updated(0), signed(updated(1), "OCMF|{}|{}", nil), {At: t0}, signed(updated(2), "", []byte{1, 2})},
		"before 1970":      {{At: time.UnixMilli(-5).UTC(), Sampled: extreme}},
	} {
		t.Run(name, func(t *testing.T) { roundTrip(t, values) })
	}
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var values []term.MeterValue
		for range rnd.IntN(6) {
			v := term.MeterValue{At: time.UnixMilli(rnd.Int64N(4e12)).UTC()}
			for range rnd.IntN(20) {
				v.Sampled = append(v.Sampled, term.SampledValue{Value: rnd.Int64() >> rnd.IntN(60), Measurand: term.Measurand(rnd.IntN(3)),
					Phase: term.Phase(rnd.IntN(2)), Context: term.ReadingContext(rnd.IntN(7)), Location: term.Location(rnd.IntN(5))})
			}
			if rnd.IntN(4) == 0 {
				v = signed(v, string(make([]byte, rnd.IntN(2000))), make([]byte, rnd.IntN(100)))
			}
			values = append(values, v)
		}
		roundTrip(t, values)
	}
}

func TestBinaryIsSmall(t *testing.T) {
	if v := updated(0); len(v.Sampled) != 12 {
		t.Fatalf("%d values", len(v.Sampled))
	}
	if n := len(AppendBinary(nil, []term.MeterValue{updated(0)})); n > 70 {
		t.Errorf("an Updated event takes %d bytes", n)
	}
	var day []term.MeterValue
	for i := range 96 {
		day = append(day, updated(i))
	}
	if n := len(AppendBinary(nil, day)); n > 70+95*18 {
		t.Errorf("96 of them take %d bytes", n)
	}
	buf, values := make([]byte, 0, 1024), []term.MeterValue{updated(0)}
	if n := testing.AllocsPerRun(100, func() { AppendBinary(buf, values) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseBinaryRefusesDamage(t *testing.T) {
	for _, values := range [][]term.MeterValue{{updated(0), updated(1)}, {signed(updated(0), "OCMF|{}|{}", []byte{1})}} {
		whole := AppendBinary(nil, values)
		for n := range whole {
			if _, rest, err := ParseBinary(whole[:n]); err == nil || len(rest) != n {
				t.Fatalf("cut to %d bytes: error %v, rest %d", n, err, len(rest))
			}
		}
	}
	for name, data := range map[string][]byte{
		"version":           {3, 0},
		"none signed":       {2, 0, 0},
		"signed of nothing": {2, 1, 0, 0, 1, 1, 0, 0, 0, 0},
		"signed twice":      {2, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"record too long":   {2, 1, 0, 0, 1, 0, 0xff, 0xff, 0x7f, 0, 0, 0},
		"count over bound":  {1, 0x81, 0x20},
		"count over data":   {1, 50, 0, 0},
		"values over data":  {1, 1, 0, 200, 1, 0, 0},
		"values over bound": append([]byte{1, 1, 0, 0x82, 4}, make([]byte, 3*257)...),
		"same as nothing":   {1, 1, 0, 3, 0},
		"same of none":      {1, 1, 0, 1},
		"unknown measurand": {1, 1, 0, 2, byte(term.MeasurandCount), 0, 0},
		"unknown phase":     {1, 1, 0, 2, 0x60, 1, 0},
		"unknown context":   {1, 1, 0, 2, 0, 14, 0},
		"unknown location":  {1, 1, 0, 2, 0, 0xe0, 0},
		"a number too long": {1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0},
		"other number of them": append(AppendBinary(nil, []term.MeterValue{updated(0)})[:1],
			append([]byte{2}, append(AppendBinary(nil, []term.MeterValue{updated(0)})[2:], 0, 3, 0)...)...),
	} {
		if _, _, err := ParseBinary(data); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseBinary(f *testing.F) {
	f.Add(AppendBinary(nil, nil))
	f.Add(AppendBinary(nil, []term.MeterValue{updated(0), updated(1), {At: t0}}))
	f.Add([]byte{1, 1, 0, 3, 0})
	f.Add(AppendBinary(nil, []term.MeterValue{updated(0), signed(updated(1), "OCMF|{}|{}", []byte{1, 2, 3})}))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, rest, err := ParseBinary(data)
		if err != nil {
			return
		}
		if len(rest) >= len(data) || !bytes.HasSuffix(data, rest) {
			t.Fatalf("rest of %d bytes out of %d", len(rest), len(data))
		}
		roundTrip(t, values)
	})
}

func BenchmarkAppendBinary(b *testing.B) {
	values, buf := []term.MeterValue{updated(0)}, make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendBinary(buf[:0], values)
	}
}

func BenchmarkSelect(b *testing.B) {
	var s Series
	r, ms, dst := threePhase(), Supported(), make([]term.SampledValue, 0, MaxValues)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Select(dst[:0], r, offer, ms, term.SamplePeriodic)
	}
}
