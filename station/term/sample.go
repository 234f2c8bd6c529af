package term

import "time"

// Measurand says what a SampledValue measures (OCPP 2.x MeasurandEnumType). The zero value is the default of
// OCPP: the import register.
type Measurand uint8

// The measurands that a meter of a charging station can give. The value of a SampledValue is in thousandths of
// the unit named behind each.
const (
	EnergyActiveImportRegister   Measurand = iota // mWh
	EnergyActiveExportRegister                    // mWh
	EnergyActiveImportInterval                    // mWh
	EnergyActiveExportInterval                    // mWh
	EnergyReactiveImportRegister                  // mvarh
	EnergyReactiveExportRegister                  // mvarh
	PowerActiveImport                             // mW
	PowerActiveExport                             // mW
	PowerReactiveImport                           // mvar
	PowerReactiveExport                           // mvar
	PowerFactor                                   // 0.001
	PowerOffered                                  // mW
	CurrentImport                                 // mA
	CurrentExport                                 // mA
	CurrentOffered                                // mA
	Voltage                                       // mV
	Frequency                                     // mHz
	SoC                                           // 0.001 %
	MeasurandCount
)

var measurandNames = [MeasurandCount]string{
	"Energy.Active.Import.Register", "Energy.Active.Export.Register", "Energy.Active.Import.Interval",
	"Energy.Active.Export.Interval", "Energy.Reactive.Import.Register", "Energy.Reactive.Export.Register",
	"Power.Active.Import", "Power.Active.Export", "Power.Reactive.Import", "Power.Reactive.Export", "Power.Factor",
	"Power.Offered", "Current.Import", "Current.Export", "Current.Offered", "Voltage", "Frequency", "SoC",
}

var measurandUnits = [MeasurandCount]string{
	"Wh", "Wh", "Wh", "Wh", "varh", "varh", "W", "W", "var", "var", "", "W", "A", "A", "A", "V", "Hz", "Percent",
}

func (m Measurand) String() string { return measurandNames[m] }

// Unit returns the OCPP unit of measure of the value divided by 1000; "" for a plain ratio.
func (m Measurand) Unit() string { return measurandUnits[m] }

// ParseMeasurand returns the measurand of an OCPP name.
func ParseMeasurand(name string) (Measurand, bool) {
	for i, n := range measurandNames {
		if n == name {
			return Measurand(i), true
		}
	}
	return 0, false
}

// Phase says on which line a value was measured (OCPP PhaseEnumType). PhaseNone is the sum or the only line.
type Phase uint8

// Phases that a meter reports.
const (
	PhaseNone Phase = iota
	PhaseL1
	PhaseL2
	PhaseL3
	PhaseN
	PhaseL1N
	PhaseL2N
	PhaseL3N
	PhaseL1L2
	PhaseL2L3
	PhaseL3L1
	phaseCount
)

var phaseNames = [phaseCount]string{"", "L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"}

func (p Phase) String() string { return phaseNames[p] }

// ReadingContext says why a value was taken (OCPP ReadingContextEnumType). The zero value is OCPP's default.
type ReadingContext uint8

// Reading contexts.
const (
	SamplePeriodic ReadingContext = iota
	SampleClock
	TransactionBegin
	TransactionEnd
	Trigger
	InterruptionBegin
	InterruptionEnd
	contextCount
)

var contextNames = [contextCount]string{
	"Sample.Periodic", "Sample.Clock", "Transaction.Begin", "Transaction.End", "Trigger", "Interruption.Begin", "Interruption.End",
}

func (c ReadingContext) String() string { return contextNames[c] }

// Location says where a value was measured (OCPP LocationEnumType). The zero value is OCPP's default.
type Location uint8

// Locations.
const (
	LocationOutlet Location = iota
	LocationInlet
	LocationCable
	LocationEV
	LocationBody
	locationCount
)

var locationNames = [locationCount]string{"Outlet", "Inlet", "Cable", "EV", "Body"}

func (l Location) String() string { return locationNames[l] }

// SampledValue is one measured value: Value thousandths of the unit of Measurand.
type SampledValue struct {
	Value     int64
	Measurand Measurand
	Phase     Phase
	Context   ReadingContext
	Location  Location
}

// MeterValue is what was read at one instant. At is wall time, UTC.
type MeterValue struct {
	At      time.Time
	Sampled []SampledValue
	Signed  *SignedMeterValue // of the import register among Sampled; nil: the meter signed nothing
}

// SignedMeterValue is what a meter signed, as it gave it (OCPP 2.x SignedMeterValueType). It is not changed once it is made.
type SignedMeterValue struct {
	Data           []byte
	SigningMethod  string // like ECDSA-secp256r1-SHA256
	EncodingMethod string // like OCMF
	PublicKey      []byte // SubjectPublicKeyInfo, DER; nil where it is not told
}
