package boards

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// EVSE is one supply point with its one connector.
type EVSE struct {
	ID           term.EVSEID
	Name         string // EvseId, e.g. DE*ABC*E1
	Off          bool   // switched off by a product or site file
	DC           bool
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

// Pilot is the control pilot: PWM and measurement here, or an MCU that does both.
type Pilot struct {
	MCU       bool
	PWM       PWM
	High, Low *ADC
	Every     time.Duration // between samples while a vehicle is plugged in
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
	Feedback    bool // the MCU reports its mirror contacts
	Wiring      Wiring
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
	Motor [2]Line // towards locked, towards open
	Sense *Line   // active while locked
	Pulse time.Duration
}

// Meter is an energy meter.
type Meter struct {
	Model     string // as hal/meter names it: eastron/sdm630-v2
	Bus       string
	Address   uint8
	HTTP      string // host or host:port of one that speaks HTTP
	Phases    [3]uint8
	Legal     bool   // signed values are carried
	PublicKey string // hex; "from-meter": as it says
	Stop      bool   // a silent meter ends charging
}

// Temperature is a thermometer and what it does to the current.
type Temperature struct {
	ID     string // socket, cable, pins, inside ...
	MCU    bool
	Source string // adc:DEVICE/CHANNEL, hwmon:NAME/temp1, w1:28-0000, or of an MCU: its number
	ADC    *ADC
	Pullup unit.Resistance
	Rail   unit.Voltage
	Curve  string
	Derate []Step // by rising temperature
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
	Port    string // of one that sits at no bus: an input device
	Address uint8
	Reset   *Line
	UID     string // how a UID is presented
}

// Light is the light of a connector.
type Light struct {
	RGB  [3]*Line
	LEDs [3]string // kernel LEDs below /sys/class/leds
	PWM  [3]*PWM
}

// HLC is high-level communication.
type HLC struct {
	Bus       string
	Protocols []string
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
	MeaningPresence                         // somebody is at the station
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
