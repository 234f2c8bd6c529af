package boards

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// EVSE is one supply point with its one connector.
type EVSE struct {
	ID           term.EVSEID
	Name         string // EvseId, e.g. DE*ABC*E1
	Off          bool   // switched off by a product or site file: nobody opens its devices
	DC           bool
	Phases       uint8 // lines that arrive at the connector: 1 or 3; 0 for DC
	wired        uint8 // lines that the board wires
	Connector    Connector
	MaxCurrent   unit.Current // per line: the least of connector, cable, supply and the files
	MCU          string       // the safety controller that Pilot and Contactors are at; "" for none
	Port         uint8        // the connector's number at it, from 1
	Pilot        Pilot
	Proximity    *Proximity
	Contactors   Contactors
	RCD          *RCD
	Lock         *Lock
	Meter        *Meter
	Temperatures []Temperature
	Reader       *Reader
	Light        *Light
	Diagnosis    []Diagnosis
	HLC          *HLC
	Source       *Source
	Isolation    *Isolation
}

// Connector is the connector of an EVSE.
type Connector struct {
	Type       string       // as OCPP spells it: sType2, cType2, cCCS2
	Tethered   bool         // the cable is fixed
	MaxCurrent unit.Current // that it and its cable may carry
	Voltage    Range[unit.Voltage]
	Ventilated bool // state D is supplied
}

// Pilot is the control pilot: PWM, and converters or comparators behind peak detectors; or an MCU that does all.
type Pilot struct {
	MCU         bool
	PWM         PWM
	High, Low   *ADC
	Comparators []Comparator
	Every       time.Duration // between samples while a vehicle is plugged in
	Median      int           // samples of the filter, odd; 1: none
	Frozen      int           // equal counts after which a converter is dead; 0: never
}

// Comparator is an input that is active above, or below, a level of the pilot.
type Comparator struct {
	Name  string
	Line  Line
	Below bool
	Level unit.Voltage
}

// Proximity is the proximity circuit: a divider of a pull-up to a rail and what hangs at the plug.
type Proximity struct {
	MCU    bool
	ADC    ADC
	Pullup unit.Resistance
	Rail   unit.Voltage
}

// Contactors are the main switches of an EVSE.
type Contactors struct {
	MCU         bool
	Wiring      hal.Wiring
	Main, Extra *Switch // AC
	Plus, Minus *Switch // DC
	Close, Open time.Duration
}

// RCD is the fault-current device as far as it can be read.
type RCD struct {
	MCU    bool
	Fault  Line
	Test   *Line
	Every  time.Duration // between self-tests; 0: none
	Within time.Duration // after which a tested device must have tripped
}

// Lock holds the plug.
type Lock struct {
	MCU   bool
	Motor []Line        // towards locked, towards open; one alone holds a bolt while it is active
	Sense *Line         // active while locked
	Pulse time.Duration // 0 with one line
}

// Meter is an energy meter.
type Meter struct {
	Model     string // as hal/meter names it: eastron/sdm630-v2; or the path of a register table (see Table)
	Bus       string
	Address   uint8
	HTTP      string   // host or host:port of one that speaks HTTP
	Phases    [3]uint8 // of the EVSE's lines, 1 to 3, for each line of the meter; 0: none
	Legal     bool     // it signs, and PublicKey is its key
	PublicKey string   // hex; "from-meter": as it says
	Stop      bool     // a silent meter ends charging
}

// Temperature is a thermometer and what it does to the current: of ADC, Kernel and MCU exactly one.
type Temperature struct {
	ID     string // socket, cable, pins, inside ...
	ADC    *ADC   // of a divider, with Pullup, Rail and Curve
	Pullup unit.Resistance
	Rail   unit.Voltage
	Curve  hal.Curve
	Kernel string // hwmon:NAME/temp1 or w1:28-0000053a6b12
	MCU    bool   // the EVSE's safety controller has it
	Derate []Step // by rising temperature; the last is 0 A
}

// Step is one step of derating: at At and above at most Max.
type Step struct {
	At  unit.Temperature
	Max unit.Current
}

// Reader reads tokens.
type Reader struct {
	Model   string
	Bus     string
	Device  string // of one that sits at no bus: an input device below /dev/input
	Address uint8
	Reset   *Line
	Typed   rfid.Typed  // how a reader that types writes a UID
	Format  rfid.Format // how a UID is written to the CSMS
}

// Light is the light of a connector.
type Light struct {
	RGB  []Line   // red, green, blue; or none
	LEDs []string // kernel LEDs below /sys/class/leds, likewise
}

// HLC is high-level communication.
type HLC struct {
	Bus string // a network interface
}

// Source feeds a DC EVSE.
type Source struct {
	Modules            []string
	PrechargeTolerance unit.Voltage
	PrechargeTimeout   time.Duration
}

// Module is a rectifier.
type Module struct {
	ID, Model, Bus string
	Address        uint8
	Voltage        Range[unit.Voltage]
	Power          unit.Power
}

// Isolation is an insulation monitor.
type Isolation struct {
	Model, Bus string
	Address    uint8
	Trip       unit.Resistance
}

// Cooling are the fans.
type Cooling struct {
	Fans  []Fan
	Curve []FanStep
}

// Fan is a fan.
type Fan struct {
	ID   string
	PWM  PWM
	Tach *Line
}

// FanStep is one step of cooling: at At and above at least Speed.
type FanStep struct {
	At    unit.Temperature
	Speed unit.Percent
}

// Meaning is what an input says.
type Meaning uint8

// Meanings.
const (
	MeaningCurtail       Meaning = iota + 1 // the grid operator wants Limit kept
	MeaningStop                             // pressed, it stops every transaction
	MeaningEmergencyStop                    // the guard opens everything
	MeaningDoor                             // the housing is open
)

// Input is a line with a meaning.
type Input struct {
	Name    string
	Line    Line
	MCU     string // that reports it; Line is empty then
	Meaning Meaning
	Limit   unit.Power // of MeaningCurtail: for the station
}

// Display is a line of text.
type Display struct {
	Model   string
	Bus     string
	Address uint8
}

// Diagnosis is a line on which the board's hardware reports a fault.
type Diagnosis struct {
	Name  string
	Line  Line
	Fault term.Fault
}
