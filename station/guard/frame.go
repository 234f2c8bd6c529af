package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Frames on the socket between station and guard: one datagram each, always as long as its type says, little endian.
//
//	offset  command (96 bytes)            status (72 bytes)
//	0       u8  version, 2                u8  version, 2
//	1       u8  type, 1                   u8  type, 2
//	2       u16 length, 96                u16 length, 72
//	4       u8  kind                      u8  pilot state
//	5       u8  permit: 1 close 2 lock    u8  cable state
//	            4 fail
//	6       u8  permit: phases            u8  1 closed 2 has lock 4 locked 8 lock failed
//	7       u8  meter: phases             u8  phases
//	8       i32 EVSE                      i32 EVSE
//	12      i32 connector                 i32 connector
//	16      i64 sent                      i64 at
//	24      i64 permit: mA                i64 rating, mA
//	32      i64 meter: age, ns            i64 offered, mA
//	40      i64 meter: 3 x mA             i32 duty, 0.01 %; 44 u32 closings; 48 u32 faults; 52 u32 seen; 56 u8 opened by
//	64      i64 meter: 3 x mV
//	88      zero                          57 u8 ailment; 58 u8 heat that is known: 1 socket 2 cable; 59 zero
//	                                      60 i16 socket, 62 i16 cable, 0.1 °C; 64 zero
//	last 4  u32 CRC-32C of all before it
//
// Instants are CLOCK_MONOTONIC in ns, which both sides share: what a frame waited in the socket is part of its age.
// There is no sequence number: a SOCK_SEQPACKET socket neither loses nor reorders nor joins, and each frame is a level
// of which the newest counts. The checksum, the version and the rule that every byte without meaning is zero tell a
// program that speaks something else; from such a one nothing is taken.
const (
	frameVersion = 2
	typeCommand  = 1
	typeStatus   = 2
	CommandSize  = 96
	StatusSize   = 72
)

// ErrFrame is a datagram that is no frame of this version.
var ErrFrame = errors.New("no frame of this guard's protocol")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	permitClose = 1 << iota
	permitLock
	permitFail
)

const (
	statusClosed = 1 << iota
	statusHasLock
	statusLocked
	statusLockFailed
)

const (
	heatSocket = 1 << iota
	heatCable
)

// maxHeat is the most, above and below zero, that a status can say.
const maxHeat = 3000 * unit.Celsius

func head(b []byte, kind byte) {
	clear(b)
	b[0], b[1] = frameVersion, kind
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
}

func seal(b []byte) {
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
}

func sealed(b []byte, kind byte, size int) bool {
	return len(b) == size && b[0] == frameVersion && b[1] == kind && int(binary.LittleEndian.Uint16(b[2:])) == size &&
		binary.LittleEndian.Uint32(b[size-4:]) == crc32.Checksum(b[:size-4], castagnoli)
}

func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}

func putRef(b []byte, r term.Ref) {
	binary.LittleEndian.PutUint32(b, uint32(r.EVSE))
	binary.LittleEndian.PutUint32(b[4:], uint32(r.Connector))
}

func getRef(b []byte) term.Ref {
	return term.Ref{EVSE: term.EVSEID(binary.LittleEndian.Uint32(b)), Connector: term.ConnectorID(binary.LittleEndian.Uint32(b[4:]))}
}

func put64[T ~int64](b []byte, v T) { binary.LittleEndian.PutUint64(b, uint64(v)) }

func get64[T ~int64](b []byte) T { return T(binary.LittleEndian.Uint64(b)) }

// encodeCommand writes c, which leaves at the instant sent. Only what its kind carries is written.
func encodeCommand(b *[CommandSize]byte, c *Command, sent int64) {
	fillCommand(b, c, sent)
	seal(b[:])
}

func fillCommand(b *[CommandSize]byte, c *Command, sent int64) {
	head(b[:], typeCommand)
	b[4] = byte(c.Kind)
	putRef(b[8:], c.Ref)
	put64(b[16:], sent)
	switch c.Kind {
	case CommandPermit:
		p := &c.Permit
		putRef(b[8:], p.Ref)
		b[5] = bit(p.Close, permitClose) | bit(p.Lock, permitLock) | bit(p.Fail, permitFail)
		b[6] = p.Phases
		put64(b[24:], p.Max)
	case CommandMeter:
		m := &c.Meter
		b[7] = m.Phases
		put64(b[32:], m.Age)
		for i := range m.Current {
			put64(b[40+8*i:], m.Current[i])
			put64(b[64+8*i:], m.Voltage[i])
		}
	}
}

// decodeCommand reads what encodeCommand wrote, and nothing else.
func decodeCommand(b []byte, c *Command) (sent int64, err error) {
	if !sealed(b, typeCommand, CommandSize) {
		return 0, ErrFrame
	}
	sent = get64[int64](b[16:])
	*c = Command{Kind: CommandKind(b[4]), Ref: getRef(b[8:])}
	switch c.Kind {
	case CommandPermit:
		c.Permit = term.Permit{Ref: c.Ref, Close: b[5]&permitClose != 0, Lock: b[5]&permitLock != 0, Fail: b[5]&permitFail != 0,
			Phases: b[6], Max: get64[unit.Current](b[24:])}
	case CommandMeter:
		c.Meter = MeterSummary{Phases: b[7], Age: get64[time.Duration](b[32:])}
		for i := range c.Meter.Current {
			c.Meter.Current[i] = get64[unit.Current](b[40+8*i:])
			c.Meter.Voltage[i] = get64[unit.Voltage](b[64+8*i:])
		}
	case CommandHeartbeat, CommandService:
	default:
		return 0, fmt.Errorf("%w: command of an unknown kind", ErrFrame)
	}
	var again [CommandSize]byte
	fillCommand(&again, c, sent) // unsealed: what a checksum is made of would be allocated
	if string(again[:CommandSize-4]) != string(b[:CommandSize-4]) || c.Permit.Phases > 3 || c.Meter.Phases > 3 || c.Meter.Age < 0 {
		return 0, fmt.Errorf("%w: command with a value that nobody sends", ErrFrame)
	}
	return sent, nil
}

// encodeStatus writes s; its instant comes as at.
func encodeStatus(b *[StatusSize]byte, s *iec61851.Status, at int64) {
	fillStatus(b, s, at)
	seal(b[:])
}

func fillStatus(b *[StatusSize]byte, s *iec61851.Status, at int64) {
	head(b[:], typeStatus)
	b[4], b[5] = byte(s.Pilot), byte(s.Cable)
	b[6] = bit(s.Closed, statusClosed) | bit(s.HasLock, statusHasLock) | bit(s.Locked, statusLocked) | bit(s.LockFailed, statusLockFailed)
	b[7] = s.Phases
	putRef(b[8:], s.Ref)
	put64(b[16:], at)
	put64(b[24:], s.Rating)
	put64(b[32:], s.Offered)
	binary.LittleEndian.PutUint32(b[40:], uint32(s.Duty))
	binary.LittleEndian.PutUint32(b[44:], s.Closings)
	binary.LittleEndian.PutUint32(b[48:], uint32(s.Faults))
	binary.LittleEndian.PutUint32(b[52:], uint32(s.Seen))
	b[56], b[57] = byte(s.Opened), byte(s.Ailment)
	b[58] = bit(s.SocketHeat.Known, heatSocket) | bit(s.CableHeat.Known, heatCable)
	binary.LittleEndian.PutUint16(b[60:], uint16(s.SocketHeat.At/heatStep))
	binary.LittleEndian.PutUint16(b[62:], uint16(s.CableHeat.At/heatStep))
}

func getHeat(b []byte, known bool) iec61851.Heat {
	return iec61851.Heat{Known: known, At: unit.Temperature(int16(binary.LittleEndian.Uint16(b))) * heatStep}
}

// knownFaults are the bits that a FaultSet may have.
const knownFaults = iec61851.FaultSet(1)<<(term.FaultStorage+1) - 2

// decodeStatus reads what encodeStatus wrote, and nothing else. The status has no At.
func decodeStatus(b []byte, s *iec61851.Status) (at int64, err error) {
	if !sealed(b, typeStatus, StatusSize) {
		return 0, ErrFrame
	}
	at = get64[int64](b[16:])
	*s = iec61851.Status{
		Ref: getRef(b[8:]), Pilot: term.PilotState(b[4]), Cable: iec61851.CableState(b[5]), Phases: b[7],
		Closed: b[6]&statusClosed != 0, HasLock: b[6]&statusHasLock != 0, Locked: b[6]&statusLocked != 0, LockFailed: b[6]&statusLockFailed != 0,
		Rating: get64[unit.Current](b[24:]), Offered: get64[unit.Current](b[32:]), Duty: unit.Duty(binary.LittleEndian.Uint32(b[40:])),
		Closings: binary.LittleEndian.Uint32(b[44:]), Faults: iec61851.FaultSet(binary.LittleEndian.Uint32(b[48:])),
		Seen: iec61851.FaultSet(binary.LittleEndian.Uint32(b[52:])), Opened: iec61851.OpenReason(b[56]),
		Ailment: hal.Ailment(b[57]), SocketHeat: getHeat(b[60:], b[58]&heatSocket != 0), CableHeat: getHeat(b[62:], b[58]&heatCable != 0),
	}
	var again [StatusSize]byte
	fillStatus(&again, s, at)
	if string(again[:StatusSize-4]) != string(b[:StatusSize-4]) || s.Pilot > term.StateF || s.Cable > iec61851.CableError || s.Opened > iec61851.OpenedByFault ||
		s.Phases > 3 || (s.Faults|s.Seen)&^knownFaults != 0 || s.Ailment >= hal.Ailments || absurd(s.SocketHeat) || absurd(s.CableHeat) {
		return 0, fmt.Errorf("%w: status with a value that nobody sends", ErrFrame)
	}
	return at, nil
}

// absurd reports whether a heat is one that nobody says.
func absurd(h iec61851.Heat) bool { return !h.Known && h.At != 0 || h.At > maxHeat || h.At < -maxHeat }
