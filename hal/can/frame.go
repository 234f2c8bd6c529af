package can

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Frame is one classic frame.
type Frame struct {
	ID       uint32 // 11 bits, or 29 with Extended
	Extended bool
	Remote   bool // a request without data; Len says how much it asks for
	Len      uint8
	Data     [8]byte
}

// Limits of identifiers and data.
const (
	MaxStandard = 1<<11 - 1
	MaxExtended = 1<<29 - 1
	MaxData     = 8
)

// New returns a data frame. id above MaxStandard is sent with 29 bits; one below has 29 bits only by Extended.
func New(id uint32, data ...byte) Frame {
	f := Frame{ID: id, Extended: id > MaxStandard, Len: uint8(len(data))}
	copy(f.Data[:], data)
	return f
}

// Payload is the frame's data.
func (f *Frame) Payload() []byte { return f.Data[:min(f.Len, MaxData)] }

// String is the frame as candump writes it.
func (f Frame) String() string {
	width := 3
	if f.Extended {
		width = 8
	}
	if f.Remote {
		return fmt.Sprintf("%0*X#R%d", width, f.ID, f.Len)
	}
	return fmt.Sprintf("%0*X#%X", width, f.ID, f.Payload())
}

// ErrFrame is a frame that no classic bus can carry.
var ErrFrame = errors.New("no classic CAN frame")

func (f *Frame) check() error {
	limit := uint32(MaxStandard)
	if f.Extended {
		limit = MaxExtended
	}
	if f.ID > limit || f.Len > MaxData {
		return fmt.Errorf("%w: identifier %#x, %d bytes", ErrFrame, f.ID, f.Len)
	}
	return nil
}

// The kernel's frame (struct can_frame): identifier and flags in the host's order, length, three bytes, data.
const (
	frameSize    = 16
	flagExtended = 1 << 31
	flagRemote   = 1 << 30
	flagError    = 1 << 29
)

// raw is a frame as the kernel has it.
type raw [frameSize]byte

func (f *Frame) encode() (b raw) {
	id := f.ID
	if f.Extended {
		id |= flagExtended
	}
	if f.Remote {
		id |= flagRemote
	}
	binary.NativeEndian.PutUint32(b[:], id)
	b[4] = f.Len
	if !f.Remote {
		copy(b[8:], f.Payload())
	}
	return b
}

// decode reads a frame; trouble is what an error frame says instead.
func decode(b []byte) (f Frame, trouble Trouble, err error) {
	if len(b) != frameSize || b[4] > MaxData {
		return f, 0, fmt.Errorf("%w: %d bytes from the kernel", ErrFrame, len(b))
	}
	id := binary.NativeEndian.Uint32(b)
	if id&flagError != 0 {
		return f, troubleOf(id&MaxExtended, b[8:16]), nil
	}
	f = Frame{Extended: id&flagExtended != 0, Remote: id&flagRemote != 0, Len: b[4]}
	f.ID = id & MaxStandard
	if f.Extended {
		f.ID = id & MaxExtended
	}
	if !f.Remote {
		copy(f.Data[:f.Len], b[8:])
	}
	return f, 0, nil
}

// Filter lets frames pass whose identifier is ID in the bits of Mask, of the one width and no other. Extended counts
// always.
type Filter struct {
	ID, Mask uint32
	Extended bool
}

// Exactly lets one identifier pass.
func Exactly(id uint32) Filter {
	return Filter{ID: id, Mask: MaxExtended, Extended: id > MaxStandard}
}

// Match reports whether a data frame passes.
func (f Filter) Match(fr *Frame) bool {
	return fr.Extended == f.Extended && (fr.ID^f.ID)&f.Mask == 0
}

// Trouble is what a controller tells of itself and its bus by an error frame.
type Trouble uint16

// Troubles. The kernel's documentation of error frames (linux/can/error.h) has the bits.
const (
	TroubleTimeout  Trouble = 1 << iota // a frame was not sent in time
	TroubleLost                         // arbitration was lost
	TroubleOverflow                     // frames came faster than they were fetched
	TroubleWarning                      // many errors
	TroublePassive                      // so many that the controller no longer marks them
	TroubleProtocol                     // a frame that is none: wrong bits, a wire, a wrong bit rate
	TroubleNoAck                        // nobody has acknowledged: no other station on the bus
	TroubleBusOff                       // the controller has left the bus
	TroubleRestart                      // it is back
	TroubleActive                       // its errors are few again
)

const (
	classTimeout  = 0x001
	classLost     = 0x002
	classControl  = 0x004
	classProtocol = 0x008
	classWire     = 0x010
	classNoAck    = 0x020
	classBusOff   = 0x040
	classBusError = 0x080
	classRestart  = 0x100

	controlOverflow = 0x03
	controlWarning  = 0x0C
	controlPassive  = 0x30
	controlActive   = 0x40

	allClasses = 0x1FF
)

func troubleOf(class uint32, data []byte) (t Trouble) {
	for _, c := range [...]struct {
		class uint32
		is    Trouble
	}{
		{classTimeout, TroubleTimeout}, {classLost, TroubleLost}, {classProtocol | classWire | classBusError, TroubleProtocol},
		{classNoAck, TroubleNoAck}, {classBusOff, TroubleBusOff}, {classRestart, TroubleRestart},
	} {
		if class&c.class != 0 {
			t |= c.is
		}
	}
	if class&classControl == 0 {
		return t
	}
	for _, c := range [...]struct {
		bits byte
		is   Trouble
	}{{controlOverflow, TroubleOverflow}, {controlWarning, TroubleWarning}, {controlPassive, TroublePassive}, {controlActive, TroubleActive}} {
		if data[1]&c.bits != 0 {
			t |= c.is
		}
	}
	return t
}
