package rectifier

import (
	"encoding/binary"
	"math"

	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/unit"
)

// Addresses of the protocol.
const (
	controller = 0xF0
	everybody  = 0x3F
	oneModule  = 0xA
	maxAddress = 0x3B // 60 modules
)

// Commands.
const (
	cmdOutput       = 0x03
	cmdState        = 0x04
	cmdCapabilities = 0x0A
	cmdBehindDiode  = 0x0C
	cmdSwitch       = 0x1A
	cmdSet          = 0x1C
)

// Refusals in an answer's identifier.
const (
	refusedCommand = 2
	refusedData    = 3
	starting       = 7
)

// header is an identifier.
type header struct{ refusal, device, command, to, from uint8 }

func (h header) id() uint32 {
	return uint32(h.refusal&7)<<26 | uint32(h.device&15)<<22 | uint32(h.command&63)<<16 | uint32(h.to)<<8 | uint32(h.from)
}

func parseHeader(id uint32) header {
	return header{refusal: uint8(id>>26) & 7, device: uint8(id>>22) & 15, command: uint8(id>>16) & 63, to: uint8(id >> 8), from: uint8(id)}
}

// request is a frame from the controller.
func request(command, to uint8) can.Frame {
	f := can.New(header{device: oneModule, command: command, to: to, from: controller}.id())
	f.Extended, f.Len = true, can.MaxData
	return f
}

func setFrame(to uint8, v unit.Voltage, c unit.Current) can.Frame {
	f := request(cmdSet, to)
	binary.BigEndian.PutUint32(f.Data[:], uint32(v/unit.Millivolt))
	binary.BigEndian.PutUint32(f.Data[4:], uint32(c/unit.Milliampere))
	return f
}

func switchFrame(to uint8, on bool) can.Frame {
	f := request(cmdSwitch, to)
	if !on {
		f.Data[0] = 1
	}
	return f
}

// answers are those that modules send to the controller.
var answers = can.Filter{ID: controller << 8, Mask: 0xFF00, Extended: true}

// milli reads an IEEE 754 number as thousandths; false: it is none that a module can have.
func milli(b []byte) (int64, bool) {
	f := float64(math.Float32frombits(binary.BigEndian.Uint32(b))) * 1000
	if math.IsNaN(f) || math.Abs(f) > 1e9 {
		return 0, false
	}
	return int64(math.Round(f)), true
}

// Alarms is a set of what a module tells of itself.
type Alarms uint32

// Alarms, by the three state bytes of the protocol: byte 7 first, then 6 and 5.
const (
	OutputShort      Alarms = 1 << 0
	Sleeping         Alarms = 1 << 4
	DischargeFault   Alarms = 1 << 5
	DCOff            Alarms = 1 << 8
	ModuleFault      Alarms = 1 << 9
	ModuleProtection Alarms = 1 << 10
	FanFault         Alarms = 1 << 11
	OverTemperature  Alarms = 1 << 12
	OutputOver       Alarms = 1 << 13
	WalkIn           Alarms = 1 << 14
	CommLost         Alarms = 1 << 15
	PowerLimited     Alarms = 1 << 16
	AddressTwice     Alarms = 1 << 17
	SharingFault     Alarms = 1 << 18
	PhaseLost        Alarms = 1 << 19
	Unbalanced       Alarms = 1 << 20
	InputUnder       Alarms = 1 << 21
	InputOver        Alarms = 1 << 22
	PFCOff           Alarms = 1 << 23
)

// faults are those alarms with which a module does not deliver.
const faults = OutputShort | DischargeFault | ModuleFault | ModuleProtection | OverTemperature | OutputOver | AddressTwice | PhaseLost | InputUnder | InputOver

// Stops reports whether a module with these alarms does not deliver.
func (a Alarms) Stops() bool { return a&faults != 0 }

var alarmNames = map[Alarms]string{
	OutputShort: "output short", Sleeping: "sleeping", DischargeFault: "discharge", DCOff: "off", ModuleFault: "fault", ModuleProtection: "protection",
	FanFault: "fan", OverTemperature: "over-temperature", OutputOver: "output over-voltage", WalkIn: "walk-in", CommLost: "communication",
	PowerLimited: "power limited", AddressTwice: "address twice", SharingFault: "sharing", PhaseLost: "phase lost", Unbalanced: "input unbalanced",
	InputUnder: "input under-voltage", InputOver: "input over-voltage", PFCOff: "PFC off",
}

// String lists the alarms, separated by commas.
func (a Alarms) String() string {
	s := ""
	for b := Alarms(1); b <= PFCOff; b <<= 1 {
		if name := alarmNames[a&b]; a&b != 0 && name != "" {
			if s != "" {
				s += ","
			}
			s += name
		}
	}
	return s
}

func alarmsOf(d *[8]byte) Alarms { return Alarms(d[7]) | Alarms(d[6])<<8 | Alarms(d[5])<<16 }
