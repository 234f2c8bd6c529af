package probe

import (
	"os"
	"strings"
)

func (t tree) pwm() []PWM {
	const class = "sys/class/pwm"
	var chips []PWM
	for _, name := range t.names(class) {
		n, ok := t.number(class, name, "npwm")
		if !ok {
			continue // a channel, not a chip
		}
		chip := t.target(class, name, "device")
		if chip == "" {
			chip = name
		}
		chips = append(chips, PWM{Chip: chip, Class: name, Channels: int(n)})
	}
	return chips
}

const iio = "sys/bus/iio/devices"

func (t tree) converters() []Converter {
	var all []Converter
	named := map[string]int{}
	for _, dir := range t.names(iio) {
		if !strings.HasPrefix(dir, "iio:device") {
			continue // a trigger
		}
		c := Converter{Device: t.parent(dir), Name: t.text(iio, dir, "name"), Channels: t.channels(dir)}
		if len(c.Channels) == 0 {
			continue // an output, or a sensor of something else
		}
		named[c.Name]++
		all = append(all, c)
	}
	for i, c := range all {
		if c.Device == "" || c.Name != "" && named[c.Name] == 1 {
			all[i].Device = c.Name
		}
	}
	return all
}

// parent is the device that an IIO device belongs to: the folder above it, where the links of sysfs are followed.
func (t tree) parent(dir string) string {
	link, err := os.Readlink(t.path(iio, dir))
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.TrimRight(link, "/"), "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// channels are the inputs of a device that measure a voltage or a temperature.
func (t tree) channels(dir string) []Channel {
	var all []Channel
	for _, file := range t.names(iio, dir) {
		name, ok := strings.CutPrefix(file, "in_")
		if !ok {
			continue
		}
		if name, ok = strings.CutSuffix(name, "_raw"); !ok || !strings.HasPrefix(name, "voltage") && !strings.HasPrefix(name, "temp") {
			continue
		}
		c := Channel{Name: name, Scale: t.text(iio, dir, "in_"+name+"_scale")}
		if c.Scale == "" {
			c.Scale = t.text(iio, dir, "in_"+strings.TrimRight(name, "0123456789")+"_scale")
		}
		if raw, ok := t.number(iio, dir, file); ok {
			c.Raw = &raw
		}
		all = append(all, c)
	}
	return all
}

func (t tree) thermometers() []Thermometer {
	const class, wires = "sys/class/hwmon", "sys/bus/w1/devices"
	var all []Thermometer
	for _, dir := range t.names(class) {
		name := t.text(class, dir, "name")
		for _, file := range t.names(class, dir) {
			if channel, ok := strings.CutSuffix(file, "_input"); ok && strings.HasPrefix(channel, "temp") {
				all = append(all, t.thermometer("hwmon:"+name+"/"+channel, class, dir, file))
			}
		}
	}
	for _, id := range t.names(wires) {
		if t.exists(wires, id, "temperature") {
			all = append(all, t.thermometer("w1:"+id, wires, id, "temperature"))
		}
	}
	return all
}

func (t tree) thermometer(source string, parts ...string) Thermometer {
	n, ok := t.number(parts...)
	if !ok {
		return Thermometer{Source: source, Problem: "shows nothing"}
	}
	return Thermometer{Source: source, Milli: &n}
}
