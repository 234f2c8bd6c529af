package probe

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Machine is what there is. A list is empty where there is none of a kind; all are in order of their names.
type Machine struct {
	Kernel       string        `json:"kernel"`          // its release
	Model        string        `json:"model,omitempty"` // as the device tree or the firmware calls the machine
	GPIO         []Chip        `json:"gpio"`
	PWM          []PWM         `json:"pwm"`
	ADC          []Converter   `json:"adc"`
	Thermometers []Thermometer `json:"thermometers"`
	Serial       []Port        `json:"serial"`
	I2C          []I2C         `json:"i2c"`
	SPI          []SPI         `json:"spi"`
	CAN          []Interface   `json:"can"`
	Net          []Interface   `json:"net"`
	Watchdogs    []Watchdog    `json:"watchdogs"`
	LEDs         []LED         `json:"leds"`
	Inputs       []Input       `json:"inputs"`
}

// Chip is a GPIO chip.
type Chip struct {
	Name    string `json:"name"` // gpiochip0
	Label   string `json:"label,omitempty"`
	Lines   []Line `json:"lines"`
	Problem string `json:"problem,omitempty"` // why its lines are not known
}

// Line is a line of a GPIO chip.
type Line struct {
	Offset   int    `json:"offset"`
	Name     string `json:"name,omitempty"` // a board file can only use a line with a name
	Used     bool   `json:"used"`
	Consumer string `json:"consumer,omitempty"` // who uses it
	Output   bool   `json:"output"`
	Twice    bool   `json:"twice,omitempty"` // another line has this name, too: neither can be used
}

// PWM is a PWM chip.
type PWM struct {
	Chip     string `json:"chip"` // as a board file calls it: the name of its device
	Class    string `json:"class"`
	Channels int    `json:"channels"`
}

// Converter is a device of analog inputs.
type Converter struct {
	Device   string    `json:"device"` // as a board file calls it: its name, or its address where the name is another's, too
	Name     string    `json:"name,omitempty"`
	Channels []Channel `json:"channels"`
}

// Channel is one input of a Converter.
type Channel struct {
	Name  string `json:"name"` // voltage2
	Raw   *int64 `json:"raw,omitempty"`
	Scale string `json:"scale,omitempty"` // mV for each count, at the converter's pin
}

// Thermometer is a source of temperatures.
type Thermometer struct {
	Source  string `json:"source"`                 // as a board file calls it: hwmon:lm75/temp1
	Milli   *int64 `json:"milliCelsius,omitempty"` // what it shows
	Problem string `json:"problem,omitempty"`
}

// Port is a serial port.
type Port struct {
	Port   string `json:"port"` // below /dev
	Driver string `json:"driver,omitempty"`
}

// I2C is an I2C bus that programs can use.
type I2C struct {
	Bus     int      `json:"bus"`
	Name    string   `json:"name,omitempty"`
	Drivers []string `json:"drivers"` // chips at it that a driver of the kernel has: 0x48 lm75
	Node    bool     `json:"node"`    // /dev/i2c-BUS is there
}

// SPI is a place at an SPI bus that programs can use.
type SPI struct {
	Place string `json:"place"` // bus.select
}

// Interface is a network interface.
type Interface struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
}

// Watchdog resets the board.
type Watchdog struct {
	Device   string `json:"device"`
	Identity string `json:"identity,omitempty"`
	Seconds  int    `json:"timeoutSeconds,omitempty"`
	Active   bool   `json:"active"` // somebody pets it
}

// LED is a light of the kernel's.
type LED struct {
	Name    string `json:"name"`
	Trigger string `json:"trigger,omitempty"` // what makes it shine now
}

// Input is a keyboard, or what says it is one: a reader of cards may.
type Input struct {
	Device string `json:"device"` // below /dev/input
	Name   string `json:"name,omitempty"`
}

// Lines reads the lines of the chip behind a device node.
type Lines func(node string) (label string, lines []Line, err error)

// Look says what there is below root, which has the dev, proc and sys of a machine.
func Look(root string, lines Lines) *Machine {
	t := tree(root)
	m := &Machine{
		Kernel: t.text("proc/sys/kernel/osrelease"),
		Model:  t.text("sys/firmware/devicetree/base/model"),
		GPIO:   list(t.gpio(lines)), PWM: list(t.pwm()), ADC: list(t.converters()), Thermometers: list(t.thermometers()),
		Serial: list(t.serial()), I2C: list(t.i2c()), SPI: list(t.spi()), CAN: list(t.interfaces(typeCAN)), Net: list(t.interfaces(typeEthernet)),
		Watchdogs: list(t.watchdogs()), LEDs: list(t.leds()), Inputs: list(t.inputs()),
	}
	if m.Model == "" {
		m.Model = t.text("sys/class/dmi/id/product_name")
	}
	return m
}

// list is l, but never null in JSON.
func list[T any](l []T) []T { return append([]T{}, l...) }

// tree is the root of a machine's files.
type tree string

// most is how much of a file, and how many entries of a folder, are looked at.
const most = 4096

func (t tree) path(parts ...string) string {
	return filepath.Join(append([]string{string(t)}, parts...)...)
}

// names are what is in a folder, in order: numbers within names count as such.
func (t tree) names(parts ...string) []string {
	d, err := os.Open(t.path(parts...))
	if err != nil {
		return nil
	}
	defer d.Close()
	all, _ := d.Readdirnames(most)
	slices.SortFunc(all, byNumber)
	return all
}

// text is a short file without what ends it; "" where there is none.
func (t tree) text(parts ...string) string {
	f, err := os.Open(t.path(parts...))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, most)
	n, _ := f.Read(b)
	return strings.TrimRight(string(b[:n]), "\x00\n ")
}

func (t tree) number(parts ...string) (int64, bool) {
	n, err := strconv.ParseInt(t.text(parts...), 10, 64)
	return n, err == nil
}

func (t tree) exists(parts ...string) bool {
	_, err := os.Stat(t.path(parts...))
	return err == nil
}

// target is the last part of where a link points.
func (t tree) target(parts ...string) string {
	to, err := os.Readlink(t.path(parts...))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// byNumber compares names as people do: gpiochip2 is before gpiochip10.
func byNumber(a, b string) int {
	x, y := strings.TrimRight(a, "0123456789"), strings.TrimRight(b, "0123456789")
	if x != y {
		return strings.Compare(a, b)
	}
	if n := len(a) - len(b); n != 0 {
		return n
	}
	return strings.Compare(a, b)
}
