package modbus

import (
	"encoding/binary"
	"fmt"
)

// Function codes (Application Protocol V1.1b3, section 6).
const (
	readCoils      = 1
	readDiscrete   = 2
	readHolding    = 3
	readInput      = 4
	writeCoil      = 5
	writeRegister  = 6
	writeCoils     = 15
	writeRegisters = 16
	readWrite      = 23
	refused        = 0x80 // set in the function code of an exception
)

// What one request may carry, so that it fits a PDU of 253 bytes (sections 6.1 to 6.17).
const (
	maxPDU            = 253
	maxReadRegisters  = 125
	maxReadBits       = 2000
	maxWriteRegisters = 123
	maxWriteBits      = 1968
	maxReadWrite      = 121 // registers written by function 23
	coilOn            = 0xff00
)

// request is a PDU and what is known of its answer.
type request struct {
	unit  uint8
	pdu   []byte
	count uint16 // registers or bits that the answer carries; 0: it repeats the head of the request
	again bool   // may be sent twice
}

func (r request) function() byte { return r.pdu[0] }

// newRead returns the request for count items of a table.
func newRead(unit uint8, kind Kind, address, count uint16) (request, error) {
	limit, function := maxReadRegisters, byte(0)
	switch kind {
	case Holding:
		function = readHolding
	case Input:
		function = readInput
	case Coil:
		function, limit = readCoils, maxReadBits
	case Discrete:
		function, limit = readDiscrete, maxReadBits
	default:
		return request{}, fmt.Errorf("%w: kind %d", ErrRange, kind)
	}
	if err := within(address, int(count), limit); err != nil {
		return request{}, err
	}
	pdu := binary.BigEndian.AppendUint16([]byte{function}, address)
	return request{unit: unit, pdu: binary.BigEndian.AppendUint16(pdu, count), count: count, again: true}, nil
}

// newWrite returns the request that writes values into a table.
func newWrite(unit uint8, kind Kind, address uint16, values []uint16) (request, error) {
	limit := maxWriteRegisters
	switch kind {
	case Holding:
	case Coil:
		limit = maxWriteBits
	default:
		return request{}, fmt.Errorf("%w: %v cannot be written", ErrRange, kind)
	}
	if err := within(address, len(values), limit); err != nil {
		return request{}, err
	}
	r := request{unit: unit}
	switch {
	case kind == Holding && len(values) == 1:
		r.pdu = head(writeRegister, address, values[0])
	case kind == Coil && len(values) == 1:
		on := uint16(0)
		if values[0] != 0 {
			on = coilOn
		}
		r.pdu = head(writeCoil, address, on)
	case kind == Holding:
		r.pdu = appendRegisters(head(writeRegisters, address, uint16(len(values))), values)
	default:
		r.pdu = appendBits(head(writeCoils, address, uint16(len(values))), values)
	}
	return r, nil
}

// newReadWrite returns the request that writes registers and then reads some.
func newReadWrite(unit uint8, read, count, write uint16, values []uint16) (request, error) {
	if err := within(read, int(count), maxReadRegisters); err != nil {
		return request{}, err
	}
	if err := within(write, len(values), maxReadWrite); err != nil {
		return request{}, err
	}
	pdu := head(readWrite, read, count)
	pdu = binary.BigEndian.AppendUint16(pdu, write)
	pdu = binary.BigEndian.AppendUint16(pdu, uint16(len(values)))
	return request{unit: unit, pdu: appendRegisters(pdu, values), count: count}, nil
}

func within(address uint16, count, limit int) error {
	if count < 1 || count > limit {
		return fmt.Errorf("%w: %d items: want 1 to %d", ErrRange, count, limit)
	}
	if int(address)+count > 1<<16 {
		return fmt.Errorf("%w: %d items from address %d pass the end of the table", ErrRange, count, address)
	}
	return nil
}

func head(function byte, a, b uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{function}, a), b)
}

// appendRegisters appends the number of bytes and the registers.
func appendRegisters(dst []byte, values []uint16) []byte {
	dst = append(dst, byte(2*len(values)))
	for _, v := range values {
		dst = binary.BigEndian.AppendUint16(dst, v)
	}
	return dst
}

// appendBits appends the number of bytes and the bits, the first one lowest (section 6.1).
func appendBits(dst []byte, values []uint16) []byte {
	n := (len(values) + 7) / 8
	dst = append(dst, byte(n))
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	for i, v := range values {
		if v != 0 {
			dst[at+i/8] |= 1 << (i % 8)
		}
	}
	return dst
}

func parseRegisters(b []byte) []uint16 {
	values := make([]uint16, len(b)/2)
	for i := range values {
		values[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return values
}

func parseBits(b []byte, count int) []uint16 {
	values := make([]uint16, count)
	for i := range values {
		values[i] = uint16(b[i/8]>>(i%8)) & 1
	}
	return values
}

// isBits tells the functions that read bits.
func isBits(function byte) bool { return function == readCoils || function == readDiscrete }

// answer checks the PDU of an answer against the request and returns what it carries.
func (r request) answer(pdu []byte) ([]uint16, error) {
	switch {
	case len(pdu) < 2:
		return nil, ErrShort
	case pdu[0] == r.function()|refused:
		if len(pdu) != 2 {
			return nil, fmt.Errorf("%w: an exception of %d bytes", ErrAnswer, len(pdu))
		}
		return nil, Exception(pdu[1])
	case pdu[0] != r.function():
		return nil, fmt.Errorf("%w: function %d instead of %d", ErrAnswer, pdu[0], r.function())
	case r.count == 0:
		return nil, r.repeated(pdu)
	}
	want := r.answerLength() - 2
	if int(pdu[1]) != want || len(pdu) != 2+want {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrAnswer, len(pdu)-2, want)
	}
	if isBits(r.function()) {
		return parseBits(pdu[2:], int(r.count)), nil
	}
	return parseRegisters(pdu[2:]), nil
}

// answerLength is how long the PDU of the answer is.
func (r request) answerLength() int {
	switch {
	case r.count == 0:
		return 5
	case isBits(r.function()):
		return 2 + (int(r.count)+7)/8
	}
	return 2 + 2*int(r.count)
}

// repeated checks an answer that repeats function, address and value or count.
func (r request) repeated(pdu []byte) error {
	if len(pdu) != 5 || string(pdu) != string(r.pdu[:5]) {
		return fmt.Errorf("%w: it does not repeat the request", ErrAnswer)
	}
	return nil
}
