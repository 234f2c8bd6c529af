package boards

import (
	"time"

	"github.com/evsed/evsed/hal"
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
	places   map[string]Origin // of containers too
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
	Voltage    unit.Voltage // line to neutral
	MaxCurrent unit.Current // per line
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

// Safety names the owners of each protective function.
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

// Bus is a bus that devices share.
type Bus struct {
	Name  string
	Kind  BusKind
	Port  string // serial: device below /dev; CAN and net: interface; SPI: bus.select; I2C: adapter's number; TCP: host:port
	RS485 bool   // the driver enable is the kernel's
	Baud  int    // serial; 0: not given
	Frame string // serial: 8N1
}

// MCU is a safety controller that owns pilots and contactors.
type MCU struct {
	Name      string
	Port      string        // serial device below /dev
	Baud      int           // 0: the protocol's default
	Heartbeat time.Duration // how often each end says that it lives; 0: the protocol's default
	Silence   time.Duration // after which each end takes the other for gone; 0: the protocol's default
	Fallback  bool          // it goes on at its own lowest limit then; false: it opens
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
	Reset *Line         // clears the peak detector in front of it
	Pulse time.Duration // for so long; 0: as short as can be
}

// Gain is nanovolts per count of a converter.
type Gain int64

// Switch is a relay or contactor with its mirror contact.
type Switch struct {
	Lines          hal.Lines // that it switches; 0 for DC
	Drive          Line
	Sense          *Line
	NormallyClosed bool // the mirror contact is closed while the main contacts are open
}

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
