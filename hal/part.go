package hal

// Part is one wire of a board, or one thing that hangs at it: what the line table says of it, in a fixed-size record. One or
// several parts make a device of the guard; hal/parts puts them together. Which device it is, is what the first part's Role
// says.
//
// What A, B, C and D mean is said at each Role; what a role does not use is zero.
type Part struct {
	Kind       PartKind
	Role       PartRole
	Flags      PartFlags
	Name       string // what the kernel calls it, as the Kind has it; at most MaxPartName bytes, no NUL
	A, B, C, D int32
}

// MaxPartName is the longest Name, in bytes: what a line table has room for.
const MaxPartName = 47

// PartKind says by which of the kernel's interfaces a part is reached, and so what its Name is.
type PartKind uint8

// Kinds of parts.
const (
	PartNone        PartKind = iota
	PartOutput               // a GPIO line, by its name
	PartInput                // a GPIO line, by its name
	PartPWM                  // chip and channel: 20fc000.pwm/0
	PartADC                  // IIO device, by name or address, and channel: 2198000.adc/voltage2
	PartThermometer          // hwmon:NAME/temp1 or w1:28-0000053a6b12
	PartMCU                  // a serial port: /dev/ttymxc3
	PartWatchdog             // a device: /dev/watchdog0
)

// PartFlags are what a part's wire is like.
type PartFlags uint16

// Flags. Those of bias are for inputs, at most one of them; none leaves the line as it is. The upper byte is a Curve.
const (
	PartActiveLow      PartFlags = 1 << iota // GPIO: a low line is active
	PartPullUp                               // input: pulled up
	PartPullDown                             // input: pulled down
	PartNoBias                               // input: not pulled
	PartInverted                             // PWM: the wire is low while the channel is high
	PartNormallyClosed                       // contactor's sense: closed while the main contacts are open, a mirror contact
	PartHolds                                // MCU: on silence it goes on at its own lowest limit; without, it opens
)

// curveShift is where in the flags the curve of a thermometer is.
const curveShift = 8

// Curve returns the flags' curve.
func (f PartFlags) Curve() Curve { return Curve(f >> curveShift) }

// Flags returns the flags of a part with this curve.
func (c Curve) Flags() PartFlags { return PartFlags(c) << curveShift }

// Curve is how a resistor tells a temperature.
type Curve uint8

// Curves, as board files name them: the resistance of an NTC at 25 degrees and its B value from 25 to 85 degrees; platinum by
// IEC 60751.
const (
	CurveNone         Curve = iota
	CurveNTC10kB3435        // ntc-10k-b3435
	CurveNTC10kB3950        // ntc-10k-b3950
	CurveNTC47kB4050        // ntc-47k-b4050
	CurveNTC100kB3950       // ntc-100k-b3950
	CurvePT100              // pt100
	CurvePT1000             // pt1000
	curveCount
)

var curveNames = [curveCount]string{"", "ntc-10k-b3435", "ntc-10k-b3950", "ntc-47k-b4050", "ntc-100k-b3950", "pt100", "pt1000"}

// String returns the curve's name in board files.
func (c Curve) String() string {
	if c >= curveCount {
		return "curve?"
	}
	return curveNames[c]
}

// ParseCurve returns the curve of a name.
func ParseCurve(name string) (Curve, bool) {
	for i, n := range curveNames {
		if n == name && i != 0 {
			return Curve(i), true
		}
	}
	return CurveNone, false
}

// Curves returns the names of all curves.
func Curves() []string { return append([]string(nil), curveNames[1:]...) }

// PartRole says what a part does in its device.
type PartRole uint8

// Roles. Every input (PartInput) has A: debounce in us, and every voltage (PartADC) has A: gain in nV a count, and B: zero in uV;
// both are at the wire, behind whatever divider the board has, and the gain may be negative.
const (
	RoleNone PartRole = iota

	// Control pilot: PWM, then either High and Low or comparators.
	RolePilotPWM       // PWM; A: period in ns
	RolePilotHigh      // ADC of the positive peak; C: samples of the median filter, 0 or 1: none; D: equal counts after which it is frozen, 0: never
	RolePilotLow       // ADC of the negative peak; C, D: likewise
	RolePilotHighReset // output that clears the peak detector of High; B: for so many us
	RolePilotLowReset  // output that clears the peak detector of Low; B: likewise
	RolePilotAbove     // input behind a peak detector, active above a threshold; B: the threshold in mV (near 10500, 7500, 4500 and 1500)
	RolePilotBelow     // input behind a negative peak detector, active below a threshold; B: the threshold in mV (near -10500)

	// Proximity: one ADC.
	RoleProximity // ADC; C: pull-up in mOhm, D: rail in mV

	// Contactor: one or two drives and what senses them, in any number.
	RoleMainDrive  // output; A: a Wiring, B: Lines that it switches, C: ms that closing may take, 0: as the machine allows
	RoleExtraDrive // output; B: Lines
	RoleMainSense  // input that shows the main drive's contacts; B: Lines that it shows, 0: all of them
	RoleExtraSense // input that shows the extra drive's contacts; B: likewise

	// Lock.
	RoleLockMotor   // output that drives towards locked; A: pulse in ms, 0: a bolt that is held while it is locked
	RoleUnlockMotor // output that drives towards unlocked
	RoleLockSense   // input, active while locked

	// Residual-current device.
	RoleRCDFault // input, active when tripped
	RoleRCDTest  // output that makes it trip; A: ms within which it does, B: seconds between self-tests

	// Safety inputs and board faults, in any number.
	RoleEmergencyStop // input, active when pressed (or the door is open): nothing may be closed
	RoleDiagnosis     // input; B: the number that parts.Report has for its fault

	// Thermometer: the hottest of its parts.
	RoleTemperature // ADC with a Curve and C: pull-up in mOhm, D: rail in mV; or a thermometer

	// What a safety controller does at a connector. A: baud, 0 its default; B: the functions that it owns; C: beat in ms, 0 its
	// default, and in the upper 16 bits its silence in ms; D: the connector there, from 0, and in the upper 16 bits how many it has.
	RoleMCUPilot
	RoleMCUProximity
	RoleMCUContactor
	RoleMCULock
	RoleMCURCD
	RoleMCUInputs
	RoleMCUSocket
	RoleMCUCable
	RoleMCUDiagnosis

	// The board's watchdog.
	RoleWatchdog // A: timeout in ms

	roleCount
)

// Roles is how many roles there are.
const Roles = roleCount

// Wiring says how two contactors work together.
type Wiring uint8

// Wirings.
const (
	WiringSingle       Wiring = iota // one drive
	WiringSerial                     // the main one closes first and is enough for one line; for three the extra one follows it
	WiringSimultaneous               // both together, always
	WiringMutual                     // the main one for three lines, the extra one for one; never both
	wiringCount
)

var wiringNames = [wiringCount]string{"single", "serial", "simultaneous", "mutual"}

// String returns the wiring's name in board files.
func (w Wiring) String() string {
	if w >= wiringCount {
		return "wiring?"
	}
	return wiringNames[w]
}

// Lines is a set of conductors.
type Lines uint8

// Conductors.
const (
	LineL1 Lines = 1 << iota
	LineL2
	LineL3
	LineN
)
