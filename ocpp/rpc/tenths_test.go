package rpc

import "testing"

func TestTenths(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"0", "0"}, {"0.1", "0.1"}, {"16.30", "16.30"}, {"1.61e1", "16.1"}, {"-0.7", "-0.7"}, {"32", "32"}, {"0.000", "0.000"},
		{"0.05", "not a multiple of 0.1"}, {"16.30000000000001", "not a multiple of 0.1"}, {"1e-2", "not a multiple of 0.1"},
		{`"1"`, "want a number"}, {"01", "not a number"}, {"1e30", "number too large"},
	} {
		var b Body
		b.Reset(tt.in, Limits{})
		b.Begin(V16)
		d := b.Tenths()
		if err := b.End(); err != nil {
			if err.Error() != tt.want {
				t.Errorf("%s: got %v, want %s", tt.in, err, tt.want)
			}
			continue
		}
		var w Writer
		w.Begin(nil, V16)
		w.Name("limit")
		w.Tenths("", &d)
		if got, err := w.End(); err != nil || string(got) != `{"limit":`+tt.want+"}" {
			t.Errorf("%s: wrote %s, %v", tt.in, got, err)
		}
	}
	var w Writer
	w.Begin(nil, V16)
	w.Name("limit")
	d := Scaled(1605, -2)
	w.Tenths("", &d)
	if _, err := w.End(); err == nil || err.Error() != "limit: not a multiple of 0.1" {
		t.Errorf("wrote 16.05 with %v", err)
	}
}
