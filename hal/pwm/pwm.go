// Package pwm drives the kernel's PWM channels.
package pwm

import "time"

// Channel is one channel.
type Channel interface {
	// Set makes pulses of length on, one every period. on 0 is a steady low wire, on == period a steady high one.
	Set(period, on time.Duration) error
}
