package guard

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

func someCommands() []Command {
	ref := term.Ref{EVSE: 2, Connector: 1}
	return []Command{
		{Kind: CommandPermit, Ref: ref, Permit: term.Permit{Ref: ref, Close: true, Lock: true, Fail: true, Max: 32 * unit.Ampere, Phases: 3}},
		{Kind: CommandPermit, Ref: ref, Permit: term.Permit{Ref: ref, Lock: true}},
		{Kind: CommandMeter, Ref: ref, Meter: MeterSummary{Age: 1500 * time.Millisecond, Phases: 3,
			Current: [3]unit.Current{16000, 15900, -1}, Voltage: [3]unit.Voltage{230000, 231000, 229000}}},
		{Kind: CommandHeartbeat},
		{Kind: CommandService, Ref: ref},
		{Kind: CommandService},
	}
}

func someStatuses() []iec61851.Status {
	return []iec61851.Status{
		{Ref: term.Ref{EVSE: 1, Connector: 1}},
		{Ref: term.Ref{EVSE: 2, Connector: 1}, Pilot: term.StateC, Cable: iec61851.CablePresent, Rating: 32000, Closed: true, Phases: 3, Closings: 1 << 31,
			Opened: iec61851.OpenedByFault, HasLock: true, Locked: true, LockFailed: true, Offered: 16000, Duty: 2666,
			Faults: iec61851.FaultsOf(term.FaultGround), Seen: iec61851.FaultsOf(term.FaultGround, term.FaultStorage)},
		{Ref: term.Ref{EVSE: 1, Connector: 2}, Faults: iec61851.FaultsOf(term.FaultPilot), Ailment: hal.AilUnreadable,
			SocketHeat: iec61851.Heat{Known: true, At: 84_900}, CableHeat: iec61851.Heat{Known: true, At: -maxHeat}},
		{Ref: term.Ref{EVSE: 1, Connector: 2}, CableHeat: iec61851.Heat{Known: true}},
	}
}

func TestFramesRoundTrip(t *testing.T) {
	for _, c := range someCommands() {
		var frame [CommandSize]byte
		encodeCommand(&frame, &c, 12345)
		var got Command
		sent, err := decodeCommand(frame[:], &got)
		if err != nil || sent != 12345 || got != c {
			t.Errorf("command %+v came as %+v, %d, %v", c, got, sent, err)
		}
	}
	for _, s := range someStatuses() {
		var frame [StatusSize]byte
		encodeStatus(&frame, &s, -7)
		var got iec61851.Status
		at, err := decodeStatus(frame[:], &got)
		if err != nil || at != -7 || got != s {
			t.Errorf("status %+v came as %+v, %d, %v", s, got, at, err)
		}
	}
}

// TestFramesRefuseDamage flips each bit of each frame, cuts it and lengthens it.
func TestFramesRefuseDamage(t *testing.T) {
	var command [CommandSize]byte
	encodeCommand(&command, &someCommands()[0], 1)
	var status [StatusSize]byte
	encodeStatus(&status, &someStatuses()[1], 1)
	decode := map[string]func([]byte) error{
		"command": func(b []byte) error { var c Command; _, err := decodeCommand(b, &c); return err },
		"status":  func(b []byte) error { var s iec61851.Status; _, err := decodeStatus(b, &s); return err },
	}
	for name, whole := range map[string][]byte{"command": command[:], "status": status[:]} {
		for bit := range 8 * len(whole) {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			if err := decode[name](b); !errors.Is(err, ErrFrame) {
				t.Errorf("%s with bit %d flipped: %v", name, bit, err)
			}
		}
		for n := range whole {
			if err := decode[name](whole[:n]); !errors.Is(err, ErrFrame) {
				t.Errorf("%s of %d bytes: %v", name, n, err)
			}
		}
		if err := decode[name](append(bytes.Clone(whole), 0)); !errors.Is(err, ErrFrame) {
			t.Errorf("%s with a byte more: %v", name, err)
		}
	}
	if err := decode["status"](command[:]); !errors.Is(err, ErrFrame) {
		t.Errorf("a command taken for a status: %v", err)
	}
}

// TestFramesRefuseWhatNobodySends seals frames whose values are out of range, so that the checksum is right.
func TestFramesRefuseWhatNobodySends(t *testing.T) {
	for name, edit := range map[string]func(c, s []byte){
		"kind":                   func(c, _ []byte) { c[4] = 9 },
		"permit flag":            func(c, _ []byte) { c[5] |= 8 },
		"permit phases":          func(c, _ []byte) { c[6] = 4 },
		"meter in a permit":      func(c, _ []byte) { c[40] = 1 },
		"zero bytes":             func(c, _ []byte) { c[88] = 1 },
		"pilot":                  func(_, s []byte) { s[4] = 7 },
		"cable":                  func(_, s []byte) { s[5] = 4 },
		"status flag":            func(_, s []byte) { s[6] |= 16 },
		"opened by":              func(_, s []byte) { s[56] = 5 },
		"ailment":                func(_, s []byte) { s[57] = byte(hal.Ailments) },
		"heat that nobody knows": func(_, s []byte) { s[58], s[60] = 0, 1 },
		"another heat":           func(_, s []byte) { s[58] = 4 },
		"absurd heat":            func(_, s []byte) { s[58], s[61] = 1, 0x7F },
		"zero of a status":       func(_, s []byte) { s[64] = 1 },
		"fault":                  func(_, s []byte) { s[51] = 128 },
		"no fault":               func(_, s []byte) { s[52] = 1 },
	} {
		var command [CommandSize]byte
		encodeCommand(&command, &someCommands()[0], 1)
		var status [StatusSize]byte
		encodeStatus(&status, &someStatuses()[1], 1)
		edit(command[:], status[:])
		seal(command[:])
		seal(status[:])
		var c Command
		var s iec61851.Status
		_, cerr := decodeCommand(command[:], &c)
		_, serr := decodeStatus(status[:], &s)
		if (cerr == nil) == (serr == nil) || cerr != nil && !errors.Is(cerr, ErrFrame) || serr != nil && !errors.Is(serr, ErrFrame) {
			t.Errorf("%s: command %v, status %v", name, cerr, serr)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range someCommands() {
		var frame [CommandSize]byte
		encodeCommand(&frame, &c, 99)
		f.Add(frame[:], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		b = bytes.Clone(b)
		if right && len(b) == CommandSize { // past the checksum
			seal(b)
		}
		var c Command
		sent, err := decodeCommand(b, &c)
		if err != nil {
			return
		}
		var again [CommandSize]byte
		if encodeCommand(&again, &c, sent); !bytes.Equal(again[:], b) {
			t.Errorf("%x reads as %+v, which is %x", b, c, again)
		}
	})
}

func FuzzDecodeStatus(f *testing.F) {
	for _, s := range someStatuses() {
		var frame [StatusSize]byte
		encodeStatus(&frame, &s, 99)
		f.Add(frame[:], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		b = bytes.Clone(b)
		if right && len(b) == StatusSize {
			seal(b)
		}
		var s iec61851.Status
		at, err := decodeStatus(b, &s)
		if err != nil {
			return
		}
		var again [StatusSize]byte
		if encodeStatus(&again, &s, at); !bytes.Equal(again[:], b) {
			t.Errorf("%x reads as %+v, which is %x", b, s, again)
		}
		if got := iec61851.AppendNotices(nil, &iec61851.Status{}, &s); len(got) > iec61851.MaxNotices {
			t.Errorf("%d notices of %+v", len(got), s)
		}
		_ = s.Opened.String()
	})
}
