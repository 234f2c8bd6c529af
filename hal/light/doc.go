// Package light shows a connector's state with a lamp: lines, PWM channels or the kernel's LEDs.
//
// What a lamp looks like for each hal.Indication, and how it blinks for a hal.Signal, is data (Patterns). A Light has one
// goroutine that drives its lamp; whoever calls Show, Blink or Dim never waits for a wire.
package light
