package term

import "fmt"

// Fault names what is wrong at a connector, an EVSE or the station. The names are stable: the console, the
// simulator API, the logs and OCPP all show the same word.
type Fault uint8

// Faults of a connector or EVSE first, then those of the station.
const (
	FaultNone Fault = iota
	FaultGround
	FaultOverCurrent
	FaultOverVoltage
	FaultUnderVoltage
	FaultHighTemperature
	FaultConnectorLock
	FaultContactor // does not close, does not open, or is welded
	FaultPilot
	FaultDiode
	FaultProximity
	FaultMeter
	FaultEmergencyStop
	FaultCableTemperature
	FaultEVCommunication
	FaultPowerSwitch
	FaultOther
	FaultReader
	FaultInternal
	FaultWeakSignal
	FaultTamper
	FaultPowerLoss
	FaultStorage
	faultCount
)

var faultNames = [faultCount]string{
	"none", "groundFailure", "overCurrent", "overVoltage", "underVoltage", "highTemperature", "connectorLockFailure",
	"contactorFault", "pilotFault", "diodeFault", "proximityFault", "meterFailure", "emergencyStop",
	"cableOverTemperature", "evCommunication", "powerSwitchFailure", "other", "readerFailure", "internalError",
	"weakSignal", "tamper", "powerLoss", "storageFailure",
}

func (f Fault) String() string {
	if f >= faultCount {
		return fmt.Sprintf("fault(%d)", uint8(f))
	}
	return faultNames[f]
}

// ParseFault returns the fault of a name that String gives.
func ParseFault(name string) (Fault, bool) {
	for i, n := range faultNames {
		if n == name && i != 0 {
			return Fault(i), true
		}
	}
	return FaultNone, false
}

// StopsCharging reports whether energy may not flow while the fault is active. A lost reader, a weak mobile signal
// or an opened lid do not stop a running charge; everything that concerns the power path does.
func (f Fault) StopsCharging() bool {
	switch f {
	case FaultNone, FaultReader, FaultWeakSignal, FaultTamper, FaultStorage, FaultMeter, FaultEVCommunication, FaultOther:
		return false
	}
	return true
}
