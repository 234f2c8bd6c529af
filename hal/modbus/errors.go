package modbus

import (
	"errors"
	"fmt"
)

// What can be wrong with an answer, or with the way to it. Each is wrapped with unit and place.
var (
	ErrNoAnswer  = errors.New("no answer")                                      // silent until the deadline
	ErrShort     = errors.New("answer ends early")                              // half a frame
	ErrCRC       = errors.New("answer with a wrong checksum")                   // disturbed, or two units talk at once
	ErrForeign   = errors.New("answer of another unit")                         // nobody asked it
	ErrAnswer    = errors.New("answer does not fit the request")                // function, length or echo
	ErrNoise     = errors.New("line is never silent")                           // noise, a second master, wrong baud rate
	ErrQueue     = errors.New("too many requests wait for the bus")             // MaxQueue
	ErrClosed    = errors.New("bus is closed")                                  //
	ErrBroadcast = errors.New("a broadcast cannot be read: nobody answers one") //
	ErrWithheld  = errors.New("unit is silent and is asked less often")         // between two attempts at a silent unit
	ErrRange     = errors.New("outside what a request may ask for")             // a mistake of the caller
)

// Exception is a unit's refusal.
type Exception uint8

// Exception codes (Application Protocol V1.1b3, section 7).
const (
	IllegalFunction  Exception = 1
	IllegalAddress   Exception = 2
	IllegalValue     Exception = 3
	DeviceFailure    Exception = 4
	Acknowledge      Exception = 5
	DeviceBusy       Exception = 6
	MemoryParity     Exception = 8
	GatewayPath      Exception = 10
	GatewayNoAnswer  Exception = 11
	exceptionUnknown           = "exception"
)

var exceptionNames = map[Exception]string{
	IllegalFunction: "illegal function", IllegalAddress: "illegal data address", IllegalValue: "illegal data value",
	DeviceFailure: "device failure", Acknowledge: "acknowledge, answer later", DeviceBusy: "device busy",
	MemoryParity: "memory parity error", GatewayPath: "gateway path unavailable", GatewayNoAnswer: "no answer behind the gateway",
}

// Error returns the code with its meaning.
func (e Exception) Error() string {
	name := exceptionNames[e]
	if name == "" {
		name = exceptionUnknown
	}
	return fmt.Sprintf("%s (exception %d)", name, uint8(e))
}
