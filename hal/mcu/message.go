package mcu

import (
	"encoding/binary"
	"errors"
)

// Version of the protocol that this package speaks.
const Version = 1

// Kinds of messages. What this end says has the high bit clear, what the controller says has it set.
const (
	KindBegin  = 0x01 // this end: who it is and what it expects; until it is answered
	KindPermit = 0x02 // this end: what one connector may do
	KindHello  = 0x81 // the controller: who it is and what it can
	KindBoard  = 0x82 // the controller: itself
	KindStatus = 0x83 // the controller: one connector
)

// ErrMessage is a whole frame that says nothing of this version.
var ErrMessage = errors.New("no message of this version")

// Begin begins a session: everything that was permitted before is forgotten. It is said with every beat until a Hello
// answers it.
type Begin struct {
	Lowest, Highest uint16 // versions that this end speaks
	Session         uint32 // never 0
	Beat, Silence   uint16 // ms
	Fallback        bool   // on silence go on at the controller's own lowest limit; false: open
	Connectors      uint8
	Owns            Functions // what the board wants the controller to own
}

// Permit is all that one connector may do from now on, until the next. A permit of another session says nothing.
type Permit struct {
	Session      uint32
	Connector    uint8 // 1..Connectors
	Close        bool
	Lock, Unlock bool   // neither: the lock stays as it is
	Phases       uint8  // lines to close: 1 or 3; 0 with an open contactor
	Duty         uint16 // 0.01 %: 10000 steady high, 0 steady low
	MaxCurrent   uint16 // 0.1 A per phase that the pilot offers; 0: it offers none, or not by its duty
	Acknowledge  Faults // latched faults that may clear once their cause is gone,
	Generation   uint16 // as long as Status.Generation is this
}

// Hello answers a Begin.
type Hello struct {
	Version         uint16 // the one that counts; 0: none of those that were offered
	Lowest, Highest uint16
	Session         uint32 // that of the Begin
	Boot            uint32 // another number after each reset of the controller
	Silence         uint16 // ms after which it takes this end for gone: at most what was asked
	MaxCurrent      uint16 // 0.1 A per phase that it ever offers
	Fallback        uint16 // 0.1 A that it offers on silence; 0: it opens
	Connectors      uint8
	Phases          uint8
	Reset           ResetReason
	Owns            Functions
	Firmware        [firmwareSize]byte // text, filled with zeros
}

// Board is the controller itself, said with every beat whether there is a session or not.
type Board struct {
	Session       uint32 // 0: none, it waits for a Begin
	Boot          uint32
	Uptime        uint32 // s
	Reset         ResetReason
	EmergencyStop bool
	Supply        uint16 // mV of the pilot's positive rail
	Temperature   int16  // 0.1 °C; NoTemperature
	BadFrames     uint16 // that it received since its start, without carry
}

// Status is one connector as the controller sees and drives it.
type Status struct {
	Session       uint32
	Connector     uint8
	State         uint8 // 0 unknown, 1..6: A..F
	Coil          bool  // it drives the contactor
	Locked        bool
	Tripped       bool   // residual-current device
	EmergencyStop bool   //
	Held          bool   // it has opened by itself and stays open until a permit says open
	Silent        bool   // it does not hear this end
	Limited       bool   // it offers less than was permitted
	High, Low     int16  // mV of the pilot
	Proximity     uint16 // Ohm; OpenLine
	Duty          uint16 // 0.01 % that it drives
	Main, Extra   bool   // mirror contacts: L1 and N; L2 and L3
	Phases        uint8  // that it drives
	Socket, Cable int16  // 0.1 °C; NoTemperature
	Faults        Faults // causes that are there now
	Latched       Faults // that stay until they are acknowledged
	Generation    uint16 // another number each time that a fault is latched
	Permit        uint8  // sequence of the newest permit that it took
	Opened        Opened // why it last opened
}

// OpenLine is a proximity input with nothing on it, NoTemperature a place without a thermometer.
const (
	OpenLine      = 0xFFFF
	NoTemperature = -0x8000
)

const (
	beginSize    = 18
	permitSize   = 18
	firmwareSize = 20
	helloSize    = 48
	boardSize    = 20
	statusSize   = 34
)

// Bits of Permit and Status.
const (
	permitClose = 1 << iota
	permitLock
	permitUnlock
)

const (
	statusCoil = 1 << iota
	statusLocked
	statusTripped
	statusStop
	statusHeld
	statusSilent
	statusLimited
	statusEnd
)

const (
	contactMain = 1 << iota
	contactExtra
	contactEnd
)

func bit(on bool, b uint16) uint16 {
	if on {
		return b
	}
	return 0
}

var le = binary.LittleEndian

// Append appends the payload.
func (m *Begin) Append(b []byte) []byte {
	b = le.AppendUint16(b, m.Lowest)
	b = le.AppendUint16(b, m.Highest)
	b = le.AppendUint32(b, m.Session)
	b = le.AppendUint16(b, m.Beat)
	b = le.AppendUint16(b, m.Silence)
	b = append(b, byte(bit(m.Fallback, 1)), m.Connectors)
	return le.AppendUint32(b, uint32(m.Owns))
}

// Parse reads a payload.
func (m *Begin) Parse(b []byte) error {
	if len(b) != beginSize || b[12] > 1 {
		return ErrMessage
	}
	*m = Begin{Lowest: le.Uint16(b), Highest: le.Uint16(b[2:]), Session: le.Uint32(b[4:]), Beat: le.Uint16(b[8:]), Silence: le.Uint16(b[10:]),
		Fallback: b[12] == 1, Connectors: b[13], Owns: Functions(le.Uint32(b[14:]))}
	if m.Session == 0 || m.Beat == 0 || m.Silence < m.Beat {
		return ErrMessage
	}
	return nil
}

// Append appends the payload.
func (m *Permit) Append(b []byte) []byte {
	b = le.AppendUint32(b, m.Session)
	b = append(b, m.Connector, byte(bit(m.Close, permitClose)|bit(m.Lock, permitLock)|bit(m.Unlock, permitUnlock)))
	b = append(b, m.Phases, 0)
	b = le.AppendUint16(b, m.Duty)
	b = le.AppendUint16(b, m.MaxCurrent)
	b = le.AppendUint32(b, uint32(m.Acknowledge))
	return le.AppendUint16(b, m.Generation)
}

// Parse reads a payload. A permit that contradicts itself says nothing.
func (m *Permit) Parse(b []byte) error {
	if len(b) != permitSize || b[5] > permitClose|permitLock|permitUnlock || b[7] != 0 {
		return ErrMessage
	}
	*m = Permit{Session: le.Uint32(b), Connector: b[4], Close: b[5]&permitClose != 0, Lock: b[5]&permitLock != 0, Unlock: b[5]&permitUnlock != 0,
		Phases: b[6], Duty: le.Uint16(b[8:]), MaxCurrent: le.Uint16(b[10:]), Acknowledge: Faults(le.Uint32(b[12:])), Generation: le.Uint16(b[16:])}
	if m.Lock && m.Unlock || m.Duty > fullDuty || m.Connector == 0 || m.Session == 0 ||
		m.Close && m.Phases != 1 && m.Phases != 3 || !m.Close && m.Phases != 0 {
		return ErrMessage
	}
	return nil
}

// fullDuty is a steady high line.
const fullDuty = 10000

// Append appends the payload.
func (m *Hello) Append(b []byte) []byte {
	b = le.AppendUint16(b, m.Version)
	b = le.AppendUint16(b, m.Lowest)
	b = le.AppendUint16(b, m.Highest)
	b = le.AppendUint32(b, m.Session)
	b = le.AppendUint32(b, m.Boot)
	b = le.AppendUint16(b, m.Silence)
	b = le.AppendUint16(b, m.MaxCurrent)
	b = le.AppendUint16(b, m.Fallback)
	b = append(b, m.Connectors, m.Phases, byte(m.Reset), 0)
	b = le.AppendUint32(b, uint32(m.Owns))
	return append(b, m.Firmware[:]...)
}

// Parse reads a payload. Of a Hello without a common version only the versions count: the rest may have another form.
func (m *Hello) Parse(b []byte) error {
	if len(b) >= 10 && le.Uint16(b) == 0 {
		*m = Hello{Lowest: le.Uint16(b[2:]), Highest: le.Uint16(b[4:]), Session: le.Uint32(b[6:])}
		return nil
	}
	if len(b) != helloSize || b[23] != 0 {
		return ErrMessage
	}
	*m = Hello{Version: le.Uint16(b), Lowest: le.Uint16(b[2:]), Highest: le.Uint16(b[4:]), Session: le.Uint32(b[6:]), Boot: le.Uint32(b[10:]),
		Silence: le.Uint16(b[14:]), MaxCurrent: le.Uint16(b[16:]), Fallback: le.Uint16(b[18:]), Connectors: b[20], Phases: b[21], Reset: ResetReason(b[22]),
		Owns: Functions(le.Uint32(b[24:])), Firmware: [firmwareSize]byte(b[28:])}
	return nil
}

// Append appends the payload.
func (m *Board) Append(b []byte) []byte {
	b = le.AppendUint32(b, m.Session)
	b = le.AppendUint32(b, m.Boot)
	b = le.AppendUint32(b, m.Uptime)
	b = append(b, byte(m.Reset), byte(bit(m.EmergencyStop, 1)))
	b = le.AppendUint16(b, m.Supply)
	b = le.AppendUint16(b, uint16(m.Temperature))
	return le.AppendUint16(b, m.BadFrames)
}

// Parse reads a payload.
func (m *Board) Parse(b []byte) error {
	if len(b) != boardSize || b[13] > 1 {
		return ErrMessage
	}
	*m = Board{Session: le.Uint32(b), Boot: le.Uint32(b[4:]), Uptime: le.Uint32(b[8:]), Reset: ResetReason(b[12]), EmergencyStop: b[13] == 1,
		Supply: le.Uint16(b[14:]), Temperature: int16(le.Uint16(b[16:])), BadFrames: le.Uint16(b[18:])}
	return nil
}

// Append appends the payload.
func (m *Status) Append(b []byte) []byte {
	b = le.AppendUint32(b, m.Session)
	b = append(b, m.Connector, m.State)
	b = le.AppendUint16(b, bit(m.Coil, statusCoil)|bit(m.Locked, statusLocked)|bit(m.Tripped, statusTripped)|bit(m.EmergencyStop, statusStop)|
		bit(m.Held, statusHeld)|bit(m.Silent, statusSilent)|bit(m.Limited, statusLimited))
	b = le.AppendUint16(b, uint16(m.High))
	b = le.AppendUint16(b, uint16(m.Low))
	b = le.AppendUint16(b, m.Proximity)
	b = le.AppendUint16(b, m.Duty)
	b = append(b, byte(bit(m.Main, contactMain)|bit(m.Extra, contactExtra)), m.Phases)
	b = le.AppendUint16(b, uint16(m.Socket))
	b = le.AppendUint16(b, uint16(m.Cable))
	b = le.AppendUint32(b, uint32(m.Faults))
	b = le.AppendUint32(b, uint32(m.Latched))
	b = le.AppendUint16(b, m.Generation)
	return append(b, m.Permit, byte(m.Opened))
}

// Parse reads a payload.
func (m *Status) Parse(b []byte) error {
	if len(b) != statusSize {
		return ErrMessage
	}
	flags, contacts := le.Uint16(b[6:]), b[16]
	if b[5] > stateF || flags >= statusEnd || contacts >= contactEnd {
		return ErrMessage
	}
	*m = Status{Session: le.Uint32(b), Connector: b[4], State: b[5],
		Coil: flags&statusCoil != 0, Locked: flags&statusLocked != 0, Tripped: flags&statusTripped != 0, EmergencyStop: flags&statusStop != 0,
		Held: flags&statusHeld != 0, Silent: flags&statusSilent != 0, Limited: flags&statusLimited != 0,
		High: int16(le.Uint16(b[8:])), Low: int16(le.Uint16(b[10:])), Proximity: le.Uint16(b[12:]), Duty: le.Uint16(b[14:]),
		Main: contacts&contactMain != 0, Extra: contacts&contactExtra != 0, Phases: b[17], Socket: int16(le.Uint16(b[18:])), Cable: int16(le.Uint16(b[20:])),
		Faults: Faults(le.Uint32(b[22:])), Latched: Faults(le.Uint32(b[26:])), Generation: le.Uint16(b[30:]), Permit: b[32], Opened: Opened(b[33])}
	return nil
}
