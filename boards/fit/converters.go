package fit

import (
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/thermo"
)

// converters is a Kernel as package parts wants it, for thermometers that are made of a converter.
type converters struct{ k Kernel }

var errGuards = errors.New("it belongs to the guard")

// ADC opens a channel.
func (c converters) ADC(name string) (adc.Channel, error) { return c.k.ADC(name) }

// Now is not asked for.
func (converters) Now() time.Time { return time.Time{} }

// Output is the guard's.
func (converters) Output(gpio.Spec) (gpio.Output, error) { return nil, errGuards }

// Input is the guard's.
func (converters) Input(gpio.Spec) (gpio.Input, error) { return nil, errGuards }

// PWM is the guard's.
func (converters) PWM(string) (pwm.Channel, error) { return nil, errGuards }

// Thermometer is the guard's.
func (converters) Thermometer(string) (thermo.Source, error) { return nil, errGuards }

// Watchdog is the guard's.
func (converters) Watchdog(string, time.Duration) (hal.Watchdog, error) { return nil, errGuards }

// MCU is the guard's.
func (converters) MCU(mcu.Spec) (*mcu.MCU, error) { return nil, errGuards }
