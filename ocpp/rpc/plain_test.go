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
		if !copySame(b, plain, strings.Clone(plain)) || string(b) != plain+"\x00" {
			t.Errorf("%q: not the same as itself: %q", plain, b)
		}
		if copySame(b, plain, plain+"x") {
			t.Errorf("%q: the same as a longer one", plain)
		}
		for at := range n {
			for c := range 256 {
				text := plain[:at] + string([]byte{byte(c)}) + plain[at+1:]
				want := c >= ' ' && c < 0x80 && c != '"' && c != '\\'
				if got := copyPlain(b, text); got != want || got && string(b) != text+"\x00" {
					t.Fatalf("%q: got %v, %q", text, got, b)
				}
				if got := copySame(b, text, plain); got != (text == plain) {
					t.Fatalf("%q, %q: got %v", text, plain, got)
				}
			}
		}
	}
}
