package mcu

import (
	"fmt"
	"strings"
	"time"
)

// Spec says where a safety controller is and what the board expects of it.
type Spec struct {
	Port       string        // serial device, /dev/ttymxc3
	Baud       int           // 0: DefaultBaud
	Connectors uint8         // connectors of the board that lie behind it, 1..MaxConnectors
	Owns       Functions     // what the board gives to it: a controller that does not own one of them is refused
	Beat       time.Duration // each end says its levels again after; 0: DefaultBeat
	Silence    time.Duration // without a good frame for this long each end takes the other for gone; 0: three beats
	Fallback   bool          // on silence of this end the controller goes on at its own lowest limit; false: it opens
}

// Bounds and defaults of a Spec.
const (
	MaxConnectors = 8
	DefaultBaud   = 115200
	MinBaud       = 57600 // a permit, what it does to the pilot and its status take less than the 35 ms in which the guard expects a diode
	DefaultBeat   = 100 * time.Millisecond
	MinBeat       = 20 * time.Millisecond
	MaxSilence    = 2 * time.Second
	beatsLost     = 3 // the least that Silence is, in beats: one frame that noise takes must not open a contactor
)

// Functions is a set of what a safety controller can own.
type Functions uint32

// Functions. Their numbers are those of the protocol.
const (
	OwnPilot         Functions = 1 << iota // generates and measures the control pilot
	OwnContactor                           // switches the contactor and reads its mirror contacts
	OwnExit                                // opens by itself when the vehicle leaves state C or D
	OwnLock                                // drives the plug's lock and reads its contact
	OwnProximity                           // measures the proximity resistor
	OwnRCD                                 // watches the residual-current device
	OwnEmergencyStop                       // emergency stop opens without asking this end
	OwnOverCurrent                         // measures current and opens by itself
	OwnOverVoltage                         // measures the DC output and opens by itself
	OwnIsolation                           // measures the insulation of a DC output
	OwnTemperature                         // measures socket or cable
	OwnWeld                                // judges its contacts after an opening
	functionsEnd
)

// AllFunctions is every function that this version of the protocol knows.
const AllFunctions = functionsEnd - 1

var functionNames = [...]string{"pilot", "contactor", "open_on_c_exit", "lock", "proximity", "rcd", "emergency_stop", "overcurrent",
	"overvoltage", "isolation", "temperature", "weld_check"}

// String lists the functions by the names that board files have for them, separated by commas.
func (f Functions) String() string {
	var names []string
	for i, n := range functionNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

// ParseFunction returns the function of a name.
func ParseFunction(name string) (Functions, bool) {
	for i, n := range functionNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Patience is how long each end waits for a good frame of the other.
func (s Spec) Patience() time.Duration {
	switch {
	case s.Silence != 0:
		return s.Silence
	case s.Beat != 0:
		return beatsLost * s.Beat
	}
	return beatsLost * DefaultBeat
}

// normal fills in the defaults and refuses what the protocol cannot do.
func (s Spec) normal() (Spec, error) {
	if s.Baud == 0 {
		s.Baud = DefaultBaud
	}
	if s.Beat == 0 {
		s.Beat = DefaultBeat
	}
	s.Silence = s.Patience()
	switch {
	case s.Connectors < 1 || s.Connectors > MaxConnectors:
		return s, fmt.Errorf("mcu %s: %d connectors: 1 to %d", s.Port, s.Connectors, MaxConnectors)
	case s.Baud < MinBaud:
		return s, fmt.Errorf("mcu %s: %d baud: want at least %d", s.Port, s.Baud, MinBaud)
	case s.Owns&^AllFunctions != 0:
		return s, fmt.Errorf("mcu %s: function set %#x: no such function", s.Port, uint32(s.Owns&^AllFunctions))
	case s.Beat < MinBeat, s.Silence < beatsLost*s.Beat, s.Silence > MaxSilence:
		return s, fmt.Errorf("mcu %s: beat %v, silence %v: want a beat of at least %v, a silence of at least %d beats and at most %v",
			s.Port, s.Beat, s.Silence, MinBeat, beatsLost, MaxSilence)
	}
	return s, nil
}
