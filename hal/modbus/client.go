package modbus

import "context"

// Kind is a table of a unit's data.
type Kind uint8

// The four tables. Registers have 16 bits; coils and discrete inputs have one, read as 0 or 1.
const (
	Holding  Kind = iota + 1 // read and written
	Input                    // read only
	Coil                     // read and written
	Discrete                 // read only
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Holding:
		return "holding register"
	case Input:
		return "input register"
	case Coil:
		return "coil"
	case Discrete:
		return "discrete input"
	}
	return "unknown table"
}

// Client is what a device driver needs of a bus; *Bus is one. Every call ends by the context's deadline. Units are 1 to
// 247 on a serial line; 0 is a broadcast there, which can be written and never read.
type Client interface {
	// Read reads count registers or bits of a table, beginning with address: at most 125 registers or 2000 bits. Bits
	// are 0 or 1.
	Read(ctx context.Context, unit uint8, kind Kind, address, count uint16) ([]uint16, error)
	// Write writes holding registers (at most 123) or coils (at most 1968; any value but 0 is on). One value is written
	// as a single one, several as a block.
	Write(ctx context.Context, unit uint8, kind Kind, address uint16, values ...uint16) error
	// ReadWrite writes holding registers (at most 121) and then reads some (at most 125), in one request.
	ReadWrite(ctx context.Context, unit uint8, read, count, write uint16, values ...uint16) ([]uint16, error)
}
