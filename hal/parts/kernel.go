package parts

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/thermo"
)

// Kernel is where wires come from: Linux, or what stands for it on a bench. Whatever it opens is no other process's from then on.
// What only measures may be asked for by several devices (an emergency stop of all connectors, with the same Spec) and is the same
// then; what drives is one device's. The methods of what it opens neither wait nor allocate.
type Kernel interface {
	Output(gpio.Spec) (gpio.Output, error)
	Input(gpio.Spec) (gpio.Input, error)
	PWM(name string) (pwm.Channel, error)                              // chip/channel
	ADC(name string) (adc.Channel, error)                              // device/channel
	Thermometer(name string) (thermo.Source, error)                    // hwmon:NAME/temp1 or w1:28-0000053a6b12
	Watchdog(path string, timeout time.Duration) (hal.Watchdog, error) // armed by the first Pet
	MCU(mcu.Spec) (*mcu.MCU, error)                                    // one for each port: asked twice, it is the same
	Now() time.Time                                                    // monotonic; what pulses and tests are timed by
}
