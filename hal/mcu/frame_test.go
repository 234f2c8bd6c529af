package mcu

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestChecksum is the check value that catalogues of CRCs give for this one.
func TestChecksum(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x29B1 {
		t.Errorf("%#x, want 0x29b1", got)
	}
}

// TestFrameBytes are frames as docs/mcu.md shows them.
func TestFrameBytes(t *testing.T) {
	for _, row := range []struct {
		name    string
		kind    uint8
		seq     uint8
		payload []byte
		want    string
	}{
		{"nothing to stuff", 0x11, 0x22, []byte{0x33}, "000711220133" + "7434" + "00"},
		{"zeros", 0x00, 0x00, []byte{0, 0}, "00" + "0101" + "0202" + "01" + "036c7f" + "00"},
	} {
		got := AppendFrame(nil, row.kind, row.seq, row.payload)
		var d Decoder
		var f Frame
		found := 0
		for _, c := range got {
			if d.Feed(c, &f) {
				found++
			}
		}
		if found != 1 || f.Type != row.kind || f.Seq != row.seq || !bytes.Equal(f.Payload, row.payload) || d.Bad != 0 {
			t.Errorf("%s: %+v", row.name, f)
		}
		if hex.EncodeToString(got) != row.want {
			t.Errorf("%s: %x, want %s", row.name, got, row.want)
		}
	}
}

// frames reads everything that is in b.
func frames(b []byte) (list []Frame, d Decoder) {
	var f Frame
	for _, c := range b {
		if d.Feed(c, &f) {
			f.Payload = bytes.Clone(f.Payload)
			list = append(list, f)
		}
	}
	return list, d
}

// TestDecoderFindsTheNextFrame: whatever a line makes of one frame, the one behind it is whole, and nothing is found
// that was not sent.
func TestDecoderFindsTheNextFrame(t *testing.T) {
	p := Permit{Session: 77, Connector: 1, Close: true, Phases: 3, Duty: 2666}
	one := AppendFrame(nil, KindPermit, 1, p.Append(nil))
	two := AppendFrame(nil, KindPermit, 2, p.Append(nil))
	try := func(name string, damaged []byte) {
		t.Helper()
		got, _ := frames(append(damaged, two...))
		if len(got) != 1 || got[0].Seq != 2 {
			t.Errorf("%s: %d frames", name, len(got))
		}
	}
	for i := 1; i < len(one)-1; i++ { // the outer delimiters are free to go: the neighbours have their own
		for bit := range 8 {
			b := bytes.Clone(one)
			b[i] ^= 1 << bit
			try("bent", b)
		}
		try("cut", bytes.Clone(one[:i]))
		try("begun late", bytes.Clone(one[i+1:]))
		try("byte lost", append(bytes.Clone(one[:i]), one[i+1:]...))
	}
	try("noise without an end", bytes.Repeat([]byte{0xA5}, 10_000))
	got, d := frames(append(bytes.Repeat([]byte{0}, 50), one...))
	if len(got) != 1 || d.Bad != 0 {
		t.Errorf("idle line: %d frames, %d bad", len(got), d.Bad)
	}
}

// TestTwoBitErrorsAreFound: no two bent bits of a permit make another permit.
func TestTwoBitErrorsAreFound(t *testing.T) {
	p := Permit{Session: 1 << 30, Connector: 1, Duty: 10000}
	whole := AppendFrame(nil, KindPermit, 1, p.Append(nil))
	for i := 8; i < (len(whole)-1)*8; i++ {
		for j := i + 1; j < (len(whole)-1)*8; j++ {
			b := bytes.Clone(whole)
			b[i/8] ^= 1 << (i % 8)
			b[j/8] ^= 1 << (j % 8)
			for _, f := range first(frames(b)) {
				t.Fatalf("bits %d and %d: %+v", i, j, f)
			}
		}
	}
}

func first(f []Frame, _ Decoder) []Frame { return f }

// FuzzFrame: what was framed is found again behind any noise that ends, and the decoder stands everything.
func FuzzFrame(f *testing.F) {
	p := Permit{Session: 77, Connector: 1, Close: true, Phases: 3, Duty: 2666}
	f.Add([]byte{}, uint8(KindPermit), uint8(3), p.Append(nil))
	f.Add([]byte{1, 2, 3, 0, 0xFF}, uint8(0), uint8(0), []byte{0, 0, 0})
	f.Add(bytes.Repeat([]byte{7}, 200), uint8(1), uint8(255), bytes.Repeat([]byte{0xFF}, MaxPayload))
	f.Fuzz(func(t *testing.T, noise []byte, kind, seq uint8, payload []byte) {
		payload = payload[:min(len(payload), MaxPayload)]
		b := append(bytes.Clone(noise), AppendFrame(nil, kind, seq, payload)...)
		got, d := frames(b)
		if len(got) == 0 {
			t.Fatalf("not found behind %x", noise)
		}
		last := got[len(got)-1]
		if last.Type != kind || last.Seq != seq || !bytes.Equal(last.Payload, payload) || int(d.Good) != len(got) {
			t.Errorf("%+v", last)
		}
		if n := len(AppendFrame(nil, kind, seq, payload)); n > MaxFrameSize {
			t.Errorf("a frame of %d bytes", n)
		}
	})
}
