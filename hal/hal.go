// Package hal says what the wires of a charging station can do: small interfaces for devices, and the values
// they give. Only station/guard and station/run call the methods; the core sees the values.
//
// Every method that may block takes a context and honours its deadline. The devices of the guard (ControlPilot,
// Proximity, Contactor, Lock, ResidualCurrentDevice, Watchdog) never block: they are register or line accesses
// and take none, so that the guard's cycle stays bounded.
package hal

import (
	"context"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// PilotSample is the control pilot as measured at the station's end (IEC 61851-1 Annex A).
type PilotSample struct {
	High unit.Voltage // level while the generator drives high, nominally +12, +9, +6, +3 V
	Low  unit.Voltage // level while it drives low, nominally -12 V behind the vehicle's diode; equal to High without PWM
}

// ControlPilot measures and drives the pilot line of one connector.
type ControlPilot interface {
	Sample() (PilotSample, error)
	SetDuty(unit.Duty) error // DutyHigh: steady +12 V; DutyLow: steady -12 V
}

// Proximity measures the resistor between proximity contact and earth (IEC 61851-1 Annex B).
type Proximity interface {
	Resistance() (unit.Resistance, error) // an open line reads above 100 kOhm
}

// Contactor is the main switch of one connector with its feedback contact.
type Contactor interface {
	Set(closed bool, phases uint8) error // phases: lines to close, 1 or 3; ignored when opening
	Closed() (bool, error)               // the mirror contact, not the command
}

// Lock holds the plug in the socket (IEC 62196).
type Lock interface {
	SetLocked(bool) error
	Locked() (bool, error)
}

// ResidualCurrentDevice reports a tripped fault-current detection (RCD, or DC 6 mA by IEC 62955).
type ResidualCurrentDevice interface {
	Tripped() (bool, error)
}

// SelfTester is an optional ability of a ResidualCurrentDevice: it makes itself trip from time to time and sees that it does.
type SelfTester interface {
	// SelfTest is called in every cycle. idle says that nothing is plugged in and nothing closed: a test begins only then, and is
	// broken off when it ends. The result says whether a test is under way, so that the next cycle should be soon.
	SelfTest(idle bool) bool
}

// Rester is an optional ability of a device that drives something for a moment only, a lock's motor or a test line: Rest lets it
// go, at the end of whoever drives it.
type Rester interface {
	Rest() error
}

// Thermometer measures one place.
type Thermometer interface {
	Temperature() (unit.Temperature, error)
}

// Inputs are the safety inputs that belong to one connector's supply besides the pilot.
type Inputs interface {
	EmergencyStop() (bool, error)
}

// Diagnosis are a board's own fault lines: what its hardware reports and no measurement of the guard shows
// (a driver's jam line, a coil monitor, a power switch that reports itself broken).
type Diagnosis interface {
	Active(term.Fault) (bool, error)
}

// Devices are what the guard drives and reads at one connector. A nil field is a device that is not fitted;
// Pilot and Contactor are always fitted, Proximity wherever the cable can be detached.
type Devices struct {
	Pilot     ControlPilot
	Proximity Proximity
	Contactor Contactor
	Lock      Lock
	RCD       ResidualCurrentDevice
	Inputs    Inputs
	Socket    Thermometer
	Cable     Thermometer
	Diagnosis Diagnosis
}

// Watchdog resets the board when it is not petted in time.
type Watchdog interface {
	Pet() error
}

// Meter reads one EVSE's energy meter. Read blocks up to the context's deadline.
type Meter interface {
	Read(ctx context.Context) (MeterReading, error)
}

// SigningMeter is a Meter that counts transactions and signs them: between Start and Stop it counts one. Each method may take
// longer than a Read, and comes back when ctx ends.
type SigningMeter interface {
	Meter

	// Start begins a transaction in the meter. One that is open from before is ended; the same one goes on.
	Start(context.Context, MeterSession) error

	// Stop ends a transaction and returns what the meter signed for it, begin and end in one record. One that it has ended
	// already gives the same record again. The session is told again: a meter may have forgotten it with its power.
	Stop(context.Context, MeterSession) (SignedReading, error)

	// PublicKey returns the key of what the meter signs (SubjectPublicKeyInfo, DER).
	PublicKey(context.Context) ([]byte, error)
}

// Signer is an optional ability of a SigningMeter: a record of the transaction that it counts, as far as it goes.
type Signer interface {
	ReadSigned(ctx context.Context, transaction string) (SignedReading, error)
}

// MeterSession is what a transaction is signed with.
type MeterSession struct {
	Transaction string // of the station, unique
	EVSE        string // as the car's driver knows it
	User        string // identification; "" is nobody
	Tariff      int    // number of the tariff in the meter, where it has such; 0 is none
	Cable       int    // number of the cable's loss compensation in the meter, where it has such; 0 is none

	At           time.Time // what the time of day is now, as far as the station knows; zero: it does not
	Synchronised bool      // somebody has set the station's clock
}

// TokenReader waits for the next presented token.
type TokenReader interface {
	Next(ctx context.Context) (term.IdToken, error)
}

// Indicator is the light of one connector. None of its methods waits: it blinks by itself.
type Indicator interface {
	Show(Indication) error             // from now on, behind a signal that is being blinked
	Blink(sig Signal, times int) error // then it shows the Indication again; a new signal ends the one before
	Dim(unit.Percent) error            // how bright it is, of what it can be
}

// Indication is what a driver shall see at a connector.
type Indication uint8

// Indications, one for each thing that a driver must be able to tell apart.
const (
	IndicateOff Indication = iota
	IndicateAvailable
	IndicateReserved
	IndicateAuthorizing
	IndicateConnected
	IndicateCharging
	IndicateSuspended
	IndicateFinishing
	IndicateUnavailable
	IndicateFaulted
)

// Signal is what a light tells by blinking to who has just shown a card.
type Signal uint8

// Signals.
const (
	SignalAccepted Signal = iota + 1
	SignalRefused
)

// MeterReading is one consistent reading of an EVSE's meter. Lines that the meter does not have are zero and
// not counted in Phases.
type MeterReading struct {
	At        time.Time // the station's monotonic time at which the reading was taken
	Phases    uint8     // 1 or 3; 0 for DC
	Import    unit.Energy
	Export    unit.Energy
	Power     unit.Power // sum, positive to the EV
	Voltage   [3]unit.Voltage
	Current   [3]unit.Current
	Frequency unit.Frequency
	Factor    int32 // power factor in 0.001; 0 where unknown
	SoC       unit.Percent
	HasSoC    bool
}

// SignedReading is a reading with the meter's signature, carried unchanged.
type SignedReading struct {
	Reading        MeterReading
	Data           []byte // the record, as the meter gave it
	SigningMethod  string // like ECDSA-secp256r1-SHA256 (2.1 appendix, SigningMethod)
	EncodingMethod string // like OCMF
	PublicKey      []byte // SubjectPublicKeyInfo, DER
}

var indicationNames = [...]string{"off", "available", "reserved", "authorizing", "connected", "charging", "suspended", "finishing",
	"unavailable", "faulted"}

// String returns the indication's name.
func (i Indication) String() string {
	if int(i) >= len(indicationNames) {
		return "indication?"
	}
	return indicationNames[i]
}

// String returns the signal's name.
func (s Signal) String() string {
	switch s {
	case SignalAccepted:
		return "accepted"
	case SignalRefused:
		return "refused"
	}
	return "signal?"
}
