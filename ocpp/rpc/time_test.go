package rpc

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2024-02-29T12:34:56Z", "2024-02-29T12:34:56.000Z"},
		{"2024-02-29t12:34:56z", "2024-02-29T12:34:56.000Z"},
		{"2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.100Z"},
		{"2024-01-01T00:00:00.123456789123Z", "2024-01-01T00:00:00.123Z"},
		{"2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00.000Z"},
		{"2024-01-01T00:30:00-05:45", "2024-01-01T06:15:00.000Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
		{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
	}
	for _, tt := range tests {
		got, err := ParseTime(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if text := string(AppendTime(nil, got)); text != tt.want || got.Location() != time.UTC {
			t.Errorf("%s: got %s, want %s", tt.in, text, tt.want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	tests := []struct {
		in   string
		want error
	}{
		{"", errTime}, {"2024-01-01", errTime}, {"2024-01-01T00:00:00", errTime}, {"2024-01-01 00:00:00Z", errTime},
		{"2024-13-01T00:00:00Z", errTime}, {"2024-00-01T00:00:00Z", errTime}, {"2023-02-29T00:00:00Z", errTime},
		{"2024-04-31T00:00:00Z", errTime}, {"2024-01-00T00:00:00Z", errTime}, {"2024-01-01T24:00:00Z", errTime},
		{"2024-01-01T00:60:00Z", errTime}, {"2024-01-01T00:00:61Z", errTime}, {"2024-01-01T00:00:00.Z", errTime},
		{"2024-01-01T00:00:00+1:00", errTime}, {"2024-01-01T00:00:00+24:00", errTime}, {"2024-01-01T00:00:00+01:60", errTime},
		{"2024-01-01T00:00:00Zx", errTime}, {"2024-01-01T00:00:0xZ", errTime}, {"20x4-01-01T00:00:00Z", errTime},
		{"-024-01-01T00:00:00Z", errTime}, {"1900-02-29T00:00:00Z", errTime},
		{"0000-01-01T00:00:00Z", errYear}, {"222222017-01-01T00:00:00Z", errYear},
		{"9999-12-31T23:59:59-01:00", errYear}, {"0001-01-01T00:00:00+01:00", errYear},
	}
	for _, tt := range tests {
		if got, err := ParseTime(tt.in); err != tt.want {
			t.Errorf("%q: got %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

// FuzzTime compares with the standard library, which knows no leap second and one year more.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2024-02-29T12:34:56.5Z", "2024-01-01T00:30:00-05:45", "9999-12-31T23:59:59-01:00", "2016-12-31T23:59:60Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTime(s)
		if err != nil {
			return
		}
		if second, err := ParseTime(string(AppendTime(nil, got))); err != nil || !second.Equal(got.Truncate(time.Millisecond)) {
			t.Fatalf("%s: %v became %v, %v", s, got, second, err)
		}
		if want, err := time.Parse(time.RFC3339, s); err == nil && !want.Equal(got) {
			t.Fatalf("%s: got %v, the library says %v", s, got, want)
		}
	})
}

func TestTimeAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 32)
	if n := testing.AllocsPerRun(100, func() {
		at, err := ParseTime("2024-01-01T00:30:00.123-05:45")
		if err != nil {
			t.Error(err)
		}
		AppendTime(buf, at)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
