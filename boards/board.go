package boards

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Board is a station's hardware as its board, product and site files describe it together: merged, in units, with every
// reference resolved. What is not fitted is nil or empty. It is read only.
type Board struct {
	Files    []string // that it was read from: board, then product, then site
	Identity Identity
	Supply   Supply
	Safety   Safety
	Watchdog *Watchdog
	Buses    []Bus
	MCUs     []MCU
	EVSEs    []EVSE // ids run from 1 without a gap
	Modules  []Module
	Cooling  *Cooling
	Inputs   []Input
	Reader   *Reader // one for the whole station
	Display  *Display

	settings []Setting
}

// Identity says what the board is.
type Identity struct {
	Vendor, Model, Revision string
	Serial                  Serial
}

// Serial says where a board's own serial number is kept; the zero value is nowhere.
type Serial struct {
	Text   string // the number itself
	File   string // a file of the kernel, from the root
	Offset int    // in it
	Length int    // most bytes of it; it ends before the first NUL, 0xFF or line break
}

// Supply is what feeds the station.
type Supply struct {
	Phases     uint8        // 1 or 3
	Voltage    unit.Voltage // line to neutral where Phases is 1 or an AC EVSE is fed, as the file says it
	MaxCurrent unit.Current // per line, of all EVSEs together
	Main       *Switch      // the contactor in front of all
}

// Owner is who carries out a protective function.
type Owner uint8

// Owners.
const (
	OwnerNone  Owner = iota // nobody: the board has no such function
	OwnerHW                 // wires and relays alone
	OwnerMCU                // a safety controller
	OwnerAgent              // the guard of this program, on Linux
)

// Safety names the owners of each protective function, in the order of preference of the file; the last of several is
// the one that acts last.
type Safety struct {
	RCD, PEMonitor, Overcurrent, WeldCheck, OpenOnCExit, Watchdog []Owner
	EmergencyStop, Overvoltage, Isolation, Door                   []Owner
}

// Watchdog is the hardware that resets the board.
type Watchdog struct {
	Path    string        // /dev/watchdog0
	Timeout time.Duration // whole seconds
}

// BusKind is what kind of a bus.
type BusKind uint8

// Kinds of buses.
const (
	BusNone   BusKind = iota
	BusSerial         // UART or RS-485
	BusI2C
	BusSPI
	BusCAN
	BusTCP // Modbus TCP
	BusNet // a network interface, for power-line communication
)

// Parity of a serial frame.
type Parity uint8

// Parities.
const (
	ParityNone Parity = iota
	ParityEven
	ParityOdd
)

// Bus is a bus that devices share.
type Bus struct {
	Name   string
	Kind   BusKind
	Port   string // serial: device below /dev; CAN and net: interface; SPI: bus.select; I2C: number; TCP: host:port
	RS485  bool   // the driver enable is the kernel's
	Baud   int    // serial
	Data   uint8  // bits
	Parity Parity
	Stop   uint8 // bits
}

// MCU is a safety controller that owns pilots and contactors.
type MCU struct {
	Name      string
	Port      string // serial device below /dev
	Baud      int
	Heartbeat time.Duration // how often it is told that the agent lives
	Silence   time.Duration // after which it falls back to Safe
	Safe      unit.Current  // that it offers alone; 0: it opens
}

// Line is a GPIO line by the name that the kernel knows it by.
type Line struct {
	Name      string
	ActiveLow bool // gpio:!NAME
	Bias      Bias
	Debounce  time.Duration
}

// Bias is the pull of an input.
type Bias uint8

// Biases.
const (
	BiasAsIs Bias = iota
	BiasNone
	BiasPullUp
	BiasPullDown
)

// PWM is a channel of a PWM chip.
type PWM struct {
	Name   string // chip/channel
	Invert bool   // the wire is high while the channel is low
}

// ADC is a channel of an IIO device. Volts on the wire are Gain times the count plus Zero.
type ADC struct {
	Name  string // device/channel, like 2198000.adc/voltage2
	Gain  Gain
	Zero  unit.Voltage
	Reset *Line // clears the peak detector in front of it
}

// Gain is nanovolts per count of a converter.
type Gain int64

// Switch is a relay or contactor with its mirror contact.
type Switch struct {
	Phases   [3]bool // lines that it switches, L1 to L3; none for DC
	Drive    Line    // Name empty: by the EVSE's MCU
	Sense    *Line
	AuxOpen  bool // the mirror contact is normally open: it follows the main contacts
	Neutral  bool
	Positive bool // DC: of the plus pole
}

// Wiring says how two contactors of an EVSE work together.
type Wiring uint8

// Wirings.
const (
	WiringSingle       Wiring = iota // one contactor
	WiringSerial                     // the second sits behind the first: single-phase closes the first alone
	WiringSimultaneous               // both at once: the EVSE cannot switch phases
	WiringMutual                     // one or the other: single-phase or three-phase
)

// Range is from a least to a greatest value, both included.
type Range[T any] struct{ Least, Most T }

// Origin is where a value was written.
type Origin struct {
	File         string
	Line, Column int
	Layer        Layer
}

// Layer is the kind of a file.
type Layer uint8

// Layers; a later one can only tighten what an earlier one says.
const (
	LayerBoard Layer = iota + 1
	LayerProduct
	LayerSite
)

// Setting is one value of the merged board with its place, and what stood in the layers above it.
type Setting struct {
	Path  string // evses[1].connector.max_current; a list whose items have an id counts by id
	Text  string
	Where Origin
	Over  *Setting // that it tightened
}

// Settings returns all values that were given, in the order of the table of keys.
func (b *Board) Settings() []Setting { return b.settings }

// Origin returns where the value at path was written.
func (b *Board) Origin(path string) (Setting, bool) {
	for _, s := range b.settings {
		if s.Path == path {
			return s, true
		}
	}
	return Setting{}, false
}

// EVSE returns the EVSE of that id, or nil.
func (b *Board) EVSE(id term.EVSEID) *EVSE {
	for i := range b.EVSEs {
		if b.EVSEs[i].ID == id {
			return &b.EVSEs[i]
		}
	}
	return nil
}

// Bus returns the bus of that name, or nil.
func (b *Board) Bus(name string) *Bus {
	for i := range b.Buses {
		if b.Buses[i].Name == name {
			return &b.Buses[i]
		}
	}
	return nil
}

// MCU returns the safety controller of that name, or nil.
func (b *Board) MCU(name string) *MCU {
	for i := range b.MCUs {
		if b.MCUs[i].Name == name {
			return &b.MCUs[i]
		}
	}
	return nil
}
