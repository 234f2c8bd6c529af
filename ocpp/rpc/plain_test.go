package rpc

import (
	"strings"
	"testing"
)

// TestCopyPlain puts each byte at each place of texts of all lengths that are copied in different ways.
func TestCopyPlain(t *testing.T) {
	for n := range 34 {
		plain := strings.Repeat("aZ~ !#[]{}", 4)[:n]
		b := make([]byte, n+1)
		if !copyPlain(b, plain) || string(b) != plain+"\x00" {
			t.Errorf("%q: got %q", plain, b)
		}
		for at := range n {
			for c := range 256 {
				text := plain[:at] + string([]byte{byte(c)}) + plain[at+1:]
				want := c >= ' ' && c < 0x80 && c != '"' && c != '\\'
				if got := copyPlain(b, text); got != want || got && string(b) != text+"\x00" {
					t.Fatalf("%q: got %v, %q", text, got, b)
				}
			}
		}
	}
}

// TestEnumBytes changes each byte of names of all lengths that are compared in different ways.
func TestEnumBytes(t *testing.T) {
	for n := 1; n < 34; n++ {
		name := strings.Repeat("aZ~ !#[]{}", 4)[:n]
		e := Enum{Names: []string{name}, Known: [2]uint64{1, 1}}
		e.Slots, e.Hash = Slots(e.Names, 1)
		same(t, `"`+name+`"`, func(w *Writer) { w.Enum(`"`, strings.Clone(name), &e) })
		for at := range n {
			text := name[:at] + "x" + name[at+1:]
			var w Writer
			w.Begin(nil, V21)
			w.Enum(`"`, text, &e)
			if _, err := w.End(); err == nil {
				t.Errorf("%q passes for %q", text, name)
			}
		}
	}
}
