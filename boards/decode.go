package boards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// A value that is absent, and its members, read as zero.

func (v *value) str(name string) string {
	if c := v.child(name); c != nil {
		return c.text
	}
	return ""
}

func (v *value) number(name string) int64 {
	if c := v.child(name); c != nil {
		return c.num
	}
	return 0
}

func (v *value) time(name string) time.Duration { return time.Duration(v.number(name)) }

func (v *value) is(name string) bool { c := v.child(name); return c != nil && c.flag }

func (v *value) wordsOf(name string) []string {
	c := v.child(name)
	if c == nil {
		return nil
	}
	var words []string
	for _, i := range c.items {
		words = append(words, i.text)
	}
	return words
}

func (v *value) rangeOf(name string) (r Range[unit.Voltage]) {
	if c := v.child(name); c != nil {
		r.Least, r.Most = unit.Voltage(c.span[0]), unit.Voltage(c.span[1])
	}
	return r
}

// each calls f for the members of a dict or list.
func (v *value) each(name string, f func(name string, item *value)) {
	if c := v.child(name); c != nil {
		for i, item := range c.items {
			n := ""
			if c.names != nil {
				n = c.names[i]
			}
			f(n, item)
		}
	}
}

func (v *value) lineOf(name string) *Line {
	c := v.child(name)
	if c == nil {
		return nil
	}
	l := c.asLine()
	return &l
}

func (v *value) mustLine(name string) Line {
	if l := v.lineOf(name); l != nil {
		return *l
	}
	return Line{}
}

var biases = map[string]Bias{"pull-up": BiasPullUp, "pull-down": BiasPullDown, "disabled": BiasNone}

func (v *value) asLine() Line {
	text, l := v.text, Line{}
	if v.names != nil {
		text = v.str("line")
		l.Bias, l.Debounce = biases[v.str("bias")], v.time("debounce")
	}
	l.Name = strings.TrimPrefix(text, "gpio:")
	l.Name, l.ActiveLow = strings.CutPrefix(l.Name, "!")
	return l
}

// decode makes a board of merged values. It relies on their having been read without an error, and on nothing else.
func decode(v *value) *Board {
	b := &Board{places: map[string]Origin{}}
	b.collect(v)
	p := v.child("product")
	b.Identity = Identity{Vendor: v.child("board").str("vendor"), Model: v.child("board").str("model"), Revision: v.child("board").str("revision"),
		Serial: decodeSerial(v.child("board").str("serial"))}
	if s := p.str("vendor"); s != "" {
		b.Identity.Vendor = s
	}
	if s := p.str("model"); s != "" {
		b.Identity.Model = s
	}
	s := v.child("supply")
	b.Supply = Supply{Phases: uint8(s.number("phases")), Voltage: unit.Voltage(s.number("voltage")), MaxCurrent: unit.Current(s.number("max_current"))}
	b.Safety = decodeSafety(v.child("safety"))
	if w := v.child("watchdog"); w != nil {
		b.Watchdog = &Watchdog{Path: "/dev/" + w.str("device"), Timeout: w.time("timeout")}
	}
	v.each("buses", func(name string, v *value) { b.Buses = append(b.Buses, decodeBus(name, v)) })
	v.each("mcus", func(name string, v *value) {
		b.MCUs = append(b.MCUs, MCU{Name: name, Port: v.str("uart"), Baud: int(v.number("baud")), Heartbeat: v.time("heartbeat"), Silence: v.time("silence"),
			Fallback: v.str("on_silence") == "lowest"})
	})
	v.each("power_modules", func(_ string, v *value) {
		b.Modules = append(b.Modules, Module{ID: v.str("id"), Model: v.str("model"), Bus: v.str("bus"), Address: uint8(v.number("address")),
			Voltage: v.rangeOf("voltage"), Power: unit.Power(v.number("power"))})
	})
	v.each("evses", func(_ string, v *value) { b.EVSEs = append(b.EVSEs, decodeEVSE(v, b.Supply)) })
	b.Cooling = decodeCooling(v.child("cooling"))
	v.each("inputs", func(name string, v *value) { b.Inputs = append(b.Inputs, decodeInput(name, v)) })
	b.Reader = decodeReader(v.child("reader"))
	if d := v.child("display"); d != nil {
		b.Display = &Display{Model: d.str("model"), Bus: d.str("bus"), Address: uint8(d.number("address"))}
	}
	return b
}

// collect notes where each value stands.
func (b *Board) collect(v *value) {
	b.places[v.path] = v.where
	if v.leaf() && v.path != "" {
		s := v.setting()
		b.settings = append(b.settings, s)
		return
	}
	for _, c := range v.items {
		b.collect(c)
	}
}

func (v *value) setting() Setting {
	s := Setting{Path: v.path, Text: v.show(), Where: v.where}
	if v.over != nil {
		over := v.over.setting()
		s.Over = &over
	}
	return s
}

// eepromLength is how much of an EEPROM a serial number may fill.
const eepromLength = 24

// decodeSerial reads text:NUMBER, eeprom:BUS-ADDRESS@OFFSET or file:PATH.
func decodeSerial(s string) Serial {
	how, rest, _ := strings.Cut(s, ":")
	switch how {
	case "text":
		return Serial{Text: rest}
	case "file":
		return Serial{File: rest, Length: eepromLength}
	case "eeprom":
		chip, offset, _ := strings.Cut(rest, "@0x")
		at, _ := strconv.ParseInt(offset, 16, 32)
		return Serial{File: "/sys/bus/i2c/devices/" + chip + "/eeprom", Offset: int(at), Length: eepromLength}
	}
	return Serial{}
}

var ownerNames = [...]string{"", "hw", "mcu", "agent"}

func (o Owner) String() string { return ownerNames[o] }

func decodeSafety(v *value) (s Safety) {
	for _, f := range s.functions() {
		for _, w := range v.wordsOf(f.name) {
			for o, n := range ownerNames {
				if n == w {
					*f.owners = append(*f.owners, Owner(o))
				}
			}
		}
	}
	return s
}

// function is a protective function and who owns it.
type function struct {
	name   string
	owners *[]Owner
}

func (s *Safety) functions() []function {
	return []function{
		{"rcd", &s.RCD}, {"pe_monitor", &s.PEMonitor}, {"overcurrent", &s.Overcurrent}, {"weld_check", &s.WeldCheck},
		{"open_on_c_exit", &s.OpenOnCExit}, {"emergency_stop", &s.EmergencyStop}, {"overvoltage", &s.Overvoltage},
		{"isolation", &s.Isolation}, {"door", &s.Door}, {"watchdog", &s.Watchdog},
	}
}

func decodeBus(name string, v *value) Bus {
	b := Bus{Name: name, Baud: int(v.number("baud")), Frame: v.str("frame")}
	for _, k := range busKinds {
		c := v.child(k.name)
		if c == nil {
			continue
		}
		b.Kind, b.Port, b.RS485 = k.kind, c.text, k.name == "rs485"
		if k.kind == BusI2C {
			b.Port = strconv.FormatInt(c.num, 10)
		}
	}
	if b.Kind == BusTCP && !strings.Contains(b.Port, ":") {
		b.Port += ":502"
	}
	if b.Kind == BusSerial && b.Frame == "" {
		b.Frame = "8N1"
	}
	return b
}

// busKinds are the keys that say what a bus is.
var busKinds = []struct {
	name string
	kind BusKind
}{
	{"rs485", BusSerial}, {"uart", BusSerial}, {"i2c", BusI2C}, {"spi", BusSPI}, {"can", BusCAN}, {"tcp", BusTCP}, {"net", BusNet},
}

func decodePWM(v *value) PWM {
	return PWM{Name: fmt.Sprintf("%s/%d", v.str("chip"), v.number("channel")), Invert: v.is("invert")}
}

func decodeADC(v *value) *ADC {
	if v == nil || v.str("adc") == "" {
		return nil
	}
	return &ADC{Name: v.str("adc"), Gain: Gain(v.number("gain")), Zero: unit.Voltage(v.number("zero")), Reset: v.lineOf("peak_reset"), Pulse: v.time("reset_pulse")}
}

func decodeCooling(v *value) *Cooling {
	if v == nil {
		return nil
	}
	c := new(Cooling)
	v.each("fans", func(id string, v *value) {
		c.Fans = append(c.Fans, Fan{ID: id, PWM: decodePWM(v.child("pwm")), Tach: v.lineOf("tach")})
	})
	if curve := v.child("curve"); curve != nil {
		for _, s := range curve.steps {
			c.Curve = append(c.Curve, FanStep{At: unit.Temperature(s.at), Speed: unit.Percent(s.to)})
		}
	}
	return c
}

var meanings = map[string]Meaning{"curtail": MeaningCurtail, "stop": MeaningStop, "emergency_stop": MeaningEmergencyStop, "door_open": MeaningDoor}

func decodeInput(name string, v *value) Input {
	return Input{Name: name, Line: v.mustLine("line"), MCU: v.str("mcu"), Meaning: meanings[v.str("meaning")], Limit: unit.Power(v.number("limit"))}
}

func decodeReader(v *value) *Reader {
	if v == nil {
		return nil
	}
	u := v.child("uid")
	f := rfid.Format{Reverse: u.is("reverse"), Separator: u.str("separator"), Width: uint8(u.number("width")), Random: u.is("random"), Base: bases[u.str("base")]}
	t := v.child("typed")
	typed := rfid.Typed{Decimal: t.str("base") == "decimal", Bytes: uint8(t.number("bytes")), Reverse: t.is("reverse")}
	return &Reader{Model: v.str("model"), Bus: v.str("bus"), Device: v.str("device"), Address: uint8(v.number("address")), Reset: v.lineOf("reset"), Typed: typed, Format: f}
}

var bases = map[string]rfid.Base{"hex-upper": rfid.HexUpper, "hex-lower": rfid.HexLower, "decimal": rfid.Decimal}

// id of an EVSE.
func (v *value) evseID() term.EVSEID { return term.EVSEID(v.number("id")) }

var lineBits = map[string]hal.Lines{"L1": hal.LineL1, "L2": hal.LineL2, "L3": hal.LineL3, "N": hal.LineN}
