package boards

import "fmt"

// UseKind is by what a kernel name is found.
type UseKind uint8

// Kinds of kernel names.
const (
	UseOutput      UseKind = iota + 1 // a GPIO line that is driven
	UseInput                          // a GPIO line that is read
	UsePWM                            // chip/channel
	UseADC                            // device/channel
	UseThermometer                    // hwmon:NAME/temp1, w1:ID
	UseSerial                         // below /dev
	UseI2C                            // the adapter's number
	UseSPI                            // bus.select
	UseInterface                      // network or CAN
	UseWatchdog                       // a path
	UseLED
	UseInputDevice // below /dev/input
)

var useNames = [...]string{"", "output", "input", "pwm", "adc", "thermometer", "serial", "i2c", "spi", "interface", "watchdog", "led", "input device"}

func (k UseKind) String() string { return useNames[k] }

// Use is one thing of the kernel that a board names, and where.
type Use struct {
	Path string // of the value that names it
	Kind UseKind
	Name string
	Line *Line // of GPIO
}

// Uses returns all that the board names, in the order of the table of keys; what several parts of the board share stands once
// for each.
func (b *Board) Uses() []Use {
	u := &uses{}
	if b.Watchdog != nil {
		u.add("watchdog.device", UseWatchdog, b.Watchdog.Path)
	}
	kinds := map[BusKind]UseKind{BusSerial: UseSerial, BusI2C: UseI2C, BusSPI: UseSPI, BusCAN: UseInterface, BusNet: UseInterface}
	for i := range b.Buses {
		if k := kinds[b.Buses[i].Kind]; k != 0 {
			u.add("buses."+b.Buses[i].Name, k, b.Buses[i].Port)
		}
	}
	for i := range b.MCUs {
		u.add(join("mcus."+b.MCUs[i].Name, "uart"), UseSerial, b.MCUs[i].Port)
	}
	for i := range b.EVSEs {
		u.evse(&b.EVSEs[i])
	}
	if b.Cooling != nil {
		for i := range b.Cooling.Fans {
			f := &b.Cooling.Fans[i]
			path := fmt.Sprintf("cooling.fans[%s]", f.ID)
			u.add(join(path, "pwm"), UsePWM, f.PWM.Name)
			u.line(join(path, "tach"), UseInput, f.Tach)
		}
	}
	for i := range b.Inputs {
		if in := &b.Inputs[i]; in.MCU == "" {
			u.line(join("inputs."+in.Name, "line"), UseInput, &in.Line)
		}
	}
	u.reader("reader", b.Reader)
	return u.all
}

type uses struct{ all []Use }

func (u *uses) add(path string, k UseKind, name string) {
	u.all = append(u.all, Use{Path: path, Kind: k, Name: name})
}

func (u *uses) line(path string, k UseKind, l *Line) {
	if l != nil && l.Name != "" {
		u.all = append(u.all, Use{Path: path, Kind: k, Name: l.Name, Line: l})
	}
}

func (u *uses) adc(path string, a *ADC) {
	if a != nil && a.Name != "" {
		u.add(join(path, "adc"), UseADC, a.Name)
		u.line(join(path, "peak_reset"), UseOutput, a.Reset)
	}
}

func (u *uses) evse(e *EVSE) {
	path := fmt.Sprintf("evses[%d]", e.ID)
	if p := &e.Pilot; !p.MCU {
		u.add(join(path, "pilot.pwm"), UsePWM, p.PWM.Name)
		u.adc(join(path, "pilot.high"), p.High)
		u.adc(join(path, "pilot.low"), p.Low)
		for i := range p.Comparators {
			u.line(fmt.Sprintf("%s.pilot.comparators.%s.line", path, p.Comparators[i].Name), UseInput, &p.Comparators[i].Line)
		}
	}
	if p := e.Proximity; p != nil {
		u.adc(join(path, "proximity"), &p.ADC)
	}
	k := &e.Contactors
	for _, s := range []struct {
		name string
		of   *Switch
	}{{"main", k.Main}, {"extra", k.Extra}, {"plus", k.Plus}, {"minus", k.Minus}} {
		if s.of != nil {
			u.line(fmt.Sprintf("%s.contactors.%s.drive", path, s.name), UseOutput, &s.of.Drive)
			u.line(fmt.Sprintf("%s.contactors.%s.sense", path, s.name), UseInput, s.of.Sense)
		}
	}
	if r := e.RCD; r != nil {
		u.line(join(path, "rcd.fault"), UseInput, &r.Fault)
		u.line(join(path, "rcd.test"), UseOutput, r.Test)
	}
	if l := e.Lock; l != nil {
		for i := range l.Motor {
			u.line(fmt.Sprintf("%s.lock.motor[%d]", path, i), UseOutput, &l.Motor[i])
		}
		u.line(join(path, "lock.sense"), UseInput, l.Sense)
	}
	for i := range e.Temperatures {
		t := &e.Temperatures[i]
		at := fmt.Sprintf("%s.temperature[%s]", path, t.ID)
		u.adc(at, t.ADC)
		if t.Kernel != "" {
			u.add(at, UseThermometer, t.Kernel)
		}
	}
	u.reader(join(path, "reader"), e.Reader)
	if l := e.Light; l != nil {
		for i := range l.RGB {
			u.line(fmt.Sprintf("%s.light.rgb[%d]", path, i), UseOutput, &l.RGB[i])
		}
		for i := range l.LEDs {
			u.add(fmt.Sprintf("%s.light.leds[%d]", path, i), UseLED, l.LEDs[i])
		}
	}
	for i := range e.Diagnosis {
		u.line(fmt.Sprintf("%s.diagnosis.%s.line", path, e.Diagnosis[i].Name), UseInput, &e.Diagnosis[i].Line)
	}
}

func (u *uses) reader(path string, r *Reader) {
	if r == nil {
		return
	}
	if r.Device != "" {
		u.add(join(path, "device"), UseInputDevice, r.Device)
	}
	u.line(join(path, "reset"), UseOutput, r.Reset)
}
