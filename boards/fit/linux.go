package fit

import (
	"path/filepath"
	"sync"

	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/light"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/hal/thermo"
)

// Linux is the kernel that the process runs on.
type Linux struct {
	root string

	mu    sync.Mutex // of all below
	chips *gpio.Chips
	ends  []func()
}

// NewLinux returns the kernel; root is "/", or a folder in its place for GPIO, PWM, converters and thermometers.
func NewLinux(root string) *Linux {
	return &Linux{root: root, chips: &gpio.Chips{Dir: filepath.Join(root, "dev")}}
}

// Close gives lines, channels and thermometers back.
func (l *Linux) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.ends {
		end()
	}
	l.ends = nil
	l.chips.Close()
}

// Input requests a line.
func (l *Linux) Input(s gpio.Spec) (gpio.Input, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chips.Input(s)
}

// Output requests a line.
func (l *Linux) Output(s gpio.Spec) (gpio.Output, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chips.Output(s)
}

// PWM opens a channel.
func (l *Linux) PWM(name string) (pwm.Channel, error) {
	c, err := pwm.Open(l.root, name, nil)
	if err != nil {
		return nil, err
	}
	l.end(c.Close)
	return c, nil
}

// ADC opens a channel.
func (l *Linux) ADC(name string) (adc.Channel, error) {
	c, err := adc.Open(l.root, name)
	if err != nil {
		return nil, err
	}
	l.end(c.Close)
	return c, nil
}

// Thermometer opens a thermometer and begins to read it.
func (l *Linux) Thermometer(name string) (thermo.Source, error) {
	p := &thermo.Poller{Root: l.root}
	t, err := p.Open(name)
	if err != nil {
		return nil, err
	}
	p.Start()
	l.end(p.Close)
	return t, nil
}

func (l *Linux) end(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, f)
}

// Line opens a serial port.
func (l *Linux) Line(c serial.Config) (modbus.Port, error) { return serial.Open(c) }

// TCP reaches a Modbus/TCP server.
func (l *Linux) TCP(address string, o modbus.Options) *modbus.Bus { return modbus.DialTCP(address, o) }

// UART opens a serial port.
func (l *Linux) UART(c serial.Config) (UART, error) { return serial.Open(c) }

// I2C opens an adapter.
func (l *Linux) I2C(c i2c.Config) (*i2c.Bus, error) { return i2c.Open(c) }

// SPI opens a chip at a bus.
func (l *Linux) SPI(c spi.Config) (*spi.Device, error) { return spi.Open(c) }

// LEDs opens LEDs of the kernel.
func (l *Linux) LEDs(names ...string) (light.Lamp, error) { return light.LEDs(l.root, names...) }

// Keyboard opens a reader that types.
func (l *Linux) Keyboard(c hid.Config) (rfid.Scanner, error) { return hid.New(c) }
