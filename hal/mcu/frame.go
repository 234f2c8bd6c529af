package mcu

import (
	"encoding/binary"
)

// A frame is, before it is stuffed,
//
//	type u8 | sequence u8 | length n u8 | payload, n bytes | CRC-16 over all before it, u16 little endian
//
// and on the line it is a zero byte, the frame with its zeros taken out by consistent overhead byte stuffing, and a
// zero byte. The first zero ends whatever noise came before.
const (
	MaxPayload   = 64
	frameHead    = 3
	frameTail    = 2
	maxRaw       = frameHead + MaxPayload + frameTail // below 254: one byte of overhead, whatever is inside
	maxStuffed   = maxRaw + 1
	MaxFrameSize = maxStuffed + 2
	delimiter    = 0
)

// Frame is one frame that has arrived whole. Its payload is valid until the decoder is fed again.
type Frame struct {
	Type, Seq uint8
	Payload   []byte
}

// AppendFrame appends a frame as it goes over the line. payload: at most MaxPayload bytes.
func AppendFrame(dst []byte, kind, seq uint8, payload []byte) []byte {
	var raw [maxRaw]byte
	raw[0], raw[1], raw[2] = kind, seq, uint8(len(payload))
	n := frameHead + copy(raw[frameHead:frameHead+MaxPayload], payload)
	binary.LittleEndian.PutUint16(raw[n:], checksum(raw[:n]))
	dst = append(dst, delimiter)
	dst = appendStuffed(dst, raw[:n+frameTail])
	return append(dst, delimiter)
}

// appendStuffed appends b without zeros: each zero becomes the distance to the next, the first distance leads. b is
// shorter than 254 bytes, so that no distance is cut.
func appendStuffed(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, 0)
	for _, c := range b {
		if c == delimiter {
			dst[at] = uint8(len(dst) - at)
			at = len(dst)
		}
		dst = append(dst, c)
	}
	dst[at] = uint8(len(dst) - at)
	return dst
}

// checksum is CRC-16 with polynomial 0x1021 and all ones at the start, most significant bit first (123456789 gives
// 0x29B1). Up to 32751 bits it finds every error of three bits, and every burst of 16.
func checksum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		x := crc>>8 ^ uint16(c)
		x ^= x >> 4
		crc = crc<<8 ^ x<<12 ^ x<<5 ^ x
	}
	return crc
}

// Decoder finds frames in what comes over a line. The zero value is ready.
type Decoder struct {
	buf  [maxStuffed]byte
	n    int
	long bool   // more came between two delimiters than a frame can have
	Good uint32 // frames that were whole
	Bad  uint32 // stretches between two delimiters that were not empty and no frame
}

// Feed takes one byte. It reports whether that byte has completed a frame, which is then in f.
func (d *Decoder) Feed(c byte, f *Frame) bool {
	if c != delimiter {
		if d.n == len(d.buf) {
			d.long = true
			return false
		}
		d.buf[d.n] = c
		d.n++
		return false
	}
	n, long := d.n, d.long
	d.n, d.long = 0, false
	if n == 0 && !long {
		return false
	}
	if long || !d.open(n, f) {
		d.Bad++
		return false
	}
	d.Good++
	return true
}

// open takes the stuffing out of the first n bytes, in place, and checks what is inside.
func (d *Decoder) open(n int, f *Frame) bool {
	size := 0
	for i := 0; i < n; {
		next := i + int(d.buf[i])
		if next > n {
			return false
		}
		if i > 0 {
			d.buf[size] = delimiter
			size++
		}
		size += copy(d.buf[size:], d.buf[i+1:next])
		i = next
	}
	raw := d.buf[:size]
	if size < frameHead+frameTail || int(raw[2]) != size-frameHead-frameTail {
		return false
	}
	body := raw[:size-frameTail]
	if binary.LittleEndian.Uint16(raw[len(body):]) != checksum(body) {
		return false
	}
	f.Type, f.Seq, f.Payload = raw[0], raw[1], body[frameHead:]
	return true
}
