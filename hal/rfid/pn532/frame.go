package pn532

import (
	"bytes"
	"errors"
)

// What is wrong with what a chip has sent.
var (
	errShort    = errors.New("cut short")
	errChecksum = errors.New("wrong checksum")
)

// kind is what sort of a frame (manual, 6.2.1).
type kind uint8

const (
	data kind = iota
	acknowledge
	refuse  // NACK: say it again
	failure // the chip did not understand the command
)

// frame is one frame. body is of data alone: direction, code and parameters.
type frame struct {
	kind kind
	body []byte
}

// Directions, the first byte of a body.
const (
	toChip   = 0xD4
	fromChip = 0xD5
)

var (
	ackBytes  = []byte{0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00}
	nackBytes = []byte{0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00}
	start     = []byte{0x00, 0xFF}
)

// maxBody is the longest body of a normal frame; the answers to the commands used here fit.
const maxBody = 255

// maxFrame is its frame, from preamble to postamble.
const maxFrame = 3 + 2 + maxBody + 2

// command makes the frame of a command.
func command(code byte, args ...byte) []byte {
	b := []byte{0x00, 0x00, 0xFF, byte(len(args) + 2), byte(-(len(args) + 2)), toChip, code}
	b = append(b, args...)
	return append(b, checksum(b[5:]), 0x00)
}

// checksum makes the sum over a body zero.
func checksum(body []byte) byte {
	var sum byte
	for _, b := range body {
		sum += b
	}
	return -sum
}

// next takes the first frame out of what has come: n bytes of b are done with, those before the frame included. Without
// a whole frame the error is errShort (more must come) or errChecksum (n bytes are spoilt).
func next(b []byte) (f frame, n int, err error) {
	at := bytes.Index(b, start)
	if at < 0 {
		// The last byte may be the first half of a start code.
		return frame{}, max(0, len(b)-1), errShort
	}
	rest := b[at+2:]
	if len(rest) < 2 {
		return frame{}, at, errShort
	}
	switch length, sum := rest[0], rest[1]; {
	case length == 0x00 && sum == 0xFF:
		return frame{kind: acknowledge}, at + 4, nil
	case length == 0xFF && sum == 0x00:
		return frame{kind: refuse}, at + 4, nil
	case length+sum != 0 || length == 0:
		// An extended frame (FF FF) is never an answer to what is asked here: it is spoilt like any other.
		return frame{}, at + 2, errChecksum
	}
	length := int(rest[0])
	if len(rest) < 2+length+1 {
		return frame{}, at, errShort
	}
	body := rest[2 : 2+length]
	n = at + 2 + 2 + length + 1
	if checksum(body) != rest[2+length] {
		return frame{}, n, errChecksum
	}
	if length == 1 && body[0] == 0x7F {
		return frame{kind: failure}, n, nil
	}
	return frame{body: append([]byte(nil), body...)}, n, nil
}
