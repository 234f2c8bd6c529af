package probe

import (
	"strconv"
	"strings"
)

func (t tree) serial() []Port {
	const class = "sys/class/tty"
	var ports []Port
	for _, name := range t.names(class) {
		if !t.exists(class, name, "device") {
			continue // a console or a pseudo-terminal
		}
		if n, ok := t.number(class, name, "type"); ok && n == 0 {
			continue // a place for a UART that is not there
		}
		ports = append(ports, Port{Port: name, Driver: t.target(class, name, "device/driver")})
	}
	return ports
}

func (t tree) i2c() []I2C {
	const devices = "sys/bus/i2c/devices"
	var buses []I2C
	for _, name := range t.names(devices) {
		n, ok := strings.CutPrefix(name, "i2c-")
		if !ok {
			continue
		}
		bus, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		b := I2C{Bus: bus, Name: t.text(devices, name, "name"), Node: t.exists("dev", name), Drivers: []string{}}
		for _, chip := range t.names(devices) {
			at, ok := strings.CutPrefix(chip, n+"-")
			if address, err := strconv.ParseUint(at, 16, 16); ok && err == nil && t.exists(devices, chip, "driver") {
				b.Drivers = append(b.Drivers, "0x"+strconv.FormatUint(address, 16)+" "+t.text(devices, chip, "name"))
			}
		}
		buses = append(buses, b)
	}
	return buses
}

func (t tree) spi() []SPI {
	var places []SPI
	for _, name := range t.names("dev") {
		if place, ok := strings.CutPrefix(name, "spidev"); ok {
			places = append(places, SPI{Place: place})
		}
	}
	return places
}

// Types and flags of interfaces in sysfs, as linux/if_arp.h and linux/if.h number them.
const (
	typeEthernet = 1
	typeCAN      = 280
	flagUp       = 1
)

// interfaces are those of a type.
func (t tree) interfaces(kind int64) []Interface {
	const class = "sys/class/net"
	var all []Interface
	for _, name := range t.names(class) {
		if k, ok := t.number(class, name, "type"); !ok || k != kind {
			continue
		}
		flags, _ := strconv.ParseUint(t.text(class, name, "flags"), 0, 32)
		all = append(all, Interface{Name: name, Up: flags&flagUp != 0})
	}
	return all
}

func (t tree) watchdogs() []Watchdog {
	const class = "sys/class/watchdog"
	var all []Watchdog
	for _, name := range t.names(class) {
		seconds, _ := t.number(class, name, "timeout")
		all = append(all, Watchdog{Device: name, Identity: t.text(class, name, "identity"), Seconds: int(seconds),
			Active: t.text(class, name, "state") == "active"})
	}
	return all
}

func (t tree) leds() []LED {
	const class = "sys/class/leds"
	var all []LED
	for _, name := range t.names(class) {
		_, trigger, _ := strings.Cut(t.text(class, name, "trigger"), "[")
		trigger, _, _ = strings.Cut(trigger, "]")
		all = append(all, LED{Name: name, Trigger: trigger})
	}
	return all
}

// inputs are the event devices that have keys for digits.
func (t tree) inputs() []Input {
	const class = "sys/class/input"
	var all []Input
	for _, name := range t.names(class) {
		if strings.HasPrefix(name, "event") && typesDigits(t.text(class, name, "device/capabilities/key")) {
			all = append(all, Input{Device: name, Name: t.text(class, name, "device/name")})
		}
	}
	return all
}

// Keys 1 to 0 of linux/input-event-codes.h.
const digits = 0x3ff << 2

// typesDigits reads a bitmap of keys as sysfs shows it: words of the kernel's size, the highest first.
func typesDigits(bitmap string) bool {
	words := strings.Fields(bitmap)
	if len(words) == 0 {
		return false
	}
	lowest, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && lowest&digits == digits
}
