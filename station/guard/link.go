package guard

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// CommandKind says what a Command carries.
type CommandKind uint8

// Kinds of commands.
const (
	CommandPermit    CommandKind = iota + 1 // Permit, for Permit.Ref
	CommandMeter                            // Meter, of the EVSE in Ref
	CommandHeartbeat                        // nothing: the station's loop has moved
	CommandService                          // Ref: a fitter acknowledges latched faults; a zero Ref means every connector
)

// Command is one frame from the station to the guard. Fixed size.
type Command struct {
	Kind   CommandKind
	Ref    term.Ref
	Permit term.Permit
	Meter  MeterSummary
}

// MeterSummary is what the guard needs of a meter reading. Age counts from the reading to the frame, so that the two
// sides need no common clock.
type MeterSummary struct {
	Age     time.Duration
	Phases  uint8
	Current [3]unit.Current
	Voltage [3]unit.Voltage
}

// Summarise returns the summary of a reading at now.
func Summarise(now time.Time, r hal.MeterReading) MeterSummary {
	return MeterSummary{Age: now.Sub(r.At), Phases: r.Phases, Current: r.Current, Voltage: r.Voltage}
}

// Link is the guard's end of the wire to the station. Neither method blocks, whatever the other end does.
type Link interface {
	// Receive takes the next waiting command; false: none waits.
	Receive(*Command) bool
	// Send passes on the newest status of a connector; false: no room now, the guard will offer a newer one.
	Send(*iec61851.Status) bool
}
