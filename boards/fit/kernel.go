package fit

import (
	"time"

	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/hal/thermo"
)

// Kernel is where the devices of the station's process come from: Linux, or what stands for it on a bench. What the guard has
// is not among them; converters and thermometers may be read by both. What is missing at the start is asked for again.
type Kernel interface {
	Input(gpio.Spec) (gpio.Input, error)
	Output(gpio.Spec) (gpio.Output, error)
	PWM(name string) (pwm.Channel, error)             // chip/channel
	ADC(name string) (adc.Channel, error)             // device/channel
	Thermometer(name string) (thermo.Source, error)   // hwmon:NAME/temp1 or w1:28-0000053a6b12
	Line(serial.Config) (modbus.Port, error)          // a serial line with Modbus units
	TCP(address string, o modbus.Options) *modbus.Bus // a Modbus/TCP server
	UART(serial.Config) (UART, error)                 // a serial port with one reader
	I2C(i2c.Config) (*i2c.Bus, error)                 // an adapter
	SPI(spi.Config) (*spi.Device, error)              // a chip at a bus
	Keyboard(hid.Config) (rfid.Scanner, error)        // a reader that types
	Close()                                           // gives back what nobody else does
}

// UART is a serial port with one reader, like *serial.Port.
type UART interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	SetDeadline(time.Time) error
	Drop() error // throws away what has come and was not read
	Close() error
}
