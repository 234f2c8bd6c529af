package mcu

import (
	"strings"

	"github.com/evsed/evsed/station/term"
)

// States of the pilot as the protocol numbers them; 0 is unknown.
const (
	stateA = iota + 1
	stateB
	stateC
	stateD
	stateE
	stateF
)

var states = [...]term.PilotState{0: term.StateUnknown, stateA: term.StateA, stateB: term.StateB, stateC: term.StateC, stateD: term.StateD,
	stateE: term.StateE, stateF: term.StateF}

// PilotState is the state of a Status.
func (m *Status) PilotState() term.PilotState { return states[m.State] }

// NumberOf is the protocol's number of a state.
func NumberOf(s term.PilotState) uint8 {
	for i, known := range states {
		if s == known {
			return uint8(i)
		}
	}
	return 0
}

// Faults is a set of what a controller finds wrong at one connector.
type Faults uint32

// Faults of the protocol.
const (
	FaultResidual      Faults = 1 << iota // the residual-current device has tripped
	FaultOverCurrent                      // more than permitted flowed for too long
	FaultOverVoltage                      // of the DC output
	FaultUnderVoltage                     // of the supply
	FaultSocketHot                        //
	FaultCableHot                         //
	FaultLock                             // the lock does not follow
	FaultNotClosed                        // the contactor does not close
	FaultWelded                           // a contact is closed although its coil is not driven
	FaultPilot                            // the pilot is short, or its generator does not follow
	FaultDiode                            // the vehicle's diode is missing or short
	FaultProximity                        // no resistor that a cable may have
	FaultEmergencyStop                    //
	FaultIsolation                        // insulation of the DC output
	FaultSelfTest                         // of the controller: memory, program, converter
	FaultSupply                           // a rail of the controller is out of its range
	faultsEnd
)

var faultNames = [...]struct {
	name string
	is   term.Fault
}{
	{"residual", term.FaultGround}, {"over-current", term.FaultOverCurrent}, {"over-voltage", term.FaultOverVoltage}, {"under-voltage", term.FaultUnderVoltage},
	{"socket-hot", term.FaultHighTemperature}, {"cable-hot", term.FaultCableTemperature}, {"lock", term.FaultConnectorLock},
	{"not-closed", term.FaultContactor}, {"welded", term.FaultContactor}, {"pilot", term.FaultPilot}, {"diode", term.FaultDiode},
	{"proximity", term.FaultProximity}, {"emergency-stop", term.FaultEmergencyStop}, {"isolation", term.FaultGround}, {"self-test", term.FaultInternal},
	{"supply", term.FaultPowerSwitch},
}

// Has reports whether the set holds what the station calls f. A bit that this version does not know is an internal
// fault: something is wrong, and it stops.
func (s Faults) Has(f term.Fault) bool {
	for i := range faultNames {
		if s&(1<<i) != 0 && faultNames[i].is == f {
			return true
		}
	}
	return f == term.FaultInternal && s >= faultsEnd
}

// String lists the names, separated by commas.
func (s Faults) String() string {
	var names []string
	for i := range faultNames {
		if s&(1<<i) != 0 {
			names = append(names, faultNames[i].name)
		}
	}
	if s >= faultsEnd {
		names = append(names, "unknown")
	}
	return strings.Join(names, ",")
}

// ResetReason says why a controller started.
type ResetReason uint8

// Reasons of a start.
const (
	ResetUnknown ResetReason = iota
	ResetPower
	ResetPin
	ResetWatchdog
	ResetBrownOut
	ResetSoftware
	ResetCrash
)

var resetNames = [...]string{"unknown", "power", "pin", "watchdog", "brown-out", "software", "crash"}

func (r ResetReason) String() string { return nameOf(resetNames[:], int(r)) }

// Opened says why a controller last opened a contactor.
type Opened uint8

// Reasons of an opening.
const (
	OpenedNever     Opened = iota // since its start
	OpenedByPermit                // it was told to
	OpenedByVehicle               // the vehicle left C or D
	OpenedBySilence               // it heard nothing for too long
	OpenedByFault                 //
	OpenedByStop                  // emergency stop
	OpenedBySession               // a new session forgets every permit
)

var openedNames = [...]string{"never", "permit", "vehicle", "silence", "fault", "emergency-stop", "session"}

func (o Opened) String() string { return nameOf(openedNames[:], int(o)) }

func nameOf(names []string, i int) string {
	if i >= len(names) {
		return "unknown"
	}
	return names[i]
}
