package guard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// Table is the compiled line table of a board: all that a guard needs to know before it can assert the safe state, in
// fixed-size records that no parser can stumble over. Little endian:
//
//	header, 72 bytes                        connector, 176 bytes
//	0   "evsedlt" and the version, 2        0   i32 EVSE, 4 i32 connector
//	8   u16 connectors, 10 u16 their size   8   u8  1 tethered 2 lock 4 feedback 8 ventilation
//	12  board's name, 20 bytes, zeros       9   u8  phases, 10 u8 meter policy, 11 zero
//	32  u32 silence, ms; 36 u32 hold, ms    12  u32 greatest current, mA
//	40  u32 poll idle, us; 44 poll plugged  16  i32 greatest temperature, 0.001 °C; 20 of the cable; 24 zero
//	48  watchdog, a device                  32  nine devices: pilot, proximity, contactor, lock, RCD, inputs,
//	64  u16 parts, 66 u16 their size            socket's thermometer, cable's thermometer, diagnosis
//	68  zero
//	after the last connector: the parts; after the last of them: u32 CRC-32C of all before it
//
//	device, 16 bytes                        part, 68 bytes
//	0   u8 kind, 0: not fitted; 1 u8 flags  0   u8 kind, 1 u8 role, 2 u16 flags
//	2   u16 chip, 4 u32 line                4   i32 A, 8 i32 B, 12 i32 C, 16 i32 D
//	8   i64 argument: as the kind has it    20  name, 48 bytes, zeros
type Table struct {
	Board       string
	Silence     time.Duration
	Hold        time.Duration
	PollIdle    time.Duration
	PollPlugged time.Duration
	Watchdog    Device
	Connectors  []TableConnector
	Parts       []hal.Part // those of one device are neighbours
}

// TableConnector is one connector and where its devices are.
type TableConnector struct {
	iec61851.Config
	Pilot, Proximity, Contactor, Lock, RCD, Inputs, Socket, Cable, Diagnosis Device
}

// DeviceKind names a driver.
type DeviceKind uint8

// Kinds of devices.
const (
	DeviceNone  DeviceKind = iota // not fitted
	DeviceRig                     // a wire of a test rig in shared memory: chip is the descriptor, line the connector
	DeviceSim                     // the simulated board: chip is the descriptor of its lines, 0 for the file that the guard is told; line the connector, argument 1 its cable
	DeviceParts                   // made of parts of the table: chip is the first of them, line how many
)

// Device says where a device is. What chip, line, flags and argument mean is the kind's affair; what it does not use is zero.
type Device struct {
	Kind  DeviceKind
	Flags uint8
	Chip  uint16
	Line  uint32
	Arg   int64
}

const (
	tableMagic    = "evsedlt\x02"
	tableHeader   = 72
	connectorSize = 176
	partSize      = 20 + hal.MaxPartName + 1
	boardName     = 20
	deviceSize    = 16
)

// MaxTable is the size of the largest table.
const MaxTable = tableHeader + MaxConnectors*connectorSize + MaxParts*partSize + 4

// MaxParts bounds the parts of a table: eight at each of as many connectors as there can be, or fifty at ten of them.
const MaxParts = 512

// ErrTable is a line table that is damaged or of another version.
var ErrTable = errors.New("no line table of this version (evsed table compiles one)")

const (
	flagTethered = 1 << iota
	flagLock
	flagFeedback
	flagVentilation
)

// devices are the places of a connector's devices, in the order of the record.
func (c *TableConnector) devices() [9]*Device {
	return [9]*Device{&c.Pilot, &c.Proximity, &c.Contactor, &c.Lock, &c.RCD, &c.Inputs, &c.Socket, &c.Cable, &c.Diagnosis}
}

// Append appends the table's bytes. It refuses what the format cannot say.
func (t *Table) Append(dst []byte) ([]byte, error) {
	if len(t.Board) > boardName || len(t.Connectors) > MaxConnectors || strings.Contains(t.Board, "\x00") {
		return nil, fmt.Errorf("line table of %q, %d connectors: at most %d letters and %d connectors", t.Board, len(t.Connectors), boardName, MaxConnectors)
	}
	if err := checkParts(t.Parts); err != nil {
		return nil, fmt.Errorf("line table of %q: %w", t.Board, err)
	}
	b := t.encode()
	if again, err := ParseTable(b); err != nil || !again.equal(t) {
		return nil, fmt.Errorf("line table of %q: a value does not fit the format", t.Board)
	}
	return append(dst, b...), nil
}

func (t *Table) encode() []byte {
	size := tableHeader + len(t.Connectors)*connectorSize + len(t.Parts)*partSize
	b := make([]byte, size, size+4)
	copy(b, tableMagic)
	binary.LittleEndian.PutUint16(b[8:], uint16(len(t.Connectors)))
	binary.LittleEndian.PutUint16(b[10:], connectorSize)
	copy(b[12:32], t.Board)
	putSpan(b[32:], t.Silence, time.Millisecond)
	putSpan(b[36:], t.Hold, time.Millisecond)
	putSpan(b[40:], t.PollIdle, time.Microsecond)
	putSpan(b[44:], t.PollPlugged, time.Microsecond)
	t.Watchdog.put(b[48:])
	binary.LittleEndian.PutUint16(b[64:], uint16(len(t.Parts)))
	binary.LittleEndian.PutUint16(b[66:], partSize)
	for i := range t.Connectors {
		t.Connectors[i].put(b[tableHeader+i*connectorSize:])
	}
	for i := range t.Parts {
		putPart(b[tableHeader+len(t.Connectors)*connectorSize+i*partSize:], &t.Parts[i])
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (t *Table) equal(o *Table) bool {
	if len(t.Connectors) != len(o.Connectors) || !slices.Equal(t.Parts, o.Parts) {
		return false
	}
	for i := range t.Connectors {
		if t.Connectors[i] != o.Connectors[i] {
			return false
		}
	}
	return t.Board == o.Board && t.Silence == o.Silence && t.Hold == o.Hold && t.PollIdle == o.PollIdle &&
		t.PollPlugged == o.PollPlugged && t.Watchdog == o.Watchdog
}

func (c *TableConnector) put(b []byte) {
	putRef(b, c.Ref)
	b[8] = bit(c.Tethered, flagTethered) | bit(c.HasLock, flagLock) | bit(c.HasFeedback, flagFeedback) | bit(c.Ventilation, flagVentilation)
	b[9], b[10] = c.Phases, byte(c.Meter)
	binary.LittleEndian.PutUint32(b[12:], uint32(c.MaxCurrent))
	binary.LittleEndian.PutUint32(b[16:], uint32(c.MaxTemperature))
	binary.LittleEndian.PutUint32(b[20:], uint32(c.MaxCableTemperature))
	for i, d := range c.devices() {
		d.put(b[32+i*deviceSize:])
	}
}

func (d *Device) put(b []byte) {
	b[0], b[1] = byte(d.Kind), d.Flags
	binary.LittleEndian.PutUint16(b[2:], d.Chip)
	binary.LittleEndian.PutUint32(b[4:], d.Line)
	put64(b[8:], d.Arg)
}

func putSpan(b []byte, d, of time.Duration) { binary.LittleEndian.PutUint32(b, uint32(d/of)) }

func getSpan(b []byte, of time.Duration) time.Duration {
	return time.Duration(binary.LittleEndian.Uint32(b)) * of
}

// ParseTable reads a table. Whether its devices exist and its connectors can be guarded is seen when they are used.
func ParseTable(b []byte) (*Table, error) {
	if len(b) < tableHeader+4 || len(b) > MaxTable || string(b[:8]) != tableMagic {
		return nil, ErrTable
	}
	count, parts := int(binary.LittleEndian.Uint16(b[8:])), int(binary.LittleEndian.Uint16(b[64:]))
	body := b[:len(b)-4]
	if binary.LittleEndian.Uint16(b[10:]) != connectorSize || binary.LittleEndian.Uint16(b[66:]) != partSize ||
		len(body) != tableHeader+count*connectorSize+parts*partSize ||
		binary.LittleEndian.Uint32(b[len(body):]) != crc32.Checksum(body, castagnoli) {
		return nil, fmt.Errorf("%w: wrong length or checksum", ErrTable)
	}
	t := &Table{Board: string(bytes.TrimRight(b[12:32], "\x00")), Silence: getSpan(b[32:], time.Millisecond), Hold: getSpan(b[36:], time.Millisecond),
		PollIdle: getSpan(b[40:], time.Microsecond), PollPlugged: getSpan(b[44:], time.Microsecond), Watchdog: getDevice(b[48:])}
	for i := range count {
		t.Connectors = append(t.Connectors, getConnector(body[tableHeader+i*connectorSize:]))
		if t.Connectors[i].Meter > iec61851.MeterStop {
			return nil, fmt.Errorf("%w: connector record %d has no such meter policy", ErrTable, i)
		}
	}
	for i := range parts {
		t.Parts = append(t.Parts, getPart(body[tableHeader+count*connectorSize+i*partSize:]))
	}
	if strings.Contains(t.Board, "\x00") || !bytes.Equal(t.encode(), b) {
		return nil, fmt.Errorf("%w: bytes that nobody writes", ErrTable)
	}
	return t, nil
}

func getConnector(b []byte) TableConnector {
	c := TableConnector{Config: iec61851.Config{
		Ref: getRef(b), Phases: b[9], Meter: iec61851.MeterPolicy(b[10]), MaxCurrent: unit.Current(binary.LittleEndian.Uint32(b[12:])),
		Tethered: b[8]&flagTethered != 0, HasLock: b[8]&flagLock != 0, HasFeedback: b[8]&flagFeedback != 0, Ventilation: b[8]&flagVentilation != 0,
		MaxTemperature:      unit.Temperature(binary.LittleEndian.Uint32(b[16:])),
		MaxCableTemperature: unit.Temperature(binary.LittleEndian.Uint32(b[20:])),
	}}
	for i, d := range c.devices() {
		*d = getDevice(b[32+i*deviceSize:])
	}
	return c
}

func getDevice(b []byte) Device {
	return Device{Kind: DeviceKind(b[0]), Flags: b[1], Chip: binary.LittleEndian.Uint16(b[2:]), Line: binary.LittleEndian.Uint32(b[4:]), Arg: get64[int64](b[8:])}
}
