package modbus

import (
	"encoding/binary"
	"fmt"
)

// Sizes of frames (Serial Line V1.02, section 2.5.1; TCP/IP Guide V1.0b, section 3.1.3).
const (
	maxRTU    = 1 + maxPDU + 2
	minRTU    = 4
	headerTCP = 7 // transaction, protocol 0, length of unit and PDU, unit
)

// crc is the checksum of the serial line (Serial Line V1.02, appendix B): polynomial 0xA001 reflected, started with ones,
// sent low byte first.
func crc(b []byte) uint16 {
	sum := uint16(0xffff)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			low := sum & 1
			sum >>= 1
			if low != 0 {
				sum ^= 0xa001
			}
		}
	}
	return sum
}

// AppendRTU appends the serial frame of a PDU.
func AppendRTU(dst []byte, unit uint8, pdu []byte) []byte {
	at := len(dst)
	dst = append(append(dst, unit), pdu...)
	return binary.LittleEndian.AppendUint16(dst, crc(dst[at:]))
}

// ParseRTU returns unit and PDU of a serial frame. The PDU lies in frame.
func ParseRTU(frame []byte) (unit uint8, pdu []byte, err error) {
	if len(frame) < minRTU {
		return 0, nil, fmt.Errorf("%w: %d bytes", ErrShort, len(frame))
	}
	if len(frame) > maxRTU {
		return 0, nil, fmt.Errorf("%w: %d bytes, more than a frame has", ErrAnswer, len(frame))
	}
	end := len(frame) - 2
	if crc(frame[:end]) != binary.LittleEndian.Uint16(frame[end:]) {
		return 0, nil, ErrCRC
	}
	return frame[0], frame[1:end], nil
}

// AppendTCP appends the frame of a PDU with its header.
func AppendTCP(dst []byte, transaction uint16, unit uint8, pdu []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, transaction)
	dst = binary.BigEndian.AppendUint16(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(1+len(pdu)))
	return append(append(dst, unit), pdu...)
}

// ParseTCP returns the first frame of b and what follows it; a frame that is not complete is ErrShort, what is no
// Modbus is ErrAnswer.
func ParseTCP(b []byte) (transaction uint16, unit uint8, pdu, rest []byte, err error) {
	if len(b) < headerTCP {
		return 0, 0, nil, nil, ErrShort
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if binary.BigEndian.Uint16(b[2:]) != 0 || length < 2 || length > 1+maxPDU {
		return 0, 0, nil, nil, fmt.Errorf("%w: header % x is not Modbus", ErrAnswer, b[:headerTCP])
	}
	end := headerTCP - 1 + length
	if len(b) < end {
		return 0, 0, nil, nil, ErrShort
	}
	return binary.BigEndian.Uint16(b), b[6], b[headerTCP:end], b[end:], nil
}

// answerLength is how long the serial answer that begins with b is; 0 if b is too short to tell, -1 if its function
// says nothing about that.
func answerLength(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch f := b[1]; {
	case f&refused != 0:
		return 5
	case f == readCoils, f == readDiscrete, f == readHolding, f == readInput, f == readWrite:
		return 3 + int(b[2]) + 2
	case f == writeCoil, f == writeRegister, f == writeCoils, f == writeRegisters:
		return 8
	}
	return -1
}

// requestLength is the same for a request.
func requestLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	count := 0
	switch b[1] {
	case readCoils, readDiscrete, readHolding, readInput, writeCoil, writeRegister:
		return 8
	case writeCoils, writeRegisters:
		count = 6
	case readWrite:
		count = 10
	default:
		return -1
	}
	if len(b) <= count {
		return 0
	}
	return count + 1 + int(b[count]) + 2
}
