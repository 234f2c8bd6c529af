package can

import (
	"bytes"
	"testing"
)

func TestFrameText(t *testing.T) {
	for _, row := range []struct {
		f    Frame
		want string
	}{
		{New(0x123, 0xAB, 1), "123#AB01"}, {New(0x02831122), "02831122#"},
		{Frame{ID: 5, Extended: true, Len: 1, Data: [8]byte{7}}, "00000005#07"}, {Frame{ID: 5, Remote: true, Len: 4}, "005#R4"},
	} {
		if got := row.f.String(); got != row.want {
			t.Errorf("%s, want %s", got, row.want)
		}
	}
}

func TestFilter(t *testing.T) {
	group := Filter{ID: 0x0283F000, Mask: 0x1FFFFF00, Extended: true}
	for _, row := range []struct {
		filter Filter
		f      Frame
		want   bool
	}{
		{Filter{}, New(5), true}, {Filter{}, New(0x10000), false}, {Exactly(0x123), New(0x123), true}, {Exactly(0x123), New(0x124), false},
		{group, New(0x0283F003), true}, {group, New(0x0284F003), false}, {Exactly(5), Frame{ID: 5, Extended: true}, false},
	} {
		if got := row.filter.Match(&row.f); got != row.want {
			t.Errorf("%+v %v: %v", row.filter, row.f, got)
		}
	}
}

func TestTrouble(t *testing.T) {
	for _, row := range []struct {
		class   uint32
		control byte
		want    Trouble
	}{
		{classBusOff, 0, TroubleBusOff}, {classRestart, 0, TroubleRestart}, {classControl, 0x01, TroubleOverflow}, {classControl, 0x20, TroublePassive},
		{classControl, 0x40, TroubleActive}, {classNoAck | classTimeout, 0xFF, TroubleNoAck | TroubleTimeout}, {classBusError, 0, TroubleProtocol},
	} {
		b := errorFrame(row.class, row.control)
		if _, got, err := decode(b[:]); err != nil || got != row.want {
			t.Errorf("class %#x: %#x, %v, want %#x", row.class, got, err, row.want)
		}
	}
}

// FuzzFrame: whatever the kernel gives, decoding it ends, and what is read is written as it came.
func FuzzFrame(f *testing.F) {
	for _, fr := range []Frame{New(0x123, 1, 2, 3), New(0x1FFFFFFF), {ID: 1, Remote: true, Len: 8}} {
		b := fr.encode()
		f.Add(b[:])
	}
	e := errorFrame(classBusOff, 0)
	f.Add(e[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, trouble, err := decode(b)
		if err != nil || trouble != 0 || fr == (Frame{}) {
			return
		}
		if err := fr.check(); err != nil {
			t.Fatalf("%v from %x", err, b)
		}
		again := fr.encode()
		if fr2, _, err := decode(again[:]); err != nil || fr2 != fr {
			t.Errorf("%v, %v, want %v", fr2, err, fr)
		}
		if !fr.Remote && !bytes.Equal(again[8:8+fr.Len], b[8:8+fr.Len]) {
			t.Errorf("%x, want %x", again, b)
		}
	})
}
