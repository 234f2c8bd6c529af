package modbus

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Frames of the examples that the application protocol's sections give, with the checksum of the serial line.
func TestRequestFrames(t *testing.T) {
	for _, c := range []struct {
		name string
		make func() (request, error)
		want string
	}{
		{"read coils", func() (request, error) { return newRead(0x11, Coil, 0x13, 0x25) }, "11 01 0013 0025 0e84"},
		{"read discrete inputs", func() (request, error) { return newRead(0x11, Discrete, 0xc4, 0x16) }, "11 02 00c4 0016 baa9"},
		{"read holding registers", func() (request, error) { return newRead(0x11, Holding, 0x6b, 3) }, "11 03 006b 0003 7687"},
		{"read input registers", func() (request, error) { return newRead(0x11, Input, 8, 1) }, "11 04 0008 0001 b298"},
		{"write single coil", func() (request, error) { return newWrite(0x11, Coil, 0xac, []uint16{1}) }, "11 05 00ac ff00 4e8b"},
		{"write single register", func() (request, error) { return newWrite(0x11, Holding, 1, []uint16{3}) }, "11 06 0001 0003 9a9b"},
		{"write coils", func() (request, error) {
			return newWrite(0x11, Coil, 0x13, []uint16{1, 0, 1, 1, 0, 0, 1, 1, 1, 0})
		}, "11 0f 0013 000a 02 cd01 bf0b"},
		{"write registers", func() (request, error) { return newWrite(0x11, Holding, 1, []uint16{10, 0x102}) }, "11 10 0001 0002 04 000a 0102 c6f0"},
		{"read and write", func() (request, error) { return newReadWrite(1, 3, 6, 14, []uint16{255, 255, 255}) },
			"01 17 0003 0006 000e 0003 06 00ff 00ff 00ff 4691"},
	} {
		r, err := c.make()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := unhex(t, c.want)
		if got := AppendRTU(nil, r.unit, r.pdu); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.name, got, want)
		}
		if n := requestLength(want); n != len(want) {
			t.Errorf("%s: takes its length for %d", c.name, n)
		}
	}
}

func TestAnswersAreChecked(t *testing.T) {
	three, _ := newRead(0x11, Holding, 0x6b, 3)
	bits, _ := newRead(0x11, Coil, 0x13, 10)
	one, _ := newWrite(0x11, Holding, 1, []uint16{3})
	for _, c := range []struct {
		name  string
		r     request
		frame string
		want  []uint16
		err   error
	}{
		{"three registers", three, "11 03 06 ae41 5652 4340 49ad", []uint16{0xae41, 0x5652, 0x4340}, nil},
		{"checksum turned", three, "11 03 06 ae41 5652 4340 49ac", nil, ErrCRC},
		{"a bit turned", three, "11 03 06 ae41 5653 4340 49ad", nil, ErrCRC},
		{"too short to be one", three, "11 03 06", nil, ErrShort},
		{"exception", three, "11 83 02 c134", nil, IllegalAddress},
		{"write repeated", one, "11 06 0001 0003 9a9b", nil, nil},
	} {
		_, pdu, err := ParseRTU(unhex(t, c.frame))
		var got []uint16
		if err == nil {
			got, err = c.r.answer(pdu)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		if len(got) != len(c.want) || len(got) == 3 && got[2] != c.want[2] {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	for name, pdu := range map[string]string{
		"two registers instead of three":       "03 04 0001 0002",
		"length that does not fit the bytes":   "03 06 0001 0002",
		"another function":                     "04 06 0001 0002 0003",
		"exception of another function":        "84 02",
		"exception with something behind it":   "83 02 00",
		"a byte of bits for ten":               "01 01 ff",
		"written value that is not repeated":   "06 0001 0004",
		"written address that is not repeated": "06 0002 0003",
	} {
		b := unhex(t, pdu)
		r := three
		switch b[0] {
		case 1:
			r = bits
		case 6:
			r = one
		}
		if _, err := r.answer(b); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := bits.answer(unhex(t, "01 02 cd 01")); err != nil || len(got) != 10 || got[0] != 1 || got[1] != 0 || got[8] != 1 || got[9] != 0 {
		t.Errorf("bits: %v, %v", got, err)
	}
}

func TestRequestsHaveBounds(t *testing.T) {
	for name, f := range map[string]func() (request, error){
		"no registers":          func() (request, error) { return newRead(1, Holding, 0, 0) },
		"126 registers":         func() (request, error) { return newRead(1, Input, 0, 126) },
		"2001 coils":            func() (request, error) { return newRead(1, Coil, 0, 2001) },
		"past the last address": func() (request, error) { return newRead(1, Holding, 65535, 2) },
		"unknown table":         func() (request, error) { return newRead(1, 9, 0, 1) },
		"124 written":           func() (request, error) { return newWrite(1, Holding, 0, make([]uint16, 124)) },
		"nothing written":       func() (request, error) { return newWrite(1, Holding, 0, nil) },
		"input written":         func() (request, error) { return newWrite(1, Input, 0, []uint16{1}) },
		"122 written and read":  func() (request, error) { return newReadWrite(1, 0, 1, 0, make([]uint16, 122)) },
	} {
		if _, err := f(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, f := range []func() (request, error){
		func() (request, error) { return newRead(1, Holding, 65411, 125) },
		func() (request, error) { return newWrite(1, Coil, 0, make([]uint16, 1968)) },
		func() (request, error) { return newReadWrite(1, 0, 125, 0, make([]uint16, 121)) },
	} {
		r, err := f()
		if err != nil || len(r.pdu) > maxPDU {
			t.Errorf("the largest request: %d bytes, %v", len(r.pdu), err)
		}
	}
}

// FuzzRTU: what comes from a line is never more than an error; a frame that is taken is one that would be made.
func FuzzRTU(f *testing.F) {
	for _, s := range []string{"1103006b00037687", "110306ae415652434049ad", "118302c134", "11", "", "0000ffff", "ff17ffffffffffff"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, n := range []int{answerLength(b), requestLength(b)} {
			if n < -1 || n > 3+255+10 {
				t.Fatalf("a frame of %d bytes", n)
			}
		}
		unit, pdu, err := ParseRTU(b)
		if err != nil {
			return
		}
		if again := AppendRTU(nil, unit, pdu); !bytes.Equal(again, b) {
			t.Fatalf("% x is taken for % x", b, again)
		}
		both(t, unit, pdu)
	})
}

// FuzzTCP is the same for a connection.
func FuzzTCP(f *testing.F) {
	for _, s := range []string{"00010000000611030000006b0003", "000100000003118302", "0001000100061103006b0003", "00010000ffff11", ""} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		transaction, unit, pdu, rest, err := ParseTCP(b)
		if err != nil {
			return
		}
		if again := append(AppendTCP(nil, transaction, unit, pdu), rest...); !bytes.Equal(again, b) {
			t.Fatalf("% x is taken for % x", b, again)
		}
		both(t, unit, pdu)
	})
}

// both hands a PDU to a server as a request and to a client as an answer.
func both(t *testing.T, unit uint8, pdu []byte) {
	m := Memory{}
	m.Set(Holding, 0, make([]uint16, 130)...)
	m.Set(Coil, 0, make([]uint16, 2100)...)
	answer := NewServer(map[uint8]Unit{unit: m}).Answer(unit, pdu)
	if len(answer) > maxPDU {
		t.Fatalf("an answer of %d bytes", len(answer))
	}
	for _, kind := range []Kind{Holding, Coil} {
		r, err := newRead(unit, kind, 0, 9)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.answer(pdu); err == nil && len(got) != 9 {
			t.Fatalf("%d values for 9", len(got))
		}
	}
}
