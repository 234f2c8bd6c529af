package boards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/rfid"
)

// buses have one kind, and serial ones a speed.
func (c *checker) buses() {
	for i := range c.b.Buses {
		b := &c.b.Buses[i]
		path, kinds := "buses."+b.Name, 0
		for _, k := range busKinds {
			if c.given(join(path, k.name)) {
				kinds++
			}
		}
		if kinds != 1 {
			c.find(path, "BRD-210", fmt.Sprintf("bus %s is of %d kinds", b.Name, kinds), "give one of rs485, uart, i2c, spi, can, tcp and net")
			continue
		}
		serial := b.Kind == BusSerial
		if serial && b.Baud == 0 {
			c.find(path, "BRD-210", fmt.Sprintf("bus %s has no baud rate", b.Name), "add baud")
		}
		for _, k := range []string{"baud", "frame"} {
			if !serial && c.given(join(path, k)) {
				c.find(join(path, k), "BRD-210", fmt.Sprintf("%s of a bus that is not serial", k), "leave it out")
			}
		}
		if serial && b.Baud != 0 && !slices.Contains(bauds, b.Baud) {
			c.find(join(path, "baud"), "BRD-208", fmt.Sprintf("%d is no usual baud rate", b.Baud), "take 9600 or 19200, as the devices of the bus have it")
		}
	}
}

// bauds are the rates that meters, readers and controllers have.
var bauds = []int{300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 76800, 115200, 230400, 460800, 921600}

// mcus fit their protocol.
func (c *checker) mcus() {
	for i := range c.b.MCUs {
		m := &c.b.MCUs[i]
		path := "mcus." + m.Name
		beat := m.Heartbeat
		if beat == 0 {
			beat = mcu.DefaultBeat
		}
		if m.Silence != 0 && m.Silence < 3*beat {
			c.find(join(path, "silence"), "BRD-108", fmt.Sprintf("%v, with a heartbeat of %v", m.Silence, beat), "want at least three heartbeats: one that noise takes must not open a contactor")
		}
		if p := devPath(m.Port); len(p) > hal.MaxPartName {
			c.find(join(path, "uart"), "BRD-108", fmt.Sprintf("a path of %d characters", len(p)), fmt.Sprintf("want at most %d: make a shorter alias with udev", hal.MaxPartName))
		}
	}
}

// names of the kernel are used once.
func (c *checker) names() {
	codes := map[UseKind]string{UseOutput: "BRD-203", UseInput: "BRD-203", UsePWM: "BRD-204", UseADC: "BRD-204", UseThermometer: "BRD-204",
		UseSerial: "BRD-205", UseSPI: "BRD-205", UseInterface: "BRD-205", UseI2C: "BRD-205", UseLED: "BRD-203", UseInputDevice: "BRD-205"}
	type named struct{ code, name string }
	first := map[named]Use{}
	for _, u := range c.b.Uses() {
		code := codes[u.Kind]
		if code == "" {
			continue
		}
		n := named{code + u.Kind.group(), u.Name}
		if before, twice := first[n]; twice {
			c.findf(u.Path, code, "%s again, first as %s in line %d", u.Name, before.Path, c.b.place(before.Path).Line)
			continue
		}
		first[n] = u
	}
}

// group is what names of a kind must differ in.
func (k UseKind) group() string {
	if k == UseInput {
		k = UseOutput
	}
	return k.String()
}

// device is something at a bus.
type device struct {
	path, bus string
	address   int
	kinds     []BusKind
	what      string
}

// readerBuses are the buses of each model of reader; none is one that has a device of its own.
var readerBuses = map[string][]BusKind{"nxp/pn532": {BusSerial, BusI2C}, "nxp/mfrc522": {BusSPI}, "uart/ascii": {BusSerial}, "hid/keyboard": nil}

// atBuses are all devices at buses.
func (c *checker) atBuses() []device {
	var all []device
	reader := func(path string, r *Reader) {
		if r != nil && r.Bus != "" {
			all = append(all, device{path, r.Bus, int(r.Address), readerBuses[r.Model], "a reader of model " + r.Model})
		}
	}
	modbus := []BusKind{BusSerial, BusTCP}
	for i := range c.b.EVSEs {
		e := &c.b.EVSEs[i]
		at := evsePath(e)
		if m := e.Meter; m != nil && m.Bus != "" {
			all = append(all, device{join(at, "meter"), m.Bus, int(m.Address), modbus, "a meter"})
		}
		if m := e.Isolation; m != nil {
			all = append(all, device{join(at, "isolation"), m.Bus, int(m.Address), modbus, "an insulation monitor"})
		}
		if e.HLC != nil {
			all = append(all, device{join(at, "hlc"), e.HLC.Bus, -1, []BusKind{BusNet}, "ISO 15118"})
		}
		reader(join(at, "reader"), e.Reader)
	}
	for i := range c.b.Modules {
		m := &c.b.Modules[i]
		all = append(all, device{fmt.Sprintf("power_modules[%s]", m.ID), m.Bus, int(m.Address), []BusKind{BusCAN}, "a power module"})
	}
	reader("reader", c.b.Reader)
	if d := c.b.Display; d != nil {
		all = append(all, device{"display", d.Bus, int(d.Address), []BusKind{BusI2C}, "a display"})
	}
	return all
}

var busNames = [...]string{"", "rs485 or uart", "i2c", "spi", "can", "tcp", "net"}

// devices are at buses that exist, of a kind that they speak over, each at its own address; every bus has one.
func (c *checker) devices() {
	used := map[string]bool{}
	addresses := map[string]string{}
	for _, d := range c.atBuses() {
		b := c.b.Bus(d.bus)
		used[d.bus] = true
		if b == nil {
			c.find(join(d.path, "bus"), "BRD-201", fmt.Sprintf("no bus %q", d.bus), c.known("buses", func() (n []string) {
				for _, b := range c.b.Buses {
					n = append(n, b.Name)
				}
				return n
			}()))
			continue
		}
		if !slices.Contains(d.kinds, b.Kind) {
			var want []string
			for _, k := range d.kinds {
				want = append(want, busNames[k])
			}
			c.find(join(d.path, "bus"), "BRD-202", fmt.Sprintf("bus %s is %s, and %s is not at one", b.Name, busNames[b.Kind], d.what), "want "+strings.Join(want, " or "))
			continue
		}
		if d.address < 0 {
			continue
		}
		if b.Kind == BusSPI || d.address == 0 && b.Kind == BusSerial {
			d.address = 0 // alone at it
		}
		at := fmt.Sprintf("%s %d", d.bus, d.address)
		if before := addresses[at]; before != "" {
			c.findf(join(d.path, "address"), "BRD-206", "bus %s, address %d again, first in line %d", d.bus, d.address, c.b.place(before).Line)
		} else {
			addresses[at] = d.path
		}
	}
	for i := range c.b.Buses {
		if n := c.b.Buses[i].Name; !used[n] {
			c.findf("buses."+n, "BRD-209", "bus %s has no device", n)
		}
	}
	c.controllers()
	c.readers()
}

// known says which names there are.
func (c *checker) known(of string, names []string) string {
	if len(names) == 0 {
		return of + " has none"
	}
	return of + " has " + strings.Join(names, ", ")
}

// controllers are referred to, and each of their ports once.
func (c *checker) controllers() {
	used, ports := map[string]bool{}, map[string]*EVSE{}
	for i := range c.b.EVSEs {
		e := &c.b.EVSEs[i]
		at := evsePath(e)
		if e.MCU == "" {
			for _, p := range e.atMCU() {
				c.find(join(at, p), "BRD-210", fmt.Sprintf("%s is the mcu's, and EVSE %d names none", p, e.ID), "add mcu: {unit: NAME}")
			}
			continue
		}
		used[e.MCU] = true
		if c.b.MCU(e.MCU) == nil {
			var names []string
			for _, m := range c.b.MCUs {
				names = append(names, m.Name)
			}
			c.find(join(at, "mcu.unit"), "BRD-201", fmt.Sprintf("no safety controller %q", e.MCU), c.known("mcus", names))
			continue
		}
		if len(e.atMCU()) == 0 {
			c.findf(join(at, "mcu"), "BRD-209", "EVSE %d leaves nothing to its safety controller", e.ID)
		}
		port := fmt.Sprintf("%s %d", e.MCU, e.Port)
		if before := ports[port]; before != nil {
			c.findf(join(at, "mcu"), "BRD-206", "port %d of %s is EVSE %d's already", e.Port, e.MCU, before.ID)
		}
		ports[port] = e
	}
	for _, in := range c.b.Inputs {
		if in.MCU != "" && c.b.MCU(in.MCU) == nil {
			c.find("inputs."+in.Name+".mcu", "BRD-201", fmt.Sprintf("no safety controller %q", in.MCU), "name one of mcus")
		}
	}
	for _, m := range c.b.MCUs {
		if !used[m.Name] {
			c.findf("mcus."+m.Name, "BRD-209", "safety controller %s has no EVSE", m.Name)
		}
	}
}

// atMCU names what of an EVSE is at its safety controller.
func (e *EVSE) atMCU() []string {
	var names []string
	for _, p := range []struct {
		name string
		on   bool
	}{
		{"pilot", e.Pilot.MCU}, {"proximity", e.Proximity != nil && e.Proximity.MCU}, {"contactors", e.Contactors.MCU},
		{"rcd", e.RCD != nil && e.RCD.MCU}, {"lock", e.Lock != nil && e.Lock.MCU},
	} {
		if p.on {
			names = append(names, p.name)
		}
	}
	for _, t := range e.Temperatures {
		if t.MCU {
			names = append(names, fmt.Sprintf("temperature[%s]", t.ID))
		}
	}
	return names
}

// readers have a bus or a device, as their model does.
func (c *checker) readers() {
	check := func(path string, r *Reader) {
		if r == nil {
			return
		}
		own := readerBuses[r.Model] == nil
		if own != (r.Device != "") || own != (r.Bus == "") {
			want := "want a bus and no device"
			if own {
				want = "want a device and no bus"
			}
			c.find(path, "BRD-210", fmt.Sprintf("reader of model %s", r.Model), want)
		}
		if b := c.b.Bus(r.Bus); r.Address != 0 && b != nil && b.Kind != BusI2C {
			c.find(join(path, "address"), "BRD-210", "an address at a bus that has none", "leave it out")
		}
		if r.Typed != (rfid.Typed{}) && !own && r.Model != "uart/ascii" {
			c.find(join(path, "typed"), "BRD-210", fmt.Sprintf("reader of model %s does not type", r.Model), "leave it out")
		} else if err := r.Typed.Check(); err != nil {
			c.find(join(path, "typed"), "BRD-210", err.Error(), "correct it")
		}
		if err := r.Format.Check(); err != nil {
			c.find(join(path, "uid"), "BRD-210", err.Error(), "correct it")
		}
	}
	for i := range c.b.EVSEs {
		check(join(evsePath(&c.b.EVSEs[i]), "reader"), c.b.EVSEs[i].Reader)
		if l := c.b.EVSEs[i].Light; l != nil && (l.RGB != nil) == (l.LEDs != nil) {
			c.find(join(evsePath(&c.b.EVSEs[i]), "light"), "BRD-210", "a light", "want one of rgb and leds")
		}
	}
	check("reader", c.b.Reader)
}
