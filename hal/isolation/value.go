package isolation

import (
	"errors"
	"fmt"
	"math"
)

// Alarm is what a monitor makes of a measurement.
type Alarm uint8

// Alarms.
const (
	NoAlarm     Alarm = iota
	PreWarning        //
	DeviceError       // the monitor itself is broken
	Warning           // below the first response value
	Alarmed           // below the second
	Reserved          // a code that says nothing known: taken for an alarm
)

var alarmNames = [...]string{"none", "pre-warning", "device error", "warning", "alarm", "unknown"}

func (a Alarm) String() string {
	if int(a) >= len(alarmNames) {
		return "?"
	}
	return alarmNames[a]
}

// ErrValue is a measurement that is none.
var ErrValue = errors.New("the insulation monitor has no valid measurement")

// Units of a measurement, of the lower five bits of its third register.
const (
	unitOhm  = 2
	unitVolt = 4
)

// value is one measurement as its four registers have it.
type value struct {
	milli   int64 // Ohm or V in 0.001
	alarm   Alarm
	testing bool // an ordered self-test is going on
	unit    uint8
}

const registersOfValue = 4

// milliLimit bounds what a measurement may be: a million times more than any monitor shows.
const milliLimit = 1e15

// parseValue reads a measurement. One that the monitor marks as invalid, or that is no number, is ErrValue; alarm and
// test are known all the same.
func parseValue(r []uint16) (value, error) {
	if len(r) != registersOfValue {
		return value{}, fmt.Errorf("%w: %d registers", ErrValue, len(r))
	}
	state, kind := uint8(r[2]>>8), uint8(r[2])
	v := value{alarm: alarmOf(state), testing: state>>6 == 2, unit: kind & 0x1F}
	f := float64(math.Float32frombits(uint32(r[0])<<16|uint32(r[1]))) * 1000
	if kind>>6 == 3 || math.IsNaN(f) || math.Abs(f) > milliLimit {
		return v, ErrValue
	}
	v.milli = int64(math.Round(f))
	return v, nil
}

// alarmOf reads the alarm of a state byte. The code of a device error counts only outside of tests, which simulate one.
func alarmOf(state uint8) Alarm {
	switch state & 0x07 {
	case 0:
		return NoAlarm
	case 1:
		return PreWarning
	case 2:
		if state>>6 == 0 {
			return DeviceError
		}
	case 4:
		return Warning
	case 5:
		return Alarmed
	}
	return Reserved
}

// appendValue writes a measurement, for virtual monitors.
func appendValue(dst []uint16, milli int64, unit uint8, alarm Alarm, testing, valid bool) []uint16 {
	bits := math.Float32bits(float32(milli) / 1000)
	state := [...]uint16{NoAlarm: 0, PreWarning: 1, DeviceError: 2, Warning: 4, Alarmed: 5, Reserved: 7}[alarm]
	if testing {
		state |= 2 << 6
	}
	kind := uint16(unit)
	if !valid {
		kind |= 3 << 6
	}
	return append(dst, uint16(bits>>16), uint16(bits), state<<8|kind, 0)
}
